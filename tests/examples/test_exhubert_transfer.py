import json
import os
import subprocess
import sys
from pathlib import Path

from ser_trainer.finetune.terminal import variant_table

from model_cards.model_scores import SplitScores  # isort: skip

REPOSITORY = Path(__file__).parents[2]


def test_all_variants_are_transferred_once(tmp_path):
    words = ["--source", "serbench/demo:fold2", "--corpora", "serbench/demo:fold1", "--max_steps", "1", "--use_cpu"]
    command = [sys.executable, str(REPOSITORY / "examples" / "exhubert_transfer.py"), *words]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    tables = []
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stderr[-3000:]
        tables.append(done.stdout.partition("seeds")[2])

    assert [line.split()[0] for line in tables[0].splitlines()[1:5]] == ["plain", "frozen", "non_frozen", "two_copies"]
    assert tables[0] == tables[1] and "train_runtime" not in done.stdout  # the second time nothing was trained
    folder = tmp_path / "runs" / "transfer-demo-fold1"
    kinds = {path.name: json.loads((path / "config.json").read_text()) for path in folder.iterdir() if path.is_dir()}
    assert {name: one["model_type"] for name, one in kinds.items()} == {
        "source-seed42": "hubert",
        "plain-seed42": "hubert",
        "frozen-seed42": "exhubert",
        "non_frozen-seed42": "exhubert",
        "two_copies-seed42": "exhubert",
    }
    assert [kinds[f"{name}-seed42"]["num_copies"] for name in ("frozen", "two_copies")] == [1, 2]
    assert [kinds[f"{name}-seed42"]["freeze_original"] for name in ("frozen", "non_frozen")] == [True, False]


def test_several_seeds_have_a_deviation_and_one_has_none():
    def scored(value):
        return SplitScores(
            dataset="a", config="b", split="test", name="A", scores=dict.fromkeys(["ua", "wa", "f1", "uar"], value)
        )

    lines = variant_table({"plain": [scored(0.5), scored(0.7)], "frozen": [scored(0.6)]}).splitlines()

    assert lines[1].split() == ["plain", "2", *["60.0", "+-", "14.1"] * 4]
    assert lines[2].split() == ["frozen", "1", *["60.0"] * 4]
