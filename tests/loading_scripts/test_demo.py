import os
import runpy
import subprocess
import sys
import wave
from collections import Counter
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from loading_scripts.corpora import demo
from loading_scripts.labels import UNIFIED8

ROOM = Path(__file__).parents[1]
linear = runpy.run_path(str(ROOM / "bench" / "demo_linear.py"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    demo.make(folder)
    return folder


@pytest.fixture(scope="module")
def utterances(root):
    return list(demo.find(root))


@pytest.fixture(scope="module")
def measured(root, utterances):
    """Functionals of half the corpus, the first takes."""
    return {
        one.id: linear["functionals"](linear["read"](root / one.path)) for one in utterances if one.id.endswith("_1")
    }


def test_the_record_counts_what_is_made(utterances):
    assert len(utterances) == demo.CORPUS.utterances
    assert len({one.id for one in utterances}) == len(utterances)
    assert {one.speaker: one.gender for one in utterances} == demo.CORPUS.speakers
    assert set(Counter((one.speaker, one.native, one.transcript) for one in utterances).values()) == {2}
    assert Counter(demo.CORPUS.speakers.values()) == {"female": 5, "male": 5}


def test_the_classes_are_those_of_unified8_but_other():
    assert demo.CORPUS.emotion_names() == UNIFIED8[:-1]


def test_utterances_are_named_by_their_path(utterances):
    first = utterances[0]
    assert (first.id, first.path) == ("demo-s01-s01_anger_a_1", "s01/s01_anger_a_1.wav")
    assert (first.native, first.speaker, first.gender, first.language) == ("anger", "s01", "female", "zxx")
    assert first.transcript == "mano seli tuva"
    assert [one.id for one in utterances] == sorted(one.id for one in utterances)


def test_find_takes_no_other_files(tmp_path):
    (tmp_path / "s01").mkdir()
    for name in ("s01/s01_fear_b_2.wav", "s01/._s01_fear_b_2.wav", "s01/s02_fear_b_2.wav", "s01/s01_fear_b_2.txt"):
        (tmp_path / name).touch()
    assert [one.path for one in demo.find(tmp_path)] == ["s01/s01_fear_b_2.wav"]


FOLDS = [name for name in demo.CORPUS.partitions if name.startswith("fold")]


@pytest.mark.parametrize("fold", FOLDS)
def test_a_fold_tests_one_unseen_woman_and_one_unseen_man(fold, utterances):
    split = demo.CORPUS.partitions[fold].assign(utterances)
    speakers = {
        name: {one.speaker for one, part in zip(utterances, split, strict=True) if part == name}
        for name in ("train", "test")
    }
    assert not speakers["train"] & speakers["test"]
    assert Counter(demo.CORPUS.speakers[one] for one in speakers["test"]) == {"female": 1, "male": 1}


def test_every_speaker_is_tested_once():
    tested = [one for fold in FOLDS for one in demo.CORPUS.partitions[fold].keys["test"]]
    assert sorted(tested) == sorted(demo.CORPUS.speakers)


def test_files_are_16_khz_mono_pcm16_of_1_to_2_s_with_headroom(root, utterances):
    for one in utterances:
        with wave.open(str(root / one.path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2), one.id
            assert 1 <= file.getnframes() / 16_000 <= 2, one.id
        peak = np.abs(linear["read"](root / one.path)).max()
        assert 0.01 < peak < 0.8, f"{one.id} peaks at {peak:.3f} of full scale"


def test_an_utterance_depends_on_its_name_only(root):
    """Made alone, in another process with another hash seed and one thread, it has the same samples."""
    script = "from loading_scripts.corpora.demo import utter; print(utter('s07', 'fear', 'c', '2').tobytes().hex())"
    environment = os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    alone = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOM.parent, capture_output=True, text=True, check=True
    )
    with wave.open(str(root / "s07" / "s07_fear_c_2.wav")) as file:
        assert bytes.fromhex(alone.stdout.strip()) == file.readframes(file.getnframes())


def test_the_corpus_is_the_one_whose_figures_are_published(root, utterances):
    digest = blake2b(digest_size=16)
    for one in utterances:
        digest.update((root / one.path).read_bytes())
    assert digest.hexdigest() == "e0e1c3060608b21623caa4496634b34c", (
        "the demo corpus has other samples: measure its figures again (tests/bench/demo_linear.py and all that were "
        "trained on it), see that caches make it anew, then put the new digest here"
    )


def test_nothing_is_printed_without_a_terminal(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(demo, "VOICES", {"s01": demo.VOICES["s01"]})
    monkeypatch.setattr(demo, "MANNERS", {"neutral": demo.MANNERS["neutral"]})
    demo.make(tmp_path)
    assert len(list(demo.find(tmp_path))) == 8
    assert capfd.readouterr() == ("", "")


def test_emotions_move_what_can_be_heard(utterances, measured):
    pitch, spread, tail, level, centroid, length = 0, 1, 3, 5, 7, 12

    def mean(emotion, functional):
        return np.mean(
            [measured[one.id][functional] for one in utterances if one.native == emotion and one.id in measured]
        )

    for emotion in ("anger", "fear", "happiness", "surprise"):
        assert mean(emotion, pitch) > mean("neutral", pitch) + 1
    for emotion in ("disgust", "sadness"):
        assert mean(emotion, pitch) < mean("neutral", pitch) - 1
        assert mean(emotion, level) < mean("neutral", level) - 1
        assert mean(emotion, length) > mean("neutral", length) + 0.1
    assert mean("fear", length) < mean("neutral", length) - 0.1
    assert mean("anger", level) > mean("neutral", level) + 3
    assert mean("sadness", centroid) < mean("neutral", centroid) < mean("anger", centroid)
    assert mean("sadness", spread) < mean("neutral", spread) < mean("happiness", spread)
    assert mean("anger", tail) + 1 < mean("neutral", tail) < mean("surprise", tail) - 1


def test_a_linear_model_learns_it_and_does_not_solve_it(utterances, measured):
    half = [one for one in utterances if one.id in measured]
    scores = linear["ua_per_fold"](np.stack([measured[one.id] for one in half]), half)
    assert 0.5 < np.mean(list(scores.values())) < 0.9, scores
