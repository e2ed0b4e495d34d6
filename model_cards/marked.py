"""Generated tables in pages that people write: what stands between two marks of a Markdown file is made anew."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, a line for each row.

    >>> print(markdown_table(["id", "n"], [["urdu", "400"]]), end="")
    | id | n |
    | --- | --- |
    | urdu | 400 |
    """
    return "".join(f"| {' | '.join(line)} |\n" for line in (header, ["---"] * len(header), *rows))


def renewed(text: str, name: str, content: str) -> str:
    """Return `text` with `content` between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.

    Raises:
        ValueError: the marks are not there, once each and in order.
    """
    begin, end = (f"<!-- {name}: {which} -->" for which in ("begin", "end"))
    before, begun, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise ValueError(f"The table of {name} stands between {begin} and {end}; put both into the file.")
    return f"{before}{begin}\n\n{content}\n{end}{after}"
