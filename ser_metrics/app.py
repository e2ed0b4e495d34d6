"""The metric as a web page: what a Hugging Face Space runs, and ``python ser_metrics/app.py`` too.

The page takes classes as text, one utterance per line or separated by commas. It needs gradio, which a Space
brings along and the extra `space` installs. evaluate's own page for metrics is not used: it asks gradio for classes
that gradio has given up.
"""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import evaluate

ROOM = Path(__file__).parent
CONVENTIONS = ("recall over present, f1 over union", "present", "union", "declared", "raise")


def read_column(text: str) -> list[int] | list[str]:
    """Read classes, one per line or separated by commas: ids if all are whole numbers, names otherwise."""
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    numbers = all(re.fullmatch(r"-?\d+", entry) for entry in entries)
    return [int(entry) for entry in entries] if numbers else entries


def answer(predictions: str, references: str, labels: str, groups: str, absent: str, intervals: bool) -> str:
    """Score what the page holds.

    Args:
        predictions: Classes as text.
        references: Classes as text.
        labels: The declared classes; needed if there are names.
        groups: Speakers as text, or nothing.
        absent: One of `CONVENTIONS`.
        intervals: Whether to add 95 % intervals.

    Returns:
        The scores as JSON, or what is wrong with the input.
    """
    speakers = read_column(groups) or None
    try:
        result = metric().compute(
            predictions=read_column(predictions),
            references=read_column(references),
            labels=read_column(labels) or None,
            absent=None if absent == CONVENTIONS[0] else absent,
            groups=speakers,
            per_group=speakers is not None,
            confidence=0.95 if intervals else None,
            per_class=True,
            confusion_matrix=True,
            micro_f1=True,
            weighted_f1=True,
        )
    except ValueError as refusal:
        return str(refusal)
    return json.dumps(result, indent=2, ensure_ascii=False)


def metric() -> evaluate.Metric:
    """Load the metric of this folder, offline."""
    return evaluate.load(str(ROOM / "ser_metrics.py"))


def page() -> Any:
    """Lay out the page.

    Returns:
        A `gradio.Blocks`, to be launched.

    Raises:
        ImportError: gradio is not installed.
    """
    try:
        gr = import_module("gradio")
    except ImportError as error:
        raise ImportError("The page needs gradio: pip install 'serbench[space]', or pip install gradio.") from error
    card = (ROOM / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    with gr.Blocks(title="SER metrics") as blocks:
        gr.Markdown("# SER metrics\nScores of speech emotion recognition, one class per utterance.")
        with gr.Row():
            predictions = gr.Textbox("anger\nanger\nanger\nhappiness", lines=8, label="Predictions, one per line")
            references = gr.Textbox("anger\nanger\nanger\nanger", lines=8, label="References")
            groups = gr.Textbox(lines=8, label="Speakers (optional)")
        labels = gr.Textbox("anger, happiness, neutral, sadness", label="Declared classes (optional for ids)")
        absent = gr.Dropdown(CONVENTIONS, value=CONVENTIONS[0], label="Classes that the means run over")
        intervals = gr.Checkbox(label="95 % intervals (by speaker if speakers are given, six at least)")
        result = gr.Code(language="json", label="Scores")
        inputs = [predictions, references, labels, groups, absent, intervals]
        gr.Button("Score", variant="primary").click(answer, inputs, result, api_name="score")
        with gr.Accordion("Metric card", open=False):
            gr.Markdown(card)
    return blocks


if __name__ == "__main__":
    page().launch()
