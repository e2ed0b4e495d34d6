"""Do something once a module is imported, by whomever and whenever; it is not imported by this."""

import importlib
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_waiting: dict[str, Callable[[ModuleType], None]] = {}


class AfterImport:
    """Finds the modules that somebody waits for as Python does, and calls who waits right after they have run."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Answer the import system; None means that others shall find the module."""
        if name not in _waiting or not (spec := PathFinder.find_spec(name, path, target)) or not spec.loader:
            return None
        run = spec.loader.exec_module

        def run_and_act(module: ModuleType) -> None:
            run(module)
            _waiting[name](module)

        spec.loader.exec_module = run_and_act  # type: ignore[method-assign]  # this loader is this module's alone
        return spec


def after_import(name: str, act: Callable[[ModuleType], None]) -> None:
    """Call `act` with the module `name`: now if it is imported already, else right after its import.

    Args:
        name: Full name of a module.
        act: Called once for each time that the module runs; doing it twice must do no harm.
    """
    _waiting[name] = act
    if AfterImport not in sys.meta_path:
        sys.meta_path.insert(0, AfterImport)
    if name in sys.modules:
        act(importlib.import_module(name))  # waits where another thread is still importing it
