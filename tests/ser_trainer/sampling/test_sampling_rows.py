"""Rows for the collator, and the vectors that neighbors are found in."""

from collections.abc import Sequence

import numpy as np
import pytest
import soundfile
import torch
from datasets import Audio, Dataset, Features, Value
from torch.utils.data import DataLoader

from loading_scripts.errors import AudioError
from ser_trainer.finetune.sampling import BatchSchedule, Pick, Plan, TrainingRows, balance, mel_vectors

PLAN = Plan([2, 0, 1], [2, 0, 2], [0, 0, 0.25])


def rows(folder, sounds: Sequence[np.ndarray]) -> Dataset:
    """Return rows whose audio column is undecoded and names files in `folder`."""
    stored = []
    for number, samples in enumerate(sounds):
        soundfile.write(folder / f"{number}.wav", samples, 16_000, subtype="PCM_16")
        stored.append({"id": f"u{number}", "audio": {"bytes": None, "path": str(folder / f"{number}.wav")}})
    return Dataset.from_list(stored, features=Features({"id": Value("string"), "audio": Audio(16_000, decode=False)}))


def tone(hertz: float, seconds: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(16_000 * seconds)) / 16_000)


def test_a_pick_gives_its_row_its_draw_and_what_is_mixed_in():
    data = Dataset.from_list([{"id": name, "labels": place} for place, name in enumerate("abc")])
    picked = TrainingRows(data, PLAN, seed=5)
    assert len(picked) == 3
    assert picked[Pick(0, 4)] == {"id": "c", "labels": 2, "draw": (5, 0, 4)}
    assert picked[Pick(2, 1)] == {
        "id": "b",
        "labels": 1,
        "draw": (5, 2, 1),
        "other": {"id": "c", "labels": 2},
        "share": 0.25,
    }


def test_rows_reach_spawned_workers(tmp_path):
    data = rows(tmp_path, [tone(200, 0.1)] * 3)
    plan = balance(np.array([0, 0, 1]), "over", 0)
    schedule = BatchSchedule([np.arange(len(plan))], 2)
    loader = DataLoader(
        TrainingRows(data, plan, 0),
        batch_sampler=schedule,
        num_workers=1,
        collate_fn=list,
        multiprocessing_context="spawn",
    )
    seen = [row for batch in loader for row in batch]
    assert sorted(row["id"] for row in seen) == ["u0", "u1", "u2", "u2"]
    assert sorted(row["draw"] for row in seen) == [(0, entry, 0) for entry in range(4)]


def test_the_identity_takes_every_row_once_and_mixes_nothing():
    plan = Plan.identity(3)
    assert plan.rows.tolist() == plan.others.tolist() == [0, 1, 2]
    assert plan.shares.tolist() == [0, 0, 0]
    assert (plan.rows.dtype, plan.others.dtype, plan.shares.dtype) == (np.int64, np.int64, np.float32)


def test_mel_vectors_are_whispers_log_mel_averaged_over_time(tmp_path):
    from transformers import WhisperFeatureExtractor

    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    vector = mel_vectors(rows(tmp_path, [noise]))[0]
    powers = WhisperFeatureExtractor(feature_size=80).mel_filters.T @ _powers(soundfile.read(tmp_path / "0.wav")[0])
    assert vector == pytest.approx(np.log10(powers.clip(1e-10)).mean(axis=1), abs=1e-3)


def _powers(samples: np.ndarray) -> np.ndarray:
    spectrum = torch.stft(
        torch.from_numpy(samples), 400, 160, window=torch.hann_window(400, dtype=torch.double), return_complex=True
    )
    return spectrum.abs().square().numpy()


def test_like_sounds_are_near_whatever_their_length(tmp_path):
    vectors = mel_vectors(rows(tmp_path, [tone(300, 0.5), tone(310, 1.5), tone(3000, 0.5), tone(300, 0.01)]))
    assert vectors.shape == (4, 80)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors[0] - vectors[1]) < np.linalg.norm(vectors[0] - vectors[2])


def test_a_broken_file_is_named(tmp_path):
    data = rows(tmp_path, [tone(300, 0.1)] * 2)
    (tmp_path / "1.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"Row 'u1': .*1\.wav"):
        mel_vectors(data)
