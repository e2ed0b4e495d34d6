"""Cards as Markdown: front matter that the Hub reads, and a page for people from a template of this folder."""

from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import CardData


def render_card(data: CardData, template: str, **values: Any) -> str:
    """Return README.md: `data` as YAML front matter, then the template filled with `values`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return f"---\n{data.to_yaml(line_break=chr(10))}\n---\n\n{environment.get_template(template).render(values)}"
