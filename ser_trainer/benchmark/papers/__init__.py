"""What belongs to one paper alone: its labels, splits, priors and tables."""
