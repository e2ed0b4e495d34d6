"""What all tests share: a cache of their own, no network, trees of tones at published paths."""

import os
import tempfile

# Before any Hugging Face library is imported: they read these once.
# The controller of pytest-xdist makes the folder, its workers inherit it, so that the demo corpus is made once.
_OURS = "SERBENCH_TEST_HOME" not in os.environ
_HOME = os.environ.setdefault("SERBENCH_TEST_HOME", tempfile.mkdtemp(prefix="serbench-tests-") if _OURS else "")
os.environ |= {
    "HF_HOME": _HOME,
    "SERBENCH_CACHE": f"{_HOME}/serbench",
    "HF_HUB_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
}
for name in ("SERBENCH_DATA", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_ENDPOINT", "HF_TOKEN"):
    os.environ.pop(name, None)

import csv  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import soundfile  # noqa: E402
from loopback_hub import Hub  # noqa: E402

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def _own_cache() -> Iterator[None]:
    yield
    if _OURS:
        shutil.rmtree(_HOME, ignore_errors=True)


def published(corpus: str) -> list[dict[str, str]]:
    """Return EmoBox's lines for at most 300 utterances of a corpus: id, path, emotion, speaker, fold1..foldN."""
    with (REPOSITORY / "tests" / "data" / "emobox" / f"{corpus}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Iterable[str]], Path]:
    """Return a function that hard-links one short tone to every path below a root."""
    tone = tmp_path_factory.mktemp("tone") / "tone.wav"
    soundfile.write(tone, 0.3 * np.sin(np.arange(3200) * 0.2), 16_000, subtype="PCM_16")

    def plant(root: Path, paths: Iterable[str]) -> Path:
        for path in paths:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(tone, target)
        return root

    return plant


@pytest.fixture(scope="session")
def urdu(tones: Callable[[Path, Iterable[str]], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a raw tree of URDU with the published sample of its paths."""
    return tones(tmp_path_factory.mktemp("URDU-Dataset"), (line["path"] for line in published("urdu")))


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Return a running stand-in for the Hub, empty."""
    with Hub() as running:
        yield running


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs code in a fresh interpreter, offline and with a cache of the caller's choice."""

    def run(code: str, cwd: Path, importable: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        # PYTHONPATH decides whether our packages can be imported; an installed copy must not hide a mistake.
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        path = {"PYTHONPATH": str(REPOSITORY)} if importable else {}
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=cwd,
            env=inherited | path | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
