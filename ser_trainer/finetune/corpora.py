"""Corpora for training: a name such as ``serbench/urdu:fold1`` becomes a training, a test and a validation split."""

from collections.abc import Sequence
from dataclasses import dataclass

import datasets
import numpy as np
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

import loading_scripts  # noqa: F401  makes serbench/... known to load_dataset
from loading_scripts.errors import SerbenchError
from loading_scripts.partitions import validation


class FoldError(SerbenchError, ValueError):
    """A corpus cannot be loaded, or its config is not made for training."""


@dataclass(frozen=True)
class Fold:
    """One config of one corpus.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config, for example ``fold1``.
        train: training rows.
        test: test rows.
        valid: validation rows, None if none were asked for.
    """

    dataset: str
    config: str
    train: datasets.Dataset
    test: datasets.Dataset
    valid: datasets.Dataset | None = None

    @property
    def name(self) -> str:
        """Data set and config, as on the command line."""
        return f"{self.dataset}:{self.config}"


def load_folds(names: Sequence[str], data_dirs: Sequence[str] | None = None, validate: bool = False) -> list[Fold]:
    """Load corpora.

    Args:
        names: ``dataset:config`` each, all different.
        data_dirs: raw folder of each, in the same order; ``-`` where none is needed.
        validate: whether validation rows are needed. They come from the config's own split, else from train.

    Raises:
        FoldError: a name has no config, a config has no training or test split, or loading failed.
    """
    data_dirs = data_dirs or ["-"] * len(names)
    if len(data_dirs) != len(names):
        raise FoldError(
            f"--data_dir: one folder for each of {len(names)} corpora; {len(data_dirs)} given. "
            "Write - where none is needed."
        )
    if len(set(names)) < len(names):
        raise FoldError(f"--corpora: each corpus once; given {' '.join(names)}.")
    return [
        _load(name, None if folder == "-" else folder, validate) for name, folder in zip(names, data_dirs, strict=True)
    ]


def _load(name: str, data_dir: str | None, validate: bool) -> Fold:
    dataset, _, config = name.partition(":")
    try:
        if not config:
            offered = datasets.get_dataset_config_names(dataset, **({"data_dir": data_dir} if data_dir else {}))
            raise FoldError(
                f"--corpora {name}: needs a config, as {dataset}:{offered[-1]}. Configs: {', '.join(offered)}."
            )
        splits = datasets.load_dataset(dataset, config, data_dir=data_dir)
    except SerbenchError:
        raise
    except (DatasetGenerationError, DatasetNotFoundError, OSError, ValueError) as error:  # datasets' own refusals
        raise FoldError(f"--corpora {name}: {error}") from error
    if not {"train", "test"} <= set(splits):
        raise FoldError(
            f"--corpora {name}: training needs a config with train and test; this one has {', '.join(splits)}. "
            "`serbench corpora` lists the configs."
        )
    train, valid = splits["train"], splits.get("validation")
    if validate and valid is None:
        train, valid = _held_out(dataset, train)
    return Fold(dataset, config, train, splits["test"], valid if validate else None)


def _held_out(dataset: str, rows: datasets.Dataset) -> tuple[datasets.Dataset, datasets.Dataset]:
    """Return what keeps training and what validates: whole speakers where there are enough."""
    columns = rows.select_columns(["id", "speaker"])
    taken = np.array(validation(dataset.rpartition("/")[2], columns["id"][:], columns["speaker"][:]))
    return rows.select(np.flatnonzero(~taken)), rows.select(np.flatnonzero(taken))
