"""Preprocessor: what a checkpoint does to samples before its model sees them, read from its own file, never assumed."""

import json
from typing import TYPE_CHECKING, Any

from .encoder import EncoderError
from .hub import checkpoint

if TYPE_CHECKING:
    from .opening import Opening

# Arrays that follow from the other settings, and names of classes.
_NOT_SETTINGS = {"mel_filters", "mel_filters_slaney", "window", "processor_class", "feature_extractor_type"}


def preprocessor(extractor_class: Any, opening: "Opening") -> Any:
    """Return the feature extractor of a checkpoint.

    Args:
        extractor_class: class with `from_pretrained`.
        opening: its place is a folder or Hub id.

    Raises:
        EncoderError: the checkpoint has none, or one of another kind.
    """
    folder, _ = checkpoint(opening)
    try:
        return extractor_class.from_pretrained(folder)
    except Exception as error:  # no file, no JSON, settings of another class
        raise EncoderError(
            f"Encoder {opening.name}: needs preprocessor_config.json of a {extractor_class.__name__}; "
            f"{opening.place} has none that can be read ({type(error).__name__}). Copy the one of the checkpoint that "
            "it was made from."
        ) from error


def settings(extractor: Any) -> str:
    """Return all settings of a feature extractor that change a value, as JSON."""
    told = {key: value for key, value in extractor.to_dict().items() if key not in _NOT_SETTINGS}
    return json.dumps(told, sort_keys=True)
