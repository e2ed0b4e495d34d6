"""Make `evaluate.load("ser_metrics")` work from any directory in the process that imports this package.

evaluate offers no door for modules of other packages: it looks into the current directory, at the Hub, and into
its module cache. So the function that looks is wrapped once evaluate is imported, by whomever and whenever.
`evaluate.load` looks it up at each call, hence a `load` that was bound before goes through the wrapper too.
Nothing is written to disk; `ser_metrics.seed` serves the processes that never import this package.
"""

import functools
from pathlib import Path
from types import ModuleType
from typing import Any

from ser_metrics.after_import import after_import

LOADING = "evaluate.loading"
"""The module whose finder is wrapped."""


def install() -> None:
    """Hook evaluate as soon as it is imported, which may be now; evaluate is not imported by this."""
    after_import(LOADING, serve)


def serve(loading: ModuleType) -> None:
    """Let the finder of `evaluate.loading` find this package under the name "ser_metrics".

    A folder ``./ser_metrics`` that holds the module goes first, as for every name that evaluate knows, and a call
    that asks for a revision means the Hub.

    Args:
        loading: The module `evaluate.loading`. Serving it twice wraps it once.
    """
    find = loading.evaluation_module_factory
    if getattr(find, "finds_ser_metrics", False):
        return

    @functools.wraps(find)
    def find_ours(path: str, *args: Any, **options: Any) -> Any:
        local = Path("ser_metrics", "ser_metrics.py").is_file()
        if path != "ser_metrics" or local or options.get("revision") is not None:
            return find(path, *args, **options)
        from ser_metrics import seed  # what it imports would make every import of this package slower

        return loading.ImportableModule("ser_metrics.ser_metrics", seed.fingerprint())

    find_ours.finds_ser_metrics = True
    loading.evaluation_module_factory = find_ours
