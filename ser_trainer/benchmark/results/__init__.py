"""Results: lines and their predictions, read as tables, comparisons, pages and cards."""
