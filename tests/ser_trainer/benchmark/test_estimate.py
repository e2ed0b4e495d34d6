"""Estimate: what is counted and computed is right, what is measured is there, and nothing is written."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_corpus
from toy_corpus import corpus

from ser_trainer.benchmark import measuring, plan, protocol, study
from ser_trainer.benchmark.cache.cached import cached
from ser_trainer.benchmark.estimate import estimate, estimates
from ser_trainer.benchmark.extraction import extract_features
from ser_trainer.benchmark.machine import Machine
from ser_trainer.benchmark.protocol import Setting
from ser_trainer.benchmark.results.line import Results

SPECTRUM = f"{Path(toy_corpus.__file__)}:spectrum"
QUICK = Setting(epochs=2)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(measuring, "SECONDS", {"cpu": 2.0})
    monkeypatch.setattr(measuring, "UTTERANCES", 16)


def told(name, toys, folder, setting=QUICK, **options):
    """Return row -> cells of the estimate of a protocol, and its notes."""
    ((one, planned),) = study.planned_studies(
        lambda own: plan.of_protocol(name, toys, own), [SPECTRUM], Results(folder), setting, Machine()
    )
    table = estimate(one, planned, **options)
    return {row[0]: dict(zip(table.header[1:], row[1:], strict=True)) for row in table.rows}, " ".join(table.notes)


def hours(toy):
    return sum(one["duration"] for one in toy.facts.values()) / 3600


def test_cells_audio_and_disk_are_counted_and_nothing_is_kept(tmp_path):
    toys = [corpus("a", seconds=1.0), corpus("b", seconds=1.0)]
    rows, notes = told("emobox-intra", toys, tmp_path / "out")
    assert rows["emobox-intra"] | {"time": ""} == {
        **{"cells": "2", "finished": "0", "lines": "4"},
        **{"audio": "-", "cached": "-", "disk": "-", "time": ""},
    }
    assert rows["encode a"]["audio"] == f"{hours(toys[0]):.2f} h"
    assert rows["together"]["cached"] == "0.00 h"
    frames = sum(int(one["duration"] * 16_000) // 320 for toy in toys for one in toy.facts.values())
    computed = float(rows["together"]["disk"].removesuffix(" MB"))
    assert computed == pytest.approx(frames * 16 * 2 / 1e6, abs=0.06)  # 16 bands, float16
    assert all(re.fullmatch(r"\d+\.\d (s|min|h)", row["time"]) for row in rows.values())
    assert "Measured now, on this machine: 3 s" in notes or "Measured now, on this machine: 2 s" in notes
    assert not cached()
    assert not (tmp_path / "out").exists()


def test_what_is_finished_or_cached_costs_nothing(tmp_path):
    toys = [corpus("a"), corpus("b")]
    list(extract_features([SPECTRUM], toys[:1], "last", Machine()))
    rows, _ = told("emobox-intra", toys, tmp_path / "out")
    assert (rows["encode a"]["disk"], rows["encode a"]["time"]) == ("0.0 MB", "0.0 s")
    assert rows["encode a"]["cached"] == rows["encode a"]["audio"]
    assert rows["encode b"]["cached"] == "0.00 h"
    study.run("emobox-intra", [SPECTRUM], toys[:1], Results(tmp_path / "out"), QUICK, Machine())
    rows, _ = told("emobox-intra", toys, tmp_path / "out")
    assert "encode a" not in rows
    assert (rows["emobox-intra"]["cells"], rows["emobox-intra"]["finished"]) == ("2", "1")
    rows, _ = told("emobox-intra", toys, tmp_path / "out", again=True)
    assert rows["emobox-intra"]["finished"] == "0"


def test_a_finished_study_needs_no_measurement(tmp_path, monkeypatch):
    study.run("emobox-intra", [SPECTRUM], [corpus()], Results(tmp_path / "out"), QUICK, Machine())
    monkeypatch.setattr(measuring, "train_heads", None)
    rows, notes = told("emobox-intra", [corpus()], tmp_path / "out")
    assert set(rows) == {"emobox-intra", "together"}
    assert rows["together"]["time"] == "0.0 s"
    assert "Measured" not in notes


def test_layers_are_vectors_of_float32(tmp_path):
    rows, _ = told("emobox-intra", [corpus(each=3)], tmp_path / "out", replace(QUICK, layers="all"))
    assert rows["encode toy"]["disk"] == f"{60 * 16 * 4 / 1e6:.1f} MB"


def test_all_protocols_are_estimated_in_one_table_with_what_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(protocol, "names", lambda: ("emobox-cross", "emobox-intra", "generalize", "serevals"))
    toys, alone = [corpus("a"), corpus("b")], replace(QUICK, extra={"mode": "separate"})
    table, not_run = estimates(plan.EVERY, [SPECTRUM], toys, Results(tmp_path), alone, Machine())
    assert [line.split()[0] for line in table.splitlines()[3:9]] == [
        *("encode", "encode", "emobox-cross", "emobox-intra", "serevals", "together")
    ]
    assert not_run.startswith("Not run\ngeneralize, a b: It fine-tunes the encoder")
    (table,) = estimates(plan.EVERY, [SPECTRUM], toys, Results(tmp_path), alone, Machine(), fine_tune=True)
    assert re.search(r"^generalize +2 +0 .* -$", table, re.MULTILINE)
    assert "not in the sum: generalize, which fine-tunes" in " ".join(table.split())


def test_time_of_heads_grows_with_epochs_and_audio(monkeypatch):
    monkeypatch.setattr(measuring.Heads, "_epoch", lambda *_: 1.0)
    features = [np.zeros((50, 4), np.float32)] * 3
    (planned,) = plan.of_protocol("emobox-intra", [corpus()], replace(QUICK, epochs=7)).cells
    heads = measuring.Heads(features, planned.setting)
    whole = measuring.UTTERANCES * 50  # frames that the measured epoch has seen
    assert heads.seconds(planned, whole) == pytest.approx(2 * 7)  # folds, epochs
    assert heads.seconds(planned, 3 * whole) == pytest.approx(3 * 2 * 7)


def test_serab_is_a_straight_line_through_two_sizes(monkeypatch):
    monkeypatch.setattr(measuring, "_timed", lambda what: {60: 8.0, 240: 9.8}[what.__defaults__[0]])
    (planned,) = plan.of_protocol("serab", [corpus(each=5)], QUICK).cells
    heads = measuring.Heads([np.zeros((5, 4), np.float32)], planned.setting)
    assert heads.seconds(planned, 0) == pytest.approx(7.4 + 0.01 * 100)
    assert heads.guessed
