"""Label maps of papers that differ from `loading_scripts.labels`, one file for each."""
