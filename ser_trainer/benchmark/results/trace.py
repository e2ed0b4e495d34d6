"""Trace: what a reproduced cell was made of, from which anybody rebuilds what was printed, without audio or encoder.

A digest shows that something was changed, not who wrote it: a trace is worth what the place is where its digest was
published.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from loading_scripts.errors import SerbenchError
from loading_scripts.listing import split_hash
from ser_metrics.core import confusion

from ..cache import contents
from ..corpora import CorpusRows
from ..lines import features_hash
from ..plan import Plan
from ..study import Study
from .line import Line, Results, ResultsError
from .reproduce import Published, comparison, find
from .stored import Stored

FOLDER = "traces"
"""Folder of the traces in a folder of results."""

_FORMAT = 1

_UTTERANCES = "utterances of "

_SAME = ("variant", "split", "features", "options", "versions", "hyperparameters", "confusion_matrix")
"""What is compared of two lines about the same experiment."""


class TraceError(SerbenchError, ValueError):
    """A trace is missing, is none, or was changed."""


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Args:
        text: what was printed, rebuilt; empty where something is wrong.
        digest: digest of the trace; empty where it cannot be read.
        faults: what is wrong, a sentence each.
    """

    text: str
    digest: str
    faults: tuple[str, ...]


def made_of(study: Study, planned: Plan, corpora: Sequence[CorpusRows]) -> dict[str, Any]:
    """Return what a cell is made of, known before anything is trained: in words -> hash, number or version.

    Args:
        study: the study that runs it.
        planned: its plan.
        corpora: its corpora; the last one tests.
    """
    found: dict[str, Any] = {}
    for corpus in corpora:
        audio = study.contents(corpus)
        found |= {f"audio of {corpus.id}": audio.hash, f"{_UTTERANCES}{corpus.id}": len(corpus.ids)}
    tested = corpora[-1]
    for config in dict.fromkeys(config for each in planned.cells for _, config, *_ in each.cell.lines):
        if config in tested.configs:
            found[f"split {config} of {tested.id}"] = split_hash(tested.split(config))
    identity = study.encoder.encoder.identity
    if not study.encoder.fits:  # else statistics of each training part are in it; the lines have it
        found["features"] = features_hash(identity, planned.cells[0].setting.layers)
    return found | {f"encoder, {name}": value for name, value in identity.items()}


def utterances(made: Mapping[str, Any]) -> dict[str, int]:
    """Return corpus -> how many utterances were there; `made` is that of `made_of`."""
    return {name.removeprefix(_UTTERANCES): number for name, number in made.items() if name.startswith(_UTTERANCES)}


def write(
    published: Published, stored: Sequence[Stored], fold: int | None, made: Mapping[str, Any], results: Results
) -> Path:
    """Write the trace of a cell beside its results, and return its file.

    Args:
        published: the cell.
        stored: its lines.
        fold: the only fold that was run, None for all.
        made: see `made_of`.
        results: the folder.
    """
    variant = stored[0].line.variant
    body = {
        "format": _FORMAT,
        "cell": published.address,
        "variant": variant,
        "fold": fold,
        "published": _printed(published),
        "made_of": made,
        "lines": [asdict(one.line) for one in stored],
        "predictions": {
            one.line.id: sha256(results.predictions_file(one.line).read_bytes()).hexdigest() for one in stored
        },
        "told": comparison(published, stored, utterances(made), fold).text(),
    }
    name = f"{published.address}-{variant}" + (f"-fold{fold}" if fold else "")
    place = results.folder / FOLDER / f"{contents.file_name(name)}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(body | {"digest": digest(body)}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(place)
    return place


def digest(trace: Mapping[str, Any]) -> str:
    """Return the sha256 of all of a trace but its digest, as JSON with sorted keys."""
    body = {name: value for name, value in trace.items() if name != "digest"}
    return sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read(place: Path) -> dict[str, Any]:
    """Return a trace whose digest is right.

    Raises:
        TraceError: it is missing, is none, or was changed after it was written.
    """
    try:
        trace = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TraceError(f"Trace {place}: cannot be read; {error}. `serbench reproduce` writes one.") from error
    if not isinstance(trace, dict) or trace.get("format") != _FORMAT:
        raise TraceError(f"Trace {place}: must be of format {_FORMAT}, as this version of serbench writes it.")
    if trace.get("digest") != digest(trace):
        raise TraceError(
            f"Trace {place}: was changed after it was written: its contents give the digest {digest(trace)}, it says "
            f"{trace.get('digest')}. Ask for the original."
        )
    return trace


