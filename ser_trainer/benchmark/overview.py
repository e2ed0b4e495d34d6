"""Overview: the table of all protocols between two marks of a Markdown file, made from their files.

python -m ser_trainer.benchmark.overview docs/protocols/README.md
"""

import sys
from pathlib import Path

from model_cards.marked import markdown_table, renewed

from . import protocol

_HEADER = ("protocol", "what is measured", "variants", "corpora of the paper with a record", "command")


def table() -> str:
    """Return a Markdown table with a line for every protocol; each links to the page of its paper."""
    lines = []
    for name in protocol.names():
        module = protocol.load(name)
        lines.append(
            (
                f"[{name}]({name.partition('-')[0]}.md)",
                module.TITLE,
                ", ".join(module.VARIANTS),
                f"{len(module.CORPORA)}: {', '.join(sorted(module.CORPORA))}",
                f"`serbench run {name} --encoder ENCODER --corpora CORPUS...`",
            )
        )
    return markdown_table(_HEADER, lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8"), "protocols", table()), encoding="utf-8")
