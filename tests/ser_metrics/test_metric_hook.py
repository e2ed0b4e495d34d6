"""evaluate is served whenever it is imported, and imported by nobody else; a small stand-in saves its import."""

import sys
import threading
import time
from pathlib import Path

import pytest

from ser_metrics import hook
from ser_metrics.after_import import AfterImport

STAND_IN = """
import time
time.sleep(0.2)
def evaluation_module_factory(path, **options):
    return "found by evaluate"
def ImportableModule(path, hash):
    return path
"""


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a small package of the name evaluate where the real one would be found, not yet imported."""
    (tmp_path / "evaluate").mkdir()
    (tmp_path / "evaluate" / "__init__.py").touch()
    (tmp_path / "evaluate" / "loading.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "evaluate"]:
        monkeypatch.delitem(sys.modules, name)
    finders = [finder for finder in sys.meta_path if finder is not AfterImport]
    monkeypatch.setattr(sys, "meta_path", finders)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "evaluate"]:
        del sys.modules[name]  # monkeypatch brings the real one back


def found(name: str = "ser_metrics", **options: str) -> str:
    from evaluate import loading

    return loading.evaluation_module_factory(name, **options)


def test_evaluate_imported_afterwards(fresh: None) -> None:
    hook.install()
    assert "evaluate" not in sys.modules  # hooked, not imported
    assert found() == "ser_metrics.ser_metrics"
    assert found("accuracy") == found(revision="main") == "found by evaluate"
    sys.modules.pop("evaluate.loading")
    sys.modules.pop("evaluate")
    assert found() == "ser_metrics.ser_metrics"  # imported anew


def test_evaluate_imported_before(fresh: None) -> None:
    assert found() == "found by evaluate"
    hook.install()
    assert found() == "ser_metrics.ser_metrics"


def test_installed_twice(fresh: None) -> None:
    hook.install()
    found()
    once = sys.modules["evaluate.loading"].evaluation_module_factory
    hook.install()
    assert sys.modules["evaluate.loading"].evaluation_module_factory is once
    assert sys.meta_path.count(AfterImport) == 1


@pytest.mark.parametrize("head_start", [0.0, 0.1])
def test_imported_by_a_thread(fresh: None, head_start: float) -> None:
    """Installed before the thread starts to import, and while it is in the middle of it."""
    if not head_start:
        hook.install()
    thread = threading.Thread(target=found)
    thread.start()
    time.sleep(head_start)
    hook.install()
    thread.join()
    assert found() == "ser_metrics.ser_metrics"


def test_a_local_folder_goes_first(fresh: None) -> None:
    hook.install()
    Path("ser_metrics").mkdir()
    Path("ser_metrics", "ser_metrics.py").touch()
    assert found() == "found by evaluate"
