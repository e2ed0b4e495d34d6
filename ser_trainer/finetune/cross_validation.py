"""Cross-validation: a pattern among the configs of a corpus asks for one training for each fold."""

import fnmatch
from dataclasses import replace

import datasets

import loading_scripts  # noqa: F401  makes serbench/... known to datasets

from .arguments import CorpusArguments
from .corpora import FoldError


def folds(data: CorpusArguments) -> list[CorpusArguments]:
    """Return the arguments of each training that `data` asks for: one, or one for each config that a pattern matches.

    Raises:
        FoldError: a pattern stands beside other corpora, or matches fewer than two configs.
    """
    patterns = [name for name in data.corpora if "*" in name.partition(":")[2]]
    if not patterns:
        return [data]
    if len(data.corpora) > 1:
        raise FoldError(
            f"--corpora {' '.join(data.corpora)}: cross-validation takes one corpus at a time; folds of several do not "
            f"belong together. Name {patterns[0]} alone."
        )
    dataset, _, pattern = patterns[0].partition(":")
    known = {} if data.data_dir in (None, ["-"]) else {"data_dir": data.data_dir[0]}
    try:
        offered = datasets.get_dataset_config_names(dataset, **known)
    except (OSError, ValueError) as error:
        raise FoldError(f"--corpora {patterns[0]}: {error}") from error
    found = [name for name in offered if fnmatch.fnmatch(name, pattern)]
    if len(found) < 2:
        raise FoldError(
            f"--corpora {patterns[0]}: cross-validation needs two configs or more; {found or 'none'} match. "
            f"Configs: {', '.join(offered)}."
        )
    return [replace(data, corpora=[f"{dataset}:{name}"]) for name in found]
