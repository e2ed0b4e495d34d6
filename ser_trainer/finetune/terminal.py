"""What a terminal shows of a training: log, progress, errors without a traceback, scores."""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev

from datasets import disable_progress_bars
from transformers.utils.logging import disable_progress_bar

from loading_scripts.errors import SerbenchError
from model_cards.model_scores import METRICS, SplitScores

from .arguments import SerTrainingArguments


def listen(args: SerTrainingArguments) -> None:
    """Let the first process tell what it does; bars of other libraries obey --disable_tqdm too."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ser_trainer").setLevel(logging.INFO if args.process_index == 0 else logging.ERROR)
    if args.disable_tqdm:
        disable_progress_bar()
        disable_progress_bars()


def run_script(main: Callable[[], None], name: str) -> None:
    """Run a script; what a user can mend is printed once, without a traceback, and the exit code is 2."""
    try:
        main()
    except SerbenchError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)


def score_table(results: Sequence[SplitScores], folds: bool = False) -> str:
    """Return the test scores: rates in percent, concordance of ratings as it is.

    Args:
        results: scores of each split, all of classes or all of ratings.
        folds: whether they are folds of one corpus, so that mean and standard deviation mean something.
    """
    metrics, scale, digits = _printed(results[0])
    head = "test, %" if scale == 100 else "test"
    lines = [
        (f"{one.dataset}:{one.config}", str(one.scores["n"]), [one.scores[name] for name in metrics]) for one in results
    ]
    if len(results) > 1:
        summary = _mean_and_sd(results, metrics)
        lines.append(("mean", "", [summary[name][0] for name in metrics]))
        if folds:
            lines.append(("standard deviation", "", [summary[name][1] for name in metrics]))
    width = max(len(head), *(len(name) for name, _, _ in lines))
    text = [f"{head:{width}} {'n':>5}" + "".join(f"{name.upper():>7}" for name in metrics)]
    for name, number, values in lines:
        text.append(f"{name:{width}} {number:>5}" + "".join(f"{scale * value:7.{digits}f}" for value in values))
    return "\n".join(text)


def variant_table(results: Mapping[str, Sequence[SplitScores]]) -> str:
    """Return mean and standard deviation over seeds of each variant of a model, as `score_table` prints them."""
    metrics, scale, digits = _printed(next(iter(results.values()))[0])
    width = max(map(len, results))
    text = [f"{'':{width}} seeds" + "".join(f"{name.upper():>15}" for name in metrics)]
    for name, runs in results.items():
        summary = _mean_and_sd(runs, metrics)
        cells = [
            f"{scale * mean:.{digits}f}" + (f" +- {scale * sd:.{digits}f}" if len(runs) > 1 else "")
            for mean, sd in summary.values()
        ]
        text.append(f"{name:{width}} {len(runs):>5}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(text)


def _printed(one: SplitScores) -> tuple[list[str], int, int]:
    """Return which scores are printed, times what, with how many digits."""
    rates = [name for name in METRICS if name in one.scores]
    return (rates, 100, 1) if rates else (["ccc"], 1, 3)


def _mean_and_sd(results: Sequence[SplitScores], metrics: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation (n - 1; 0 for a single result) of each metric."""
    values = {metric: [one.scores[metric] for one in results] for metric in metrics}
    return {metric: (fmean(one), stdev(one) if len(one) > 1 else 0.0) for metric, one in values.items()}