def check(place: Path, results: Results) -> Checked:
    """Rebuild what was printed from stored predictions, and say what is missing or was changed.

    Args:
        place: the trace.
        results: the folder with its lines and predictions.
    """
    try:
        trace = read(place)
    except TraceError as error:
        return Checked("", "", (str(error),))
    try:
        published = find(trace["cell"])
        lines = [Line(**one) for one in trace["lines"]]
        faults = [*_foreign(trace, published), *_lines(lines, results), *_predictions(lines, trace, results)]
        if faults:
            return Checked("", trace["digest"], tuple(faults))
        stored = [Stored(_counted(one, results), results) for one in lines]
        text = comparison(published, stored, utterances(trace["made_of"]), trace["fold"]).text()
        if text != trace["told"]:
            faults = [f"Trace {place}: tells something else than its predictions give, which is:\n{text}"]
    except (KeyError, TypeError, ValueError) as error:  # written by other hands, with a digest that is right
        return Checked("", trace["digest"], (f"Trace {place}: is none that serbench writes; {error!r}.",))
    return Checked("" if faults else text, trace["digest"], tuple(faults))


def differences(then: Mapping[str, Any], published: Published, made: Mapping[str, Any]) -> list[str]:
    """Return what a cell is made of here and was not when a trace was written, a sentence each; see `made_of`.

    Raises:
        TraceError: the trace is of another cell.
    """
    if then["cell"] != published.address:
        raise TraceError(f"Trace of {then['cell']}: must be of {published.address}. Name another one with --against.")
    was = then["made_of"]
    names = [*was, *(name for name in made if name not in was)]
    return [
        f"{name}: was {was.get(name, 'not there')}, is {made.get(name, 'not there')}"
        for name in names
        if was.get(name) != made.get(name)
    ]


def outcome_differences(then: Mapping[str, Any], stored: Sequence[Stored]) -> list[str]:
    """Return how lines differ from those of a trace, a sentence each."""
    was = {
        (one.corpus, one.config, one.layer, one.head, one.seed): one for one in (Line(**held) for held in then["lines"])
    }
    told = []
    for one in stored:
        line = _plain(one.line)
        before = was.get((line.corpus, line.config, line.layer, line.head, line.seed))
        if before is None:
            told.append(f"{line.id}: is not in the trace")
            continue
        differ = [name for name in _SAME if getattr(line, name) != getattr(before, name)]
        if differ:
            told.append(f"{line.id}: other {', '.join(name.replace('_', ' ') for name in differ)}")
    return told


def _printed(published: Published) -> dict[str, Any]:
    values = [[one.metric, one.percent, one.reading] for one in published.values]
    return {"table": published.table, "row": published.row, "values": values}


def _plain(line: Line) -> Line:
    """Return a line as it is after it was stored: tuples are lists."""
    return Line(**json.loads(json.dumps(asdict(line))))


def _foreign(trace: Mapping[str, Any], published: Published) -> list[str]:
    """Return whether a trace says something else of the paper than our table."""
    if trace["published"] == _printed(published):
        return []
    return [f"Trace of {published.address}: says {trace['published']} of the paper; printed is {_printed(published)}."]


def _lines(lines: Sequence[Line], results: Results) -> list[str]:
    """Return which lines the folder lacks, or has otherwise."""
    try:
        held = {line.id: line for line in results.lines()}
    except ResultsError as error:
        return [str(error)]
    if not held:
        return [f"Results {results.folder}: results.jsonl is missing or empty."]
    return [
        f"Result {line.id}: is missing in {results.folder}."
        if line.id not in held
        else f"Result {line.id} in {results.folder}: is not the line of the trace; it was changed, or run again."
        for line in lines
        if held.get(line.id) != line
    ]


def _predictions(lines: Sequence[Line], trace: Mapping[str, Any], results: Results) -> list[str]:
    """Return which predictions are missing, changed, or not those that the line counts."""
    found = []
    for line in lines:
        place = results.predictions_file(line)
        if not place.is_file():
            found.append(f"Predictions {place} of {line.id}: are missing.")
        elif sha256(place.read_bytes()).hexdigest() != trace["predictions"][line.id]:
            found.append(f"Predictions {place} of {line.id}: were changed after the trace was written.")
        elif _counted(line, results).confusion_matrix != line.confusion_matrix:
            found.append(f"Predictions {place} of {line.id}: do not give the confusion matrix of the line.")
    return found


def _counted(line: Line, results: Results) -> Line:
    """Return a line whose matrix is counted from its stored predictions."""
    rows = results.predictions(line)
    matrix, _ = confusion([one.prediction for one in rows], [one.reference for one in rows], labels=list(line.classes))
    return replace(line, confusion_matrix=matrix.tolist())
