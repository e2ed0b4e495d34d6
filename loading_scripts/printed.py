"""Printed: what the papers whose tables `ser_metrics.published` holds score on a corpus."""

from collections.abc import Iterator, Mapping

from model_cards.dataset import PaperScores
from ser_metrics.published import table

from .corpus import Corpus

ALIASES = {"baum": "baum1", "eekk": "ekk", "iem4": "iemocap"}
"""Names in tables, in lower-case letters and digits, that are neither id nor name of their corpus."""

PAPERS = {
    "emobox": ("EmoBox, Ma et al. 2024", "https://arxiv.org/abs/2406.07162"),
    "ser_evals": ("SER Evals, Osman et al. 2024", "https://arxiv.org/abs/2408.07851"),
    "generalize": ("What Does it Take to Generalize, Ibrahim et al. 2024", "https://arxiv.org/abs/2406.09933"),
    "serab": ("SERAB, Scheidwasser-Clow et al. 2022", "https://arxiv.org/abs/2110.03414"),
    "exhubert": ("ExHuBERT, Amiriparian et al. 2024", "https://arxiv.org/abs/2406.10275"),
}
"""Paper, as in `corpus.PAPERS` -> how a card cites it, and where it is."""

_TRAINED = {"comb": "one model for all corpora", "separate": "a model of its own"}
_EMOTIONS = {"e4": "four emotions", "e5": "five emotions", "n": "all emotions"}
_SAMPLED = {"downsample": "undersampled", "original": "as it is", "smote": "SMOTE", "adasyn": "ADASYN"}


def printed(corpus: Corpus) -> list[PaperScores]:
    """Return what each paper that uses the corpus scores on it, best system first, cells as printed."""
    found = []
    for paper in corpus.papers:
        cited, address = PAPERS[paper]
        config, source, metrics, rows, note = _READERS[paper](corpus)
        ranked = sorted(rows, key=lambda row: -float(row[1]))
        found.append(
            PaperScores(
                paper=cited, url=address, source=source, config=config, metrics=metrics, rows=tuple(ranked), note=note
            )
        )
    return found


_Told = tuple[str, str, tuple[str, ...], list[tuple[str, ...]], str]
"""Config here or "", table, metrics, rows (system, then a cell for each metric), what must be known."""


def _emobox(corpus: Corpus) -> _Told:
    folds = [name for name in corpus.partitions if name.startswith("fold")]
    config = f"mean of {folds[0]} to {folds[-1]}" if len(folds) > 1 else "".join(folds)
    rows = [(row["model"], row["ua"], row["wa"], row["f1"]) for row in _of(corpus, "emobox_table4", "corpus")]
    return config, "Table 4 and its pages, a probe on frozen features", ("UA %", "WA %", "macro F1 %"), rows, ""


def _exhubert(corpus: Corpus) -> _Told:
    member = "emosetpp" in corpus.partitions  # of EmoSet++: Table 1; Table 2 has corpora that the models did not see
    name, source = ("1", "Table 1, one of EmoSet++") if member else ("2", "Table 2, not in EmoSet++: a new corpus")
    rows = [(row["model"], row["uar"]) for row in _of(corpus, f"exhubert_table{name}", "corpus") if row["uar"]]
    return "emosetpp" if member else "", source, ("UAR %",), rows, ""


def _generalize(corpus: Corpus) -> _Told:
    rows = []
    for line in _of(corpus, "generalize_table3", "dataset"):
        for column, cell in line.items():
            emotions, _, rest = column.partition("_")
            how, _, sampling = rest.partition("_")
            if how in _TRAINED and cell:
                system = f"{_TRAINED[how]}, {_EMOTIONS[emotions]} ({line[f'{emotions}_classes']} here)"
                system += f", {_SAMPLED[sampling]}" if sampling else ""
                rows.append((system, cell))
    note = "Some columns of the table repeat each other (ser_metrics/published/README.md)."
    return "generalize", "Table 3", ("WA %",), rows, note


def _serab(corpus: Corpus) -> _Told:
    code = next((row["code"] for row in _of(corpus, "serab_table1", "dataset")), None)
    rows = [(row["model"], row[code]) for row in table("serab_table3")] if code else []
    note = "Each is the best of five classifiers by accuracy on the test set itself."
    return "serab", "Table 3", ("accuracy %",), rows, note


def _serevals(corpus: Corpus) -> _Told:
    rows = [
        (row["model"], f"{float(row['macro_f1']):.3f}")
        for row in _of(corpus, "serevals_matrix_macro_f1", "train")
        if row["train"] == row["test"] and row["in_paper"] == "yes"
    ]
    return "serevals", "Results of its repository, trained on this corpus too", ("macro F1",), rows, ""


_READERS = {
    "emobox": _emobox,
    "ser_evals": _serevals,
    "generalize": _generalize,
    "serab": _serab,
    "exhubert": _exhubert,
}


def _of(corpus: Corpus, name: str, column: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a table that are about the corpus."""
    names = {corpus.id, _folded(corpus.name)}
    for row in table(name):
        folded = _folded(row[column]).removesuffix("dataset")
        if ALIASES.get(folded, folded) in names:
            yield row


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
