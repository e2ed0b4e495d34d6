"""The commands, in this process; both protocols in miniature on corpora from disk."""

import json
from collections import Counter

import numpy as np
import pytest
import soundfile
import torch
from conftest import REPOSITORY, published
from lines import made
from transformers import HubertModel, Wav2Vec2FeatureExtractor
from typer.testing import CliRunner

from loading_scripts.errors import SerbenchError, UnknownNameError
from ser_trainer.benchmark.results.line import Results
from ser_trainer.cli import app
from ser_trainer.models import tiny_hubert_config

SPECTRA = f"{REPOSITORY / 'examples' / 'benchmark.py'}:spectra"


@pytest.fixture(scope="module")
def hubert(tmp_path_factory):
    """Return the folder of a tiny HuBERT with random weights."""
    folder = tmp_path_factory.mktemp("models") / "tiny-hubert"
    torch.manual_seed(0)
    HubertModel(tiny_hubert_config({0: "a", 1: "b"})).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(folder)
    return folder


def serbench(*words):
    """Run a command; what it refuses is raised."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    for encoder, accuracy in (("good", 0.8), ("bad", 0.4)):
        for corpus in ("emodb", "savee"):
            Results(folder).add(*made(corpus, encoder=encoder, accuracy=accuracy))
    return folder


def test_emobox_runs_on_a_local_model_and_goes_on(hubert, urdu, tmp_path):
    command = ("run", "emobox-intra", "--encoder", hubert, "--raw", urdu, "--epochs", 2, "--output", tmp_path)
    first = serbench(*command, "--corpora", "urdu")
    assert first.exit_code == 0
    assert "emobox-intra, strict: tiny-hubert, layer last, emobox, epochs=2" in first.stdout
    assert serbench(*command, "--corpora", "urdu").stdout == first.stdout
    (line,) = Results(tmp_path).lines()
    assert (line.corpus, line.config, line.n) == ("urdu", "fold1", sum(map(sum, line.confusion_matrix)))
    listed = serbench("cache", "--corpus", "urdu", "--encoder", "tiny-hubert").stdout
    assert "urdu\ttiny-hubert\tlast\t" in listed
    assert "Deleted" in serbench("cache", "--corpus", "urdu", "--encoder", "tiny-hubert", "--clean").stdout


@pytest.fixture
def savee(tmp_path):
    """Return a raw tree of SAVEE, three utterances of each speaker in each emotion, whose pitch tells the emotion."""
    root, seen = tmp_path / "SAVEE", Counter()
    for line in published("savee"):
        emotion, speaker = line["emotion"], line["speaker"]
        seen[speaker, emotion] += 1
        if seen[speaker, emotion] <= 3:
            (root / line["path"]).parent.mkdir(parents=True, exist_ok=True)
            pitch = 100 * 1.4 ** sorted({one for _, one in seen}).index(emotion) * (1 + 0.02 * seen[speaker, emotion])
            soundfile.write(root / line["path"], 0.3 * np.sin(2 * np.pi * pitch * np.arange(4000) / 16_000), 16_000)
    return root


def test_serab_runs_on_a_function_and_one_of_its_tasks(savee, tmp_path):
    done = serbench(
        "run", "serab", "--encoder", SPECTRA, "--output", tmp_path / "r", "--corpora", "savee", "--raw", savee
    )
    assert done.exit_code == 0
    assert "UM, 1 of 9 tasks" in done.stdout
    (line,) = Results(tmp_path / "r").lines()
    assert (line.config, line.shared_speakers) == ("serab_strict", 0.0)
    assert line.sizes == {"train": 42, "validation": 21, "test": 21}


def test_corpora_may_follow_one_option(tmp_path):
    with pytest.raises(UnknownNameError, match="Corpus 'urdo': not known"):
        serbench("run", "emobox-intra", "--encoder", SPECTRA, "--output", tmp_path, "--corpora", "demo", "urdo")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "serab", "--encoder", "wavlm_bas", "--corpora", "demo"), "Did you mean 'wavlm_base'"),
        (("run", "serap", "--encoder", SPECTRA, "--corpora", "demo"), "Did you mean 'serab'"),
        (("run", "serab", "--encoder", SPECTRA, "--corpora", "demo", "--variant", "x"), "strict, published; found 'x'"),
        (("run", "serab", "--encoder", SPECTRA, "--corpora", "demo", "demo"), "each corpus once"),
        (("extract", "demo", "--encoder", "byols_512=nowhere.pth"), "no file or folder 'nowhere.pth'"),
        (("report", "nowhere"), "holds no line of results"),
        (("encoders", "hubert_bse"), "Did you mean 'hubert_base'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SerbenchError, match=message):
        serbench(*words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("run", "serab", "--encoder", SPECTRA, "--corpora", "demo", "--layers", "some"),
        ("cache", "--clean"),
        ("compare", "one"),
        ("report", "results", "--html", "nowhere/report.html"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert serbench(*words).exit_code == 2


def test_stored_results_become_tables_a_page_and_a_card(results, tmp_path):
    assert "serab, strict: good" in serbench("report", results).stdout
    page, card = tmp_path / "report.html", tmp_path / "README.md"
    assert serbench("report", results, "--html", page).stdout == f"Wrote {page}\n"
    assert "good" in page.read_text(encoding="utf-8")
    compared = serbench("compare", results, "--encoder", "good", "--encoder", "bad").stdout
    assert "a is better" in compared
    assert serbench("export", results, "--encoder", "good", "--card", card).stdout == f"Wrote 2 results into {card}\n"
    assert "model-index" in card.read_text(encoding="utf-8")


def test_encoders_are_listed_and_told_as_json():
    assert "wavlm_large\tWavLM large" in serbench("encoders").stdout
    told = json.loads(serbench("encoders", "w2v2_emotion", "--json").stdout)
    assert told["seen"][0]["corpus"] == "msppodcast"


def test_extract_says_what_it_did_and_what_it_cannot(urdu):
    told = serbench("extract", "urdu", "--encoder", SPECTRA, "--raw", urdu).stdout
    assert told.startswith("urdu by benchmark.py:spectra: 200 of 200 utterances")
