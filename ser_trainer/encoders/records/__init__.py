"""Records: one file for each encoder that the papers name; the registry finds them by their file names."""
