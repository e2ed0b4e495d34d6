"""Fine-tuning inside a benchmark."""
