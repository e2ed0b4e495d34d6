"""`seed_cache` writes what evaluate finds; `is_seeded` tells whether it would find this version."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_metrics import seed


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_MODULES_CACHE", raising=False)
    return tmp_path


def test_seeding_is_idempotent_and_repairs(home: Path) -> None:
    assert not seed.is_seeded()
    assert not list(home.iterdir())  # asking writes nothing
    folder = seed.seed_cache()
    versions = home / "modules" / "evaluate_modules" / "metrics" / "evaluate-metric--ser_metrics"
    assert folder.parent == versions
    assert folder.name == seed.fingerprint()
    assert len(folder.name) == 64
    assert seed.is_seeded()

    before = {path: path.stat().st_mtime_ns for path in home.rglob("*.py")}
    assert seed.seed_cache() == folder
    changed = [path for path in home.rglob("*.py") if path.stat().st_mtime_ns != before.get(path)]
    assert [path for path in changed if path.name != "__init__.py"] == []

    for damage in (lambda: (folder / "core.py").write_text(""), lambda: (folder / "ser_metrics.py").unlink()):
        damage()
        assert not seed.is_seeded()
        assert seed.seed_cache() == folder
        assert seed.is_seeded()
    assert {path.name for path in versions.iterdir()} == {"__init__.py", folder.name}


def test_the_version_that_was_seeded_last_wins(home: Path) -> None:
    folder = seed.seed_cache()
    for ahead in (0, 1000):  # of the same moment, and from a clock that runs ahead
        other = folder.with_name(f"{ahead:064}")
        other.mkdir()
        script = other / "ser_metrics.py"
        script.write_text("raise ImportError('an older version')")
        moment = (folder / "ser_metrics.py").stat().st_mtime + ahead
        os.utime(script, (moment, moment))
        assert not seed.is_seeded()
        seed.seed_cache()
        assert seed.is_seeded()
    assert script.exists()  # it may be in use


@pytest.mark.parametrize(
    ("environment", "modules"),
    [
        ({"HF_HOME": "{}/hf"}, "hf/modules"),
        ({"HF_HOME": "{}/hf", "HF_MODULES_CACHE": "{}/own"}, "own"),
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/huggingface/modules"),
        ({"HOME": "{}"}, ".cache/huggingface/modules"),
        ({"HOME": "{}", "HF_HOME": "~/hf"}, "hf/modules"),
    ],
)
def test_where_evaluate_looks(
    environment: dict[str, str], modules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule of `evaluate/config.py` (0.4.6); `test_metric_load_paths` asks evaluate itself."""
    for name in ("HF_HOME", "HF_MODULES_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert seed.seed_cache().parents[3 - 1] == tmp_path / modules / "evaluate_modules"


def test_several_processes_at_once(home: Path) -> None:
    code = "from ser_metrics.seed import seed_cache; print(seed_cache())"
    command = [sys.executable, "-c", code]
    root = str(Path(seed.__file__).parent.parent)
    environment = os.environ | {"PYTHONPATH": root}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    folders = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert folders == {str(seed.seed_cache())}
    assert seed.is_seeded()
    assert {path.name for path in seed.seed_cache().parent.iterdir()} == {"__init__.py", seed.fingerprint()}
