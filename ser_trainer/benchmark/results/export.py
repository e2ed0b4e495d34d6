"""Results for the Hub: lines as the model-index of a model card."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult
from huggingface_hub.repocard import metadata_load, metadata_save
from huggingface_hub.repocard_data import eval_results_to_model_index

from loading_scripts import registry
from loading_scripts.errors import SheetError
from model_cards.model_scores import METRICS

from .line import Line
from .outcomes import METRICS as SCORES
from .outcomes import pair

SOURCE = "https://huggingface.co/serbench"
"""Where the corpora and their configs are."""

_ODD = re.compile(r"[^A-Za-z0-9_.-]+")  # what the Hub refuses in the name of a data set


def eval_results(lines: Iterable[Line]) -> list[EvalResult]:
    """Return UA, WA and macro F1 of each line as fractions, computed from its confusion matrix."""
    found = []
    for line in lines:
        corpus = pair(line.corpus)[1] or line.corpus
        arguments: dict[str, Any] = {"protocol": line.protocol, "variant": line.variant}
        if corpus != line.corpus:
            arguments["trained_on"] = pair(line.corpus)[0]
        arguments |= {"layer": str(line.layer), "head": line.head, "seed": line.seed, **line.options}
        arguments |= {"split_hash": line.split, "exposure": line.exposure}
        for metric in SCORES:
            found.append(
                EvalResult(
                    task_type="audio-classification",
                    task_name="Speech emotion recognition",
                    dataset_type=f"{registry.NAMESPACE}/{_ODD.sub('-', corpus)}",
                    dataset_name=registry.load(corpus).CORPUS.name if corpus in registry.ids() else corpus,
                    dataset_config=line.config,
                    dataset_split="test",
                    metric_type=metric,
                    metric_name=METRICS[metric],
                    metric_value=round(line.scores[metric], 4),
                    metric_args=arguments,
                    source_name="serbench",
                    source_url=SOURCE,
                )
            )
    return found


def merge_into_card(path: Path, results: Sequence[EvalResult], name: str) -> None:
    """Merge results into the model-index of a card; all else of it stays. A card that is not there is made.

    A value that the card has for the same corpus, config, split, metric and arguments is replaced.

    Args:
        path: README.md of the model.
        results: what `eval_results` returned.
        name: name of the model, for a card that has none.

    Raises:
        SheetError: the front matter is no YAML that can be merged into.
    """
    try:
        data = (metadata_load(path) if path.exists() else None) or {}
    except (ValueError, yaml.YAMLError) as error:
        raise SheetError(f"Card {path}: its front matter must be YAML; {error}. Mend it, and export again.") from error
    index = data.setdefault("model-index", [{"name": name, "results": []}])
    ours = eval_results_to_model_index(name, list(results))[0]["results"]
    try:
        merged = index[0].setdefault("results", [])
        for result in ours:
            _merge(merged, result)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise SheetError(
            f"Card {path}: model-index must be a list of models with name and results; {error!r}. Mend it, and export "
            "again."
        ) from error
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(path.read_bytes() if path.exists() else b"")
    metadata_save(part, data)
    part.replace(path)


def _merge(merged: list[dict[str, Any]], result: dict[str, Any]) -> None:
    """Put the metrics of one corpus and config into those of a card."""
    for there in merged:
        if _place(there) == _place(result):
            replaced = {_measure(one) for one in result["metrics"]}
            kept = [one for one in there["metrics"] if _measure(one) not in replaced]
            there["metrics"] = [*kept, *result["metrics"]]
            return
    merged.append(result)


def _place(result: Mapping[str, Any]) -> tuple[Any, ...]:
    data = result["dataset"]
    return (
        result["task"]["type"],
        *(data.get(name) for name in ("type", "config", "split", "revision")),
        result.get("source", {}).get("name"),
    )


def _measure(metric: Mapping[str, Any]) -> tuple[str, str]:
    """Return type and arguments; hashes do not tell measures apart, a new one replaces an old value."""
    arguments = {
        name: value for name, value in (metric.get("args") or {}).items() if name not in ("split_hash", "exposure")
    }
    return metric["type"], repr(sorted(arguments.items(), key=str))
