"""Identity: everything that changes a feature of a checkpoint of `transformers`."""

import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from .preprocessor import settings

if TYPE_CHECKING:
    from .opening import Opening

_NOT_THE_MODEL = {
    "_name_or_path",
    "architectures",
    "dtype",
    "id2label",
    "label2id",
    "torch_dtype",
    "transformers_version",
}


def identity_of(
    opening: "Opening", revision: str, model: Any, extractor: Any, **rules: str | float
) -> dict[str, str | int | float | bool]:
    """Return the identity of an encoder made of a model and a feature extractor.

    Args:
        opening: how it was opened.
        revision: of its weights.
        model: a model of `transformers`.
        extractor: its feature extractor.
        rules: what the family does besides, for example how long clips are cut.
    """
    return {
        "encoder": opening.name,
        "revision": revision,
        "class": type(model).__name__,
        "config": _digest(model.config),
        "preprocessor": settings(extractor),
        "precision": opening.precision,
        **rules,
        **versions("torch", "transformers"),
    }


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of packages, without what tells how they were built.

    >>> versions("numpy").keys()
    dict_keys(['numpy'])
    """
    return {package: version(package).partition("+")[0] for package in packages}


def _digest(config: Any) -> str:
    told = {key: value for key, value in config.to_dict().items() if key not in _NOT_THE_MODEL}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]
