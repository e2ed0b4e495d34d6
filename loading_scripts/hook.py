"""Once `datasets` is imported, by whomever and whenever, it knows our corpora and reads audio through us.

Until then nothing of it is imported, which takes a second: commands about records need none of it. The modules that are
installed here import `datasets` only inside their functions, so that none of them is met half-imported.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from . import audio, plugin


class AfterImport:
    """Finds `datasets` as Python does, and installs our doors right after it has run."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Answer the import system; None means that others shall find the module."""
        if name != "datasets" or not (spec := PathFinder.find_spec(name, path, target)) or not spec.loader:
            return None
        run = spec.loader.exec_module

        def run_and_install(module: ModuleType) -> None:
            run(module)
            audio.install()
            plugin.install()

        spec.loader.exec_module = run_and_install  # type: ignore[method-assign]  # this loader is this module's alone
        return spec


def install() -> None:
    """Put our doors in place as soon as `datasets` is imported, which may be now; it is not imported by this."""
    if "datasets" in sys.modules:
        importlib.import_module("datasets")  # waits where another thread is still importing it
        audio.install()
        plugin.install()
    elif AfterImport not in sys.meta_path:
        sys.meta_path.insert(0, AfterImport)
