"""Open an encoder by what a user calls it: a record, a folder, a Hub id, or any Python function."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Literal

from loading_scripts.errors import near

from . import families, registry
from .encoder import Encoder, EncoderError, EncoderRecord
from .hub import hub_file

Precision = Literal["float32", "bfloat16"]

_FUNCTION = re.compile(r".+:[A-Za-z_]\w*")
_HUB_ID = re.compile(r"(\w[\w.-]*/\w[\w.-]*)(?:@([^@]+))?")


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a family gets to open an encoder.

    Args:
        name: what result lines call it.
        place: folder, file, Hub id or address of the weights; ``module:function`` or ``file.py:function``.
        record: what is known of it; None for a user's own.
        revision: commit, branch or tag on the Hub.
        device: torch device, for example ``cpu`` or ``cuda:0``.
        precision: of the encoder's own arithmetic; front ends stay in float32.
        trust_remote_code: whether code from the Hub may run.
    """

    name: str
    place: str
    record: EncoderRecord | None = None
    revision: str = "main"
    device: str = "cpu"
    precision: Precision = "float32"
    trust_remote_code: bool = False


def open_encoder(
    encoder: str, *, device: str = "cpu", precision: Precision = "float32", trust_remote_code: bool = False
) -> Encoder:
    """Return an encoder, ready to encode.

    Args:
        encoder: id of a record; ``id=weights`` to read the weights of a record from a file or folder of one's own; a
            folder that `save_pretrained` wrote; a Hub id, with ``@revision`` if one is wanted; or ``module:function``
            / ``file.py:function``, a function float32 (n,) at 16 kHz -> (T, D) or (D,). A folder called like a record
            is meant by ``./folder``.
        device: torch device.
        precision: see `Opening`.
        trust_remote_code: see `Opening`.

    Raises:
        UnknownNameError: no such encoder; near names are listed.
        EncoderError: the weights cannot be read or do not fit.
        ExtraError: a package is missing.
    """
    record, opening = resolve(encoder, device=device, precision=precision, trust_remote_code=trust_remote_code)
    name = record.family if record else family_of(opening)
    return import_module(f"{families.__name__}.{name}").open(opening)


def resolve(encoder: str, **settings: Any) -> tuple[EncoderRecord | None, Opening]:
    """Return the record that a name means, if it means one, and what its family needs to open it; opens nothing.

    Args:
        encoder: see `open_encoder`.
        settings: other fields of `Opening`.

    Raises:
        UnknownNameError: no such encoder; near names are listed.
        EncoderError: there is no such file or folder.
    """
    record, equals, weights = encoder.partition("=")
    path = Path(encoder).expanduser()
    if equals and not path.exists() and "/" not in record:
        known, place = registry.load(record), Path(weights).expanduser()
        if not place.exists():
            raise EncoderError(f"Encoder {encoder}: there is no file or folder {weights!r}. Check the path.")
        return known, Opening(name=known.id, place=str(place), record=known, **settings)
    if encoder not in registry.ids() and (own := _of_ones_own(encoder, path, settings)):
        return None, own
    known = registry.load(encoder)
    settings = {"revision": known.revision} | settings
    return known, Opening(name=known.id, place=known.checkpoint, record=known, **settings)


def family_of(opening: Opening) -> str:
    """Return the family that opens what has no record: a function, or what its config.json says.

    Raises:
        EncoderError: there is no such checkpoint, or no family opens it.
    """
    folder = Path(opening.place).expanduser()
    if folder.is_dir():
        path = folder / "config.json"
        if not path.is_file():
            raise EncoderError(
                f"Encoder {opening.name}: a folder must hold config.json, as save_pretrained writes it; "
                f"{opening.place} has none. For weights alone, say which encoder's they are: id=weights."
            )
    elif _FUNCTION.fullmatch(opening.place):
        return "function"
    else:
        path = hub_file(opening, "config.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        model_type = config.get("model_type")
    except (ValueError, AttributeError) as error:
        raise EncoderError(
            f"Encoder {opening.name}: config.json must be a JSON object; {error}. Save the checkpoint again."
        ) from error
    supported = _model_types()
    if model_type in supported:
        return supported[model_type]
    if config.get("auto_map") and not opening.trust_remote_code:
        raise EncoderError(
            f"Encoder {opening.name}: is a model of code of its own ({model_type}), which its repository brings along. "
            "--trust-remote-code runs that code on this machine with all your rights: read it first."
        )
    if config.get("auto_map"):
        return "waveform"
    raise EncoderError(
        f"Encoder {opening.name}: no family opens the model_type {model_type!r}.{near(str(model_type), supported)} "
        f"These can be opened: {', '.join(sorted(supported))}; anything else as a function, file.py:function."
    )


def _of_ones_own(encoder: str, path: Path, settings: dict[str, Any]) -> Opening | None:
    """Return how to open a folder, Hub id or function; None for what can only be the id of a record."""
    if path.is_dir():
        return Opening(name=path.resolve().name, place=str(path), **settings)
    if path.is_file():
        raise EncoderError(
            f"Encoder {encoder}: is a file; weights need to be told whose they are. Say id={encoder}, with an id that "
            "`serbench encoders` lists, or name a folder."
        )
    if _FUNCTION.fullmatch(encoder) and "://" not in encoder:
        place, _, function = encoder.rpartition(":")
        return Opening(name=f"{Path(place).name}:{function}", place=encoder, **settings)
    if found := _HUB_ID.fullmatch(encoder):
        revision = {"revision": found[2]} if found[2] else {}
        return Opening(name=found[1], place=found[1], **revision | settings)
    if "/" in encoder:
        raise EncoderError(f"Encoder {encoder}: there is no such folder, and a Hub id has one slash. Check the path.")
    return None


@cache
def _model_types() -> dict[str, str]:
    """Return which family opens which model_type of a config.json."""
    found: dict[str, str] = {}
    for one in iter_modules(families.__path__):
        module = import_module(f"{families.__name__}.{one.name}")
        found |= dict.fromkeys(getattr(module, "MODEL_TYPES", ()), one.name)
    return found
