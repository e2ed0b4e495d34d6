"""Overview: the table of all corpora between two marks of a Markdown file, made from the records.

python -m loading_scripts.overview README.md
"""

import sys
from pathlib import Path

from model_cards.marked import markdown_table, renewed

from . import registry

_HEADER = ("id", "name", "languages", "utterances", "speakers", "access", "licence", "configs")


def table() -> str:
    """Return a Markdown table with a line for every corpus."""
    lines = []
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
    return markdown_table(_HEADER, lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8"), "corpora", table()), encoding="utf-8")
