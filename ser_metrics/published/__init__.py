"""The tables that five papers printed, as data, and which of their averages recompute.

`table` reads a table; `README.md` beside the tables has their sources. `recomputed` works out again, from the cells
beside it, every average and every total that is printed.

    python -m ser_metrics.published
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np

from ser_metrics.averages import serab, serevals
from ser_metrics.columns import near

SERAB_SIZES = {
    "AES": 207,
    "CAF": 234,
    "CRE": 1556,
    "EMB": 84,
    "EMV": 196,
    "IEM": 1122,
    "RAV": 300,
    "SAV": 120,
    "SHE": 372,
}
"""Utterances in SERAB's test sets, from its code; for six tasks the only number that fits all printed cells."""

SEREVALS_CHECKPOINTS = {
    "Whisper-Large-v2": "openai/whisper-large-v2",
    "Whisper-Large": "openai/whisper-large",
    "Whisper-Large-v3": "openai/whisper-large-v3",
    "Whisper-medium": "openai/whisper-medium",
    "WavLM-Large": "microsoft/wavlm-large",
    "CLAP Music & Speech": "laion/larger_clap_music_and_speech",
    "Hubert Large": "facebook/hubert-large-ll60k",
    "MERT v1 330M": "m-a-p/MERT-v1-330M",
    "w2v-bert-2.0": "facebook/w2v-bert-2.0",
}
"""Names of SER Evals' Table 3 -> names in the matrices of its repository."""

NOTES = {
    ("exhubert_table1", "HuBERT Large EmoSet++"): "the EMO-DB cell is missing in the copy at hand",
    ("exhubert_table2", "W2V2 Emotion"): "interchanged with the average of W2V2 XLS-R",
    ("exhubert_table2", "W2V2 XLS-R"): "interchanged with the average of W2V2 Emotion",
    ("exhubert_table2", "ExHuBERT Large LS960"): "the paper's text repeats the printed value",
    ("generalize_table1", "calm"): "192 printed under SAVEE, which has no calm",
    ("generalize_table3", "e4_comb_original"): "ten of eleven cells repeat those for five emotions",
    ("generalize_table3", "e5_comb_adasyn"): "nine of eleven cells repeat those of SMOTE",
}
"""What is known about averages that do not recompute."""


@dataclass(frozen=True)
class Average:
    """A printed average or total, and what the cells beside it give.

    Attributes:
        table: Its table, a name for `table`.
        of: The row or column it belongs to.
        printed: As printed, a string so that its digits are kept.
        value: What the cells give, in the same unit; None where a cell is missing.
        tolerance: How far rounding alone can part the two.
    """

    table: str
    of: str
    printed: str
    value: float | None
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether both are equal but for rounding."""
        return self.value is not None and abs(float(self.printed) - self.value) <= self.tolerance + 1e-9

    @property
    def note(self) -> str:
        """What is known about the difference; empty where nothing is."""
        return NOTES.get((self.table, self.of), "")


def names() -> list[str]:
    """List the tables."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".csv") for file in files if file.name.endswith(".csv"))


def table(name: str) -> list[dict[str, str]]:
    """Read a table as printed.

    Args:
        name: Such as "serab_table3"; `names` lists them.

    Returns:
        A dict per row; a cell that is a dash or missing in print is an empty string.

    Raises:
        ValueError: There is no such table.

    Examples:
        >>> table("serab_table3")[-1]["model"], table("serab_table3")[-1]["WM"]
        ('BYOL-S, 2048', '73.7')
    """
    if name not in names():
        raise ValueError(f"{name!r} is no published table.{near(name, names())} Use one of {', '.join(names())}.")
    with (resources.files(__name__) / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def recomputed() -> list[Average]:
    """Work out every printed average and total from its cells.

    Returns:
        All of them, in the order of the tables; `Average.agrees` parts those that recompute from those that do not.

    Examples:
        >>> doubtful = [average for average in recomputed() if not average.agrees]
        >>> [(average.printed, round(average.value, 2)) for average in doubtful if average.of == "e4_comb_original"]
        [('78.64', 75.39)]
    """
    return [*_emobox(), *_exhubert(), *_generalize(), *_serab(), *_serevals()]


def _emobox() -> Iterator[Average]:
    *rows, printed = table("emobox_table1")
    for column in ("spk", "utts", "hrs"):
        total = sum(float(row[column] or 0) for row in rows)  # MER2023 prints no number of speakers
        yield Average("emobox_table1", column, printed[column], total, _half(printed[column]))


def _exhubert() -> Iterator[Average]:
    for name in ("exhubert_table1", "exhubert_table2"):
        rows = table(name)
        for printed in (row for row in rows if row["corpus"].startswith("AVERAGE")):
            model = printed["model"]
            cells = [row["uar"] for row in rows if row["model"] == model and row is not printed]
            mean = float(np.mean([float(cell) for cell in cells])) if all(cells) else None
            yield Average(name, model, printed["uar"], mean, _half(printed["uar"]) + 0.05)


def _generalize() -> Iterator[Average]:
    for row in table("generalize_table1"):
        total = sum(float(cell or 0) for column, cell in row.items() if column not in ("emotion", "total"))
        yield Average("generalize_table1", row["emotion"], row["total"], total, 0.0)
    *rows, printed = table("generalize_table3")
    for column in printed:
        if column != "dataset" and not column.endswith("_classes"):
            mean = float(np.mean([float(row[column]) for row in rows]))
            yield Average("generalize_table3", column, printed[column], mean, _half(printed[column]) + 0.005)


def _serab() -> Iterator[Average]:
    for row in table("serab_table3"):
        for name, value in serab({task: float(row[task]) for task in SERAB_SIZES}, SERAB_SIZES).items():
            printed = row[name.upper()]
            yield Average("serab_table3", f"{name.upper()} of {row['model']}", printed, value, _half(printed) + 0.05)


def _serevals() -> Iterator[Average]:
    eligible = []
    for row, classes in zip(table("serevals_table1"), table("serevals_class_counts"), strict=True):  # in one order
        total = sum(int(count) for column, count in classes.items() if column not in ("dataset", "samples"))
        yield Average("serevals_table1", row["dataset"], row["samples"], total, 0.0)
        if row["ood_eligible"] == "yes":
            eligible.append(row["dataset"].removesuffix("Dataset").lower())
    cells = table("serevals_matrix_macro_f1")
    for row in table("serevals_table3"):
        model = SEREVALS_CHECKPOINTS[row["model"]]
        matrix = {(cell["train"], cell["test"]): float(cell["macro_f1"]) for cell in cells if cell["model"] == model}
        for name, value in serevals(matrix, eligible).items():
            printed = row["weighted_average" if name == "weighted" else name]
            yield Average("serevals_table3", f"{name} of {row['model']}", printed, value, 1e-6)


def _half(printed: str) -> float:
    """Return half a unit of the last printed digit."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])
