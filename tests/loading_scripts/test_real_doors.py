"""Real speech through all three doors: SERBENCH_URDU=... SERBENCH_TUREVDB=... pytest -m real tests/loading_scripts."""

import hashlib
import inspect
import json
import os
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset
from loopback_hub import Hub

from loading_scripts import registry, repo  # makes serbench/... known to load_dataset


def digest(samples: np.ndarray) -> str:
    """Return a hash of int16 samples."""
    return hashlib.sha256(np.ascontiguousarray(samples, "<i2")).hexdigest()


# Stock `datasets` alone: rows of every config, audio decoded by soundfile.
_STOCK = f"""
import hashlib, json, sys
from io import BytesIO
import datasets, numpy as np, soundfile
{inspect.getsource(digest)}
assert not any(name.startswith(("loading_scripts", "ser_")) for name in sys.modules)
rows = {{}}
for config in datasets.get_dataset_config_names(sys.argv[1]):
    for split, part in datasets.load_dataset(sys.argv[1], config).items():
        part = part.cast_column("audio", datasets.Audio(decode=False))
        for row in part:
            row["audio"] = digest(soundfile.read(BytesIO(row["audio"]["bytes"]), dtype="int16")[0])
            rows.setdefault(config, {{}}).setdefault(split, []).append(row)
print(json.dumps(rows))
"""


def plugin_rows(name: str, root: Path, configs: list[str]) -> dict[str, dict[str, list[dict]]]:
    """Return the rows of the plugin door, in the form of `_STOCK`."""
    rows: dict[str, dict[str, list[dict]]] = {}
    for config in configs:
        for split, part in load_dataset(name, config, data_dir=str(root)).items():
            listed = rows.setdefault(config, {}).setdefault(split, [])
            for row in part:
                samples = np.rint(row["audio"]["array"] * 32768).astype(np.int16)
                listed.append(row | {"audio": digest(samples)})
    return rows


@pytest.mark.real
@pytest.mark.parametrize("corpus", ["urdu", "turevdb"])
def test_three_doors_give_identical_rows_in_every_config(corpus, run_python, tmp_path):
    root = os.environ.get(f"SERBENCH_{corpus.upper()}") or pytest.skip(f"$SERBENCH_{corpus.upper()} is not set")
    name = f"serbench/{corpus}"
    built = repo.build(registry.load(corpus), Path(root), tmp_path / "here" / name)
    code = f"import sys; sys.argv.append({name!r})\n{_STOCK}"
    from_folder = run_python(code, built.parent.parent, importable=False, HF_HOME=str(tmp_path / "home"))
    with Hub() as hub:
        arguments = ["serbench", "push", corpus, "--namespace", "serbench", "--i-have-permission"]
        push = f"import sys; sys.argv = {arguments!r}\nfrom ser_trainer.cli import main; main()"
        pushed = run_python(push, built.parent.parent, **hub.environment(tmp_path / "user"))
        assert pushed.returncode == 0, pushed.stderr
        (tmp_path / "empty").mkdir()
        from_hub = run_python(code, tmp_path / "empty", importable=False, **hub.environment(tmp_path / "other"))
    folder_rows = json.loads(from_folder.stdout or pytest.fail(from_folder.stderr))
    assert json.loads(from_hub.stdout or pytest.fail(from_hub.stderr)) == folder_rows
    assert plugin_rows(name, Path(root), list(folder_rows)) == folder_rows
    counts = {config: {split: len(rows) for split, rows in splits.items()} for config, splits in folder_rows.items()}
    print(json.dumps(counts))
    assert counts["all"]["train"] == registry.load(corpus).CORPUS.utterances
