"""Transfers: how a fine-tuned model goes on to another corpus, as table 2 of the ExHuBERT paper compares it."""

from typing import Any

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"expand": False},
    "frozen": {"expand": True, "copies": 1, "freeze_original": True},
    "non_frozen": {"expand": True, "copies": 1, "freeze_original": False},
    "two_copies": {"expand": True, "copies": 2, "freeze_original": True},
}
"""Name -> fields of `ModelArguments`. The model itself; one gated copy of each layer, the originals frozen (ExHuBERT);
the same with trainable originals; two copies of each, the originals frozen (the paper's XLarge)."""
