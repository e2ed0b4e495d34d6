"""Overview: the table of all protocols between two marks of a Markdown file, made from their files.

python -m ser_trainer.benchmark.overview docs/protocols/README.md
"""

import sys
from pathlib import Path

from . import protocol

BEGIN = "<!-- protocols: begin -->"
END = "<!-- protocols: end -->"

_HEADER = ("protocol", "what is measured", "variants", "corpora of the paper with a record", "command")


def table() -> str:
    """Return a Markdown table with a line for every protocol; each links to the page of its paper."""
    lines = [_HEADER, ("---",) * len(_HEADER)]
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
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def renewed(text: str) -> str:
    """Return `text` with the table as it is now between the marks.

    Raises:
        ValueError: the marks are not there, once each and in order.
    """
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"The table of protocols stands between {BEGIN} and {END}; put both into the file.")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
