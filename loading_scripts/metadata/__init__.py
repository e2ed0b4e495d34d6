"""The metadata door: a user's own table of files, labels and speakers becomes a corpus like any other."""
