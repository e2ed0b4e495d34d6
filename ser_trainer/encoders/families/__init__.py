"""Families: how the encoders of one kind are opened and run. A file here is a family; a record names it."""
