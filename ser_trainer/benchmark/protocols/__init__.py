"""Protocols: one file for each benchmark of the papers; the registry finds them by their file names."""
