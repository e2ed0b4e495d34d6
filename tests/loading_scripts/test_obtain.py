"""Corpora that come by themselves: the archive of an open corpus, from a loopback server."""

import dataclasses
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path

import datasets
import pytest
from conftest import published

from loading_scripts import registry
from loading_scripts.corpus import Archive
from loading_scripts.errors import DownloadError


@pytest.fixture
def server(tones, tmp_path, monkeypatch):
    """Serve a small RAVDESS archive and point the record at it; yields the list of requested paths and the folder."""
    paths = [line["path"].removeprefix("audio/Audio_Speech_Actors_01-24/") for line in published("ravdess")[:24]]
    root = tones(tmp_path / "raw", paths)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in paths:
            archive.write(root / path, path)
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "speech.zip").write_bytes(packed.getvalue())
    requested = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "www"))

        def log_message(self, *_):
            requested.append((self.command, self.path))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        archive = Archive(
            url=f"http://127.0.0.1:{listening.server_port}/speech.zip",
            bytes=len(packed.getvalue()),
            sha256=hashlib.sha256(packed.getvalue()).hexdigest(),
        )
        module = registry.load("ravdess")
        monkeypatch.setattr(module, "CORPUS", dataclasses.replace(module.CORPUS, downloads=(archive,)))
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # no Hub, but the file server
        yield requested, tmp_path / "www"
        listening.shutdown()


def load(cache, **kwargs):
    return datasets.load_dataset("serbench/ravdess", "fold1", cache_dir=str(cache), **kwargs)


def test_the_promised_line_fetches_the_archive_once(server, tmp_path, caplog):
    requested, _ = server
    loaded = load(tmp_path / "cache")
    assert sum(map(len, loaded.values())) == 24
    assert len(loaded["test"][0]["audio"]["array"]) == 3200
    assert "MB, licence CC-BY-NC-SA-4.0" in caplog.text
    gets = [path for command, path in requested if command == "GET"]
    load(tmp_path / "cache", download_mode="reuse_cache_if_exists")
    datasets.load_dataset("serbench/ravdess", "fold2", cache_dir=str(tmp_path / "cache"))
    assert [path for command, path in requested if command == "GET"] == gets == ["/speech.zip"]


def test_streaming_fetches_too_but_asking_for_names_does_not(server, tmp_path):
    requested, _ = server
    assert datasets.get_dataset_split_names("serbench/ravdess", "fold3") == ["train", "test"]
    assert not requested
    streamed = load(tmp_path / "cache", streaming=True)
    assert len(list(streamed["train"])) + len(list(streamed["test"])) == 24


def test_another_file_is_refused_and_removed(server, tmp_path):
    requested, www = server
    (www / "speech.zip").write_bytes(b"PK another file")
    for _ in range(2):  # the wrong file is not kept: the second try asks again
        with pytest.raises(DownloadError, match=r"must have sha256 .*; got .*15 bytes.*was removed"):
            load(tmp_path / "cache")
    assert len([path for command, path in requested if command == "GET"]) == 2


def test_a_half_unpacked_archive_is_unpacked_again(server, tmp_path):
    loaded = load(tmp_path / "cache")
    clip = loaded.cast_column("audio", datasets.Audio(decode=False))["test"][0]["audio"]["path"]
    Path(clip).write_bytes(b"")
    again = load(tmp_path / "cache", download_mode="reuse_cache_if_exists")
    assert len(again["test"][0]["audio"]["array"]) == 3200


@pytest.mark.parametrize("pack", ["zip", "tar"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(pack, server, tmp_path, monkeypatch):
    _, www = server
    if pack == "zip":
        with zipfile.ZipFile(www / "speech.zip", "w") as archive:
            archive.writestr("../escaped.wav", b"RIFF")
    else:
        with tarfile.open(www / "speech.zip", "w") as archive:
            archive.addfile(tarfile.TarInfo("Actor_01/../../escaped.wav"))
    module = registry.load("ravdess")
    told = dataclasses.replace(
        module.CORPUS.downloads[0], sha256=hashlib.sha256((www / "speech.zip").read_bytes()).hexdigest()
    )
    monkeypatch.setattr(module, "CORPUS", dataclasses.replace(module.CORPUS, downloads=(told,)))
    with pytest.raises(DownloadError, match=r"stay below its folder.*\.\./escaped\.wav"):
        load(tmp_path / "cache")
    assert not list(tmp_path.rglob("escaped.wav"))


def test_offline_says_so(server, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=r"(?s)could not be fetched.*[Oo]ffline.*zenodo.org/records/1188976"):
        load(tmp_path / "cache")
