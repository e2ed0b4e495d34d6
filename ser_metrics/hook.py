"""Make `evaluate.load("ser_metrics")` work from any directory in the process that imports this package.

evaluate offers no door for modules of other packages: it looks into the current directory, at the Hub, and into
its module cache. So the function that looks is wrapped once evaluate is imported, by whomever and whenever.
`evaluate.load` looks it up at each call, hence a `load` that was bound before goes through the wrapper too.
Nothing is written to disk; `ser_metrics.seed` serves the processes that never import this package.
"""

import functools
import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

LOADING = "evaluate.loading"
"""The module whose finder is wrapped."""


class AfterImport:
    """Finds `evaluate.loading` as Python does, and serves it right after it has run."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Answer the import system; None means that others shall find the module."""
        if name != LOADING or not (spec := PathFinder.find_spec(name, path, target)) or not spec.loader:
            return None
        run = spec.loader.exec_module

        def run_and_serve(module: ModuleType) -> None:
            run(module)
            serve(module)

        spec.loader.exec_module = run_and_serve  # type: ignore[method-assign]  # this loader is this module's alone
        return spec


def install() -> None:
    """Hook evaluate as soon as it is imported, which may be now; evaluate is not imported by this."""
    if AfterImport not in sys.meta_path:
        sys.meta_path.insert(0, AfterImport)
    if LOADING in sys.modules:
        serve(importlib.import_module(LOADING))  # waits where another thread is still importing it


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
