"""Tables 1 and 2 of the ExHuBERT paper: our UAR beside the printed cells."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from model_cards.table import Table
from ser_metrics.published import NOTES, table

from ..results.beside import corpus_id
from ..results.line import Line
from .exhubert_recipe import TRANSFERS

COLUMNS = {
    "exhubert_table1": {
        ("xls_r_300m", "selection"): "W2V2 XLS-R 300M",
        ("xls_r_1b", "selection"): "W2V2 XLS-R 1B",
        ("whisper_medium", "selection"): "Whisper Medium",
        ("whisper_large_v3", "selection"): "Whisper Large v3",
        ("hubert_large_ls960_ft", "selection"): "HuBERT Large",
        ("hubert_xlarge_ls960_ft", "selection"): "HuBERT XLarge",
        ("hubert_large_ls960_ft", "emosetpp"): "HuBERT Large EmoSet++",
    },
    "exhubert_table2": {
        ("w2v2_emotion", "start-plain"): "W2V2 Emotion",
        ("xls_r_300m", "start-plain"): "W2V2 XLS-R",
        ("hubert_large_ls960_ft", "start-plain"): "HuBERT Large LS960",
        ("hubert_large_ls960_ft", "emosetpp-plain"): "HuBERT Large EmoSet++",
        ("hubert_large_ls960_ft", "start-frozen"): "ExHuBERT Large LS960",
        ("hubert_large_ls960_ft", "emosetpp-frozen"): "ExHuBERT Large EmoSet++",
        ("hubert_large_ls960_ft", "emosetpp-non_frozen"): "ExHuBERT Large Non-Frozen EmoSet++",
        ("hubert_large_ls960_ft", "emosetpp-two_copies"): "ExHuBERT XLarge EmoSet++",
    },
}
"""Table -> (encoder, head of our lines) -> column of the paper. Table 1's column for 83.7 % of EmoSet++ has no head of
ours: which corpora these are is not said."""

_HEADS = {"exhubert_table1": ("selection", "emosetpp"), "exhubert_table2": TRANSFERS}
_TITLES = {
    "exhubert_table1": "ExHuBERT, Table 1: fine-tuned on EmoSet (selection) and on EmoSet++, UAR in percent",
    "exhubert_table2": "ExHuBERT, Table 2: transfers to unseen corpora, UAR in percent",
}
_AVERAGE = "AVERAGE (printed)"
_MODEL = "hubert_large_ls960_ft"

System = tuple[str, str]
"""Encoder and head."""

Pair = tuple[Mapping[str, float], Mapping[str, float]]
"""Corpus -> UAR in percent, ours and theirs."""


def tables(lines: Iterable[Line]) -> list[Table]:
    """Return Tables 1 and 2 as far as there are lines: a row for each corpus, for each model ours and theirs.

    A printed column stands beside the same encoder; beside others, that of HuBERT Large in the same stage.

    Args:
        lines: of the protocol exhubert; others are left out.
    """
    own = [line for line in lines if line.protocol == "exhubert"]
    found = [_table(name, [line for line in own if line.head in heads]) for name, heads in _HEADS.items()]
    return [one for one in found if one is not None]


def printed(name: str, system: System) -> dict[str, float]:
    """Return corpus -> printed UAR in percent of the column beside a system; empty where there is none.

    >>> printed("exhubert_table2", ("hubert_large_ls960_ft", "emosetpp-frozen"))["aesi"]
    94.7
    """
    columns = COLUMNS[name]
    model = columns.get(system, columns[_MODEL, system[1]])
    return {
        _AVERAGE if row["corpus"] == _AVERAGE else corpus_id(row["corpus"]): float(row["uar"])
        for row in table(name)
        if row["model"] == model and row["uar"]
    }


def chosen(lines: Iterable[Line]) -> dict[str, float]:
    """Return encoder -> mean validation UAR of stage 1 over the corpora that all have, the best first.

    The paper goes on with the encoder whose test average is best; a test set that chooses is none any more.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for line in lines:
        if line.head == "selection":
            each = found.setdefault(line.encoder, {}).setdefault(line.corpus, [])
            each.append(line.grid[0]["validation"])
    if not found:
        return {}
    shared = set.intersection(*(set(each) for each in found.values()))
    reached = {name: fmean(fmean(each[one]) for one in shared) for name, each in found.items()} if shared else {}
    return dict(sorted(reached.items(), key=lambda one: -one[1]))


def _table(name: str, lines: Sequence[Line]) -> Table | None:
    if not lines:
        return None
    ours: dict[System, dict[str, list[float]]] = {}
    for line in lines:
        each = ours.setdefault((line.encoder, line.head), {})
        each.setdefault(line.corpus, []).append(100 * line.scores["ua"])
    heads = _HEADS[name]
    systems = sorted(ours, key=lambda one: (heads.index(one[1]), one[0]))
    pairs: list[Pair] = [
        ({corpus: fmean(values) for corpus, values in ours[one].items()}, printed(name, one)) for one in systems
    ]
    papers = [corpus_id(row["corpus"]) for row in table(name) if row["corpus"] != _AVERAGE]
    corpora = dict.fromkeys([*papers, *(corpus for each in ours.values() for corpus in each)])
    several = len({encoder for encoder, _ in systems}) > 1
    header = ["corpus"]
    for encoder, head in systems:
        header += [f"{encoder} {head}" if several else head, "printed"]
    rows = [[corpus, *(_shown(side.get(corpus)) for pair in pairs for side in pair)] for corpus in corpora]
    rows.append(["mean where both", *(cell for pair in pairs for cell in _means(*pair))])
    averages = [(_shown(fmean(own.values())), _shown(theirs.get(_AVERAGE))) for own, theirs in pairs]
    rows.append(["mean of all", *(cell for pair in averages for cell in pair)])
    return Table(title=_TITLES[name], header=header, rows=rows, notes=_notes(name, systems, lines))


def _means(own: Mapping[str, float], theirs: Mapping[str, float]) -> list[str]:
    """Return both means over the corpora that both have."""
    both = [corpus for corpus in own if corpus in theirs]
    return [_shown(fmean(side[corpus] for corpus in both) if both else None) for side in (own, theirs)]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _notes(name: str, systems: Sequence[System], lines: Sequence[Line]) -> list[str]:
    columns = COLUMNS[name]
    told = [
        "The paper's splits are not published, nor the labels of its 106 emotions in six classes: compare differences "
        "of some points, not digits."
    ]
    for encoder, head in systems:
        model = columns.get((encoder, head))
        if model is None:
            model = columns[_MODEL, head]
            told.append(f"{encoder} {head} has no printed column; beside it stands that of {model}.")
        if (name, model) in NOTES:
            told.append(f"The printed average of {model}: {NOTES[name, model]}.")
    for flag in dict.fromkeys(flag for line in lines for flag in line.flags if " corpora of EmoSet" in flag):
        told.append(f"{flag[0].upper()}{flag[1:]}.")
    best = chosen(lines)
    if len(best) > 1:
        ranked = ", ".join(f"{encoder} {100 * value:.1f}" for encoder, value in best.items())
        told.append(f"Validation UAR of stage 1: {ranked}. The first is the one to go on with: stages=2,3.")
    return told
