"""Models, fine-tuning and the command line of serbench. Importing this package imports none of the heavy libraries."""
