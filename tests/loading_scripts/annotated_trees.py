"""Trees of tones at published paths, with the tables that some corpora ship beside their audio, made up here.

A corpus with tables has a file of its own in `annotated/`, with `plant(root, lines, tones)` and perhaps
`speaker_as_listed(utterance)` and `plant_examples(root, examples, tones)`.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

Lines = list[dict[str, str]]
Tones = Callable[[Path, list[str]], Path]


def own(corpus: str) -> ModuleType | None:
    """Return the module in `annotated/` of a corpus, None where names alone tell everything."""
    return import_module(f"annotated.{corpus}") if find_spec(f"annotated.{corpus}") else None


def plant(corpus: str, root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the listed utterances of a corpus below `root`; return the lines with every emotion filled in."""
    if module := own(corpus):
        return module.plant(root, lines, tones)
    tones(root, [line["path"] for line in lines])
    return lines


def speaker_as_listed(corpus: str, one) -> str:
    """Return the speaker of an utterance in the form, right or wrong, of EmoBox's lists."""
    told = getattr(own(corpus), "speaker_as_listed", None)
    return told(one) if told else one.speaker
