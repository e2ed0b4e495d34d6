"""What weights are learned from, corpora and a base model, and their terms."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets import Dataset
from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub import ModelCard as HubCard

from loading_scripts import registry
from loading_scripts.errors import SerbenchError
from model_cards.card import TrainingCorpus
from model_cards.licence import Source, stated, without_commercial_use

logger = logging.getLogger(__name__)

_SECONDS = 5  # to wait for the Hub to tell a licence


class LicenceError(SerbenchError, ValueError):
    """A training corpus or a base model does not clearly allow what is asked for."""


def training_corpus(dataset: str, config: str, rows: Dataset) -> TrainingCorpus:
    """Return what a card says of a training set, from the record of the corpus, or from the data set's own info.

    Args:
        dataset: id, for example ``serbench/urdu``, or a folder.
        config: config.
        rows: the training split, after rows without a label were left out.
    """
    known = {"dataset": without_folder(dataset), "config": config, "utterances": len(rows)}
    corpus = record_id(dataset)
    if corpus is None:
        told = stated(without_folder(dataset), rows.info.license, homepage=rows.info.homepage or "")
        return TrainingCorpus(**vars(told), **known)
    record = registry.load(corpus).CORPUS
    return TrainingCorpus(
        name=record.name,
        languages=record.languages,
        licence=record.licence.id,
        commercial=record.licence.commercial.value,
        redistribution=record.licence.redistribution.value,
        note=record.licence.note,
        homepage=record.homepage,
        traps=record.traps,
        rating_scale=record.rating_scale,
        **known,
    )


def base_model_source(base_model: str) -> Source:
    """Return the terms of a base model as far as its card tells: in its folder, in the cache, or on the Hub.

    Nothing is asked of the Hub offline, and it is not waited for.

    Args:
        base_model: folder or Hub id.
    """
    folder = Path(base_model).expanduser()
    if folder.is_dir():
        return stated(folder.resolve().name, _licence_in(folder / "README.md"), "as the card in its folder states")
    licence = None
    try:
        cached = try_to_load_from_cache(base_model, "README.md")
        licence = _licence_in(Path(cached)) if isinstance(cached, str) else None
        licence = licence or _licence(HfApi().model_info(base_model, timeout=_SECONDS).card_data)
    except Exception as error:  # offline, unknown, private, slow: no reason to stop a training
        logger.info("Licence of %s: unknown, as the Hub did not tell (%s).", base_model, type(error).__name__)
    return stated(base_model, licence, "as its card states", f"https://huggingface.co/{base_model}")


def check_commercial(sources: Iterable[Source]) -> None:
    """Refuse sources that do not clearly allow commercial use, for ``--only_commercial``.

    Raises:
        LicenceError: names all of them.
    """
    refused = without_commercial_use(sources)
    if refused:
        each = ", ".join(f"{one.name} (licence {one.licence}, commercial use {one.commercial})" for one in refused)
        raise LicenceError(
            f"--only_commercial: every training corpus and the base model must clearly allow commercial use; not so "
            f"{each}. Train without them, or ask their owners and leave the flag out."
        )


def record_id(dataset: str) -> str | None:
    """Return the id of the record of a data set, by name or folder ``serbench/<id>``, None if there is none."""
    namespace, corpus = ("", *Path(dataset).parts)[-2:]
    return corpus if namespace == registry.NAMESPACE and corpus in registry.ids() else None


def without_folder(word: str) -> str:
    """Return a word of a command line with an absolute path shortened to its last part."""
    name, equals, value = word.rpartition("=")
    path = Path(value).expanduser()
    return f"{name}{equals}{path.name or '/'}" if path.is_absolute() else word


def _licence_in(path: Path) -> str | None:
    try:
        return _licence(HubCard.load(path, ignore_metadata_errors=True).data)
    except Exception:  # no such file, no front matter, no YAML: huggingface_hub promises no class of error
        return None


def _licence(data: Any) -> str | None:
    """Return what the front matter of a card calls its licence; of ``other``, the name beside it."""
    licence = data.get("license") if data else None
    if licence == "other":
        return data.get("license_name") or "other"
    return ", ".join(map(str, licence)) if isinstance(licence, list) else licence
