"""Overview: the table of all corpora between two marks of a Markdown file, made from the records.

python -m loading_scripts.overview README.md
"""

import sys
from pathlib import Path

from . import registry

BEGIN = "<!-- corpora: begin -->"
END = "<!-- corpora: end -->"

_HEADER = ("id", "name", "languages", "utterances", "speakers", "access", "licence", "configs")


def table() -> str:
    """Return a Markdown table with a line for every corpus."""
    lines = [_HEADER, ("---",) * len(_HEADER)]
    for name in registry.ids():
        corpus = registry.load(name).CORPUS
        lines.append(
            (
                f"[{corpus.id}]({corpus.homepage})",
                corpus.name,
                ", ".join(corpus.languages),
                f"{corpus.utterances:,}",
                str(len(corpus.speakers) or "not told"),
                str(corpus.access),
                corpus.licence.id,
                str(len(corpus.config_names())),
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
        raise ValueError(f"The table of corpora stands between {BEGIN} and {END}; put both into the file.")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
