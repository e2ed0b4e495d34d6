"""Partitions: which utterance of a corpus belongs to which split of a config.

A partition is data plus one rule. It never depends on the order of files or on a generator's state, and it knows its
split names without seeing the corpus.
"""

from .emosetpp import emosetpp
from .groups import SpeakerGroup, speaker_groups
from .hashed import serevals, unit
from .held_out import validation
from .listed import balanced, listed_folds
from .partition import Partition
from .published import EMOBOX, generalize, serab, speaker_folds
from .table import Table

__all__ = [
    "EMOBOX",
    "Partition",
    "SpeakerGroup",
    "Table",
    "balanced",
    "emosetpp",
    "generalize",
    "listed_folds",
    "serab",
    "serevals",
    "speaker_folds",
    "speaker_groups",
    "unit",
    "validation",
]
