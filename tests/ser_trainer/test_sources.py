import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from datasets import Dataset

from ser_trainer.finetune.sources import (
    LicenceError,
    base_model_source,
    check_commercial,
    record_id,
    training_corpus,
    without_folder,
)

ROWS = Dataset.from_dict({"id": ["a", "b"]})


def write_card(folder, front: str):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{front}\n---\n# A model\n", encoding="utf-8")
    return folder


def test_a_corpus_of_serbench_comes_with_its_terms_wherever_it_lies():
    for dataset in ("serbench/iemocap", "/data/serbench/iemocap", "./serbench/iemocap"):
        told = training_corpus(dataset, "fold1", ROWS)
        assert (told.name, told.licence, told.redistribution, told.utterances) == ("IEMOCAP", "custom", "no", 2)
        assert type(told.commercial) is str and "five-point" in told.rating_scale
        assert not told.dataset.startswith("/")


def test_a_corpus_of_somebody_else_comes_with_what_it_says_of_itself():
    rows = Dataset.from_dict({"id": ["a"]})
    rows.info.license, rows.info.homepage = "cc-by-nc-4.0", "https://example.org"

    told = training_corpus("somebody/speech", "all", rows)

    assert (told.name, told.dataset, told.commercial) == ("somebody/speech", "somebody/speech", "no")
    assert (told.redistribution, told.homepage) == ("yes", "https://example.org")
    assert training_corpus("/data/mine", "all", ROWS).name == "mine"
    assert training_corpus("/data/mine", "all", ROWS).licence == "unknown"


@pytest.mark.parametrize(
    ("front", "licence", "commercial"),
    [
        ("license: apache-2.0", "apache-2.0", "yes"),
        ("license: cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0", "no"),
        ("license: other\nlicense_name: my-terms", "my-terms", "unclear"),
        ("license:\n- mit\n- apache-2.0", "mit, apache-2.0", "unclear"),
        ("tags: []", "unknown", "unclear"),
        ("license: [", "unknown", "unclear"),
    ],
)
def test_the_licence_of_a_base_model_is_read_from_the_card_in_its_folder(tmp_path, front, licence, commercial):
    told = base_model_source(str(write_card(tmp_path / "encoder", front)))

    assert (told.name, told.licence, told.commercial) == ("encoder", licence, commercial)
    assert str(tmp_path) not in repr(told)


def test_a_folder_without_a_card_has_an_unknown_licence(tmp_path):
    assert base_model_source(str(tmp_path)).licence == "unknown"


def test_offline_a_card_in_the_cache_tells_and_nothing_else_is_asked(tmp_path, monkeypatch):
    snapshot = tmp_path / "models--org--encoder" / "snapshots" / "abc"
    write_card(snapshot, "license: mit")
    (tmp_path / "models--org--encoder" / "refs").mkdir()
    (tmp_path / "models--org--encoder" / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    assert base_model_source("org/encoder").licence == "mit"
    assert base_model_source("org/another").licence == "unknown"


@pytest.fixture
def server():
    """A Hub that knows one model."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            known = self.path == "/api/models/org/encoder"
            body = json.dumps({"id": "org/encoder", "cardData": {"license": "cc-by-nc-4.0"}} if known else {}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()


def test_the_hub_is_asked_once_for_a_card_that_is_not_at_hand(server, run_python, tmp_path):
    address, asked = server
    done = run_python(
        "from ser_trainer.finetune.sources import base_model_source as told\n"
        "print(told('org/encoder').licence, told('org/another').licence, told('no such id').licence)",
        cwd=tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE="0", HF_HOME=str(tmp_path), NO_PROXY="127.0.0.1",
    )  # fmt: skip

    assert done.stdout.split() == ["cc-by-nc-4.0", "unknown", "unknown"], done.stderr[-2000:]
    models = [path for path in asked if path.startswith("/api/models/")]
    assert models == ["/api/models/org/encoder", "/api/models/org/another"]


def test_only_commercial_refuses_all_that_does_not_clearly_allow_it_at_once():
    free = training_corpus("serbench/emodb", "fold1", ROWS)
    check_commercial([free])

    with pytest.raises(LicenceError) as refused:
        check_commercial([free, *(training_corpus(f"serbench/{name}", "fold1", ROWS) for name in ("ravdess", "meld"))])

    message = str(refused.value)
    assert "RAVDESS (licence CC-BY-NC-SA-4.0, commercial use no)" in message
    assert "MELD (licence GPL-3.0, commercial use unclear)" in message
    assert "--only_commercial" in message and free.name not in message


def test_names_of_records_and_folders():
    assert record_id("serbench/urdu") == record_id("/x/serbench/urdu") == "urdu"
    assert record_id("urdu") is record_id("other/urdu") is record_id("serbench/nothing") is None
    assert without_folder("--noise_dir=/data/noise") == "--noise_dir=noise"
    assert without_folder("facebook/hubert") == "facebook/hubert"
