"""Corpora for benchmarks: all rows of a corpus once, and the splits of its configs by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

import loading_scripts  # noqa: F401  makes serbench/... known to load_dataset
from loading_scripts import registry
from loading_scripts.errors import SerbenchError
from loading_scripts.obtain import fetched
from loading_scripts.raw import DATA_VARIABLE

_COLUMNS = (
    "emotion",
    "canonical",
    "native",
    "unified8",
    "arousal_valence",
    "speaker",
    "gender",
    "language",
    "duration",
)


class CorpusError(SerbenchError, ValueError):
    """A corpus cannot be loaded, or lacks what a protocol needs."""


@dataclass(frozen=True, eq=False)
class CorpusRows:
    """A corpus as benchmarks see it, from whatever door `load_dataset` finds.

    Args:
        id: id of its record, or the name of a user's own.
        dataset: what `load_dataset` is given.
        data_dir: raw folder, None where none is needed.
        rows: config `all`: columns `id`, `audio` (undecoded) and the labels.
        configs: names of its configs.
        splits: config -> split -> ids, for those that were asked for.
    """

    id: str
    dataset: str
    data_dir: str | None
    rows: datasets.Dataset
    configs: tuple[str, ...]
    splits: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of all utterances, in the order of the rows."""
        return tuple(self.rows.select_columns(["id"])["id"][:])

    @cached_property
    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """Id -> its labels as names, speaker, gender, language and duration (seconds)."""
        names = [name for name in _COLUMNS if name in self.rows.column_names]
        columns = self.rows.select_columns(names).with_format("arrow")[:].to_pydict()
        for name in names:
            feature = self.rows.features[name]
            if isinstance(feature, datasets.ClassLabel):
                columns[name] = [None if one is None else feature.names[one] for one in columns[name]]
        absent = dict.fromkeys(_COLUMNS)
        return {one: absent | {name: columns[name][at] for name in names} for at, one in enumerate(self.ids)}

    def classes(self, target: str) -> list[str]:
        """Return the classes of a label column, in order; for a column of strings, those that occur, sorted."""
        feature = self.rows.features.get(target)
        if isinstance(feature, datasets.ClassLabel):
            return list(feature.names)
        return sorted({one[target] for one in self.facts.values() if one[target] is not None})

    def split(self, config: str) -> dict[str, tuple[str, ...]]:
        """Return split -> ids of a config.

        Raises:
            CorpusError: there is no such config.
        """
        if config not in self.splits:
            if config not in self.configs:
                raise CorpusError(
                    f"Corpus {self.id}: has no config {config!r}. Configs: {', '.join(self.configs)}. Choose another "
                    "protocol for it, or another corpus."
                )
            loaded = load(self.dataset, config, self.data_dir)
            self.splits[config] = {name: tuple(rows.select_columns(["id"])["id"][:]) for name, rows in loaded.items()}
        return self.splits[config]

    def folds(self) -> list[str]:
        """Return fold1, fold2 ... in order; empty where it has none."""
        numbers = [name.removeprefix("fold") for name in self.configs if name.startswith("fold")]
        return [f"fold{number}" for number in sorted(int(one) for one in numbers if one.isdigit())]


def load(dataset: str, config: str, data_dir: str | None) -> datasets.DatasetDict:
    """Return a config of a corpus; what `datasets` refuses becomes a `CorpusError`."""
    try:
        return datasets.load_dataset(dataset, config, **_given(data_dir))
    except SerbenchError:
        raise
    except (DatasetGenerationError, DatasetNotFoundError, OSError, ValueError) as error:  # datasets' own refusals
        raise CorpusError(f"Corpus {dataset}, config {config}: {error}") from error


def open_corpora(names: Sequence[str], folders: Sequence[str] = ()) -> list[CorpusRows]:
    """Return corpora with all their rows.

    Args:
        names: ids of records, or anything that `load_dataset` takes and that has serbench's columns.
        folders: raw folder of each, in the same order; ``-`` where none is needed. Empty: none is.

    Raises:
        CorpusError: a corpus cannot be loaded or is given twice, or the folders do not go with the corpora.
        UnknownNameError: there is no such corpus.
    """
    if len(set(names)) < len(names):
        raise CorpusError(f"--corpora: each corpus once; given {' '.join(names)}.")
    if folders and len(folders) != len(names):
        raise CorpusError(
            f"--raw: stands once for each of {len(names)} corpora, in order; found it {len(folders)} times. "
            "Write - where none is needed."
        )
    for name in names:  # an unknown one is refused with near names before another is loaded, and the Hub is not asked
        if "/" not in name and not Path(registry.NAMESPACE, name).is_dir():
            registry.load(name)
    datasets.disable_progress_bars()  # a study has one bar, of its own
    paired = zip(names, folders or ["-"] * len(names), strict=True)
    return [_open(name, None if folder == "-" else folder) for name, folder in paired]


def at_hand(names: Sequence[str]) -> list[str]:
    """Return those of the corpora that are on this machine: built, in $SERBENCH_DATA, or downloaded.

    Raises:
        CorpusError: none is.
    """
    found = [
        name
        for name in names
        if Path(registry.NAMESPACE, name).is_dir() or fetched(registry.load(name).CORPUS) is not None
    ]
    if not found:
        raise CorpusError(
            f"--corpora: of the paper's corpora ({', '.join(names)}) none is in ./{registry.NAMESPACE}, "
            f"${DATA_VARIABLE} or downloaded. Name those you have, with --raw; or try it on another: --corpora demo."
        )
    return found


def _open(name: str, data_dir: str | None) -> CorpusRows:
    dataset = name if "/" in name else f"{registry.NAMESPACE}/{name}"
    rows = load(dataset, "all", data_dir)
    if list(rows) != ["train"]:
        raise CorpusError(f"Corpus {name}: config all has one split, train; this one has {', '.join(rows)}.")
    table = rows["train"]
    missing = [one for one in ("id", "audio", "emotion") if one not in table.column_names]
    if missing:
        raise CorpusError(
            f"Corpus {name}: benchmarks need the columns id, audio and emotion; {', '.join(missing)} is missing. "
            "`serbench build NAME --raw FOLDER --metadata TABLE` makes such a corpus from a table."
        )
    undecoded = table.cast_column("audio", datasets.Audio(decode=False))
    configs = tuple(datasets.get_dataset_config_names(dataset, **_given(data_dir)))
    return CorpusRows(name.rpartition("/")[2], dataset, data_dir, undecoded, configs)


def _given(data_dir: str | None) -> dict[str, str]:
    return {} if data_dir is None else {"data_dir": data_dir}
