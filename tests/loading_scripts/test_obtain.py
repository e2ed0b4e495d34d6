"""Corpora that come by themselves or on demand: archives of open corpora, from a loopback server."""

import dataclasses
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import datasets
import pytest
import soundfile
from conftest import REPOSITORY, published
from file_server import FileServer
from packing import packed
from typer.testing import CliRunner

from loading_scripts import obtain, registry
from loading_scripts.corpus import Archive
from loading_scripts.errors import DiskFullError, DownloadError, RawTreeError, RecordError
from loading_scripts.obtain import download
from ser_trainer import cli

PATHS = [line["path"].removeprefix("audio/Audio_Speech_Actors_01-24/") for line in published("ravdess")[:24]]


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, bytes]:
    """Return path -> bytes of 24 clips of RAVDESS: noise, so that archives do not shrink to nothing."""
    noise, file = random.Random(1), tmp_path_factory.mktemp("clip") / "clip.wav"
    found = {}
    for path in PATHS:
        soundfile.write(file, [noise.uniform(-0.5, 0.5) for _ in range(3200)], 16_000, subtype="PCM_16")
        found[path] = file.read_bytes()
    return found


@pytest.fixture
def server(monkeypatch):
    """Serve files to huggingface_hub in this process, which finds no repository there."""
    with FileServer() as running:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.url)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            f"{running.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
        )
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", running.url)
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
        yield running


@pytest.fixture
def record(server, monkeypatch):
    """Return a function that serves files and makes them the archives of RAVDESS, with the checksums asked for."""

    def offer(files: dict[str, bytes], *checksums: str) -> list[Archive]:
        server.files |= files
        archives = []
        for name, content in files.items():
            told = {kind: hashlib.new(kind, content).hexdigest() for kind in checksums}
            archives.append(Archive(url=f"{server.url}/{name}", **told))
        replace(archives)
        return archives

    def replace(archives: list[Archive]) -> None:
        module = registry.load("ravdess")
        monkeypatch.setattr(module, "CORPUS", dataclasses.replace(module.CORPUS, downloads=tuple(archives)))

    offer.replace = replace
    return offer


@pytest.fixture
def speech(record, clips):
    """Offer all clips in one ZIP file with its sha256."""
    return record({"speech.zip": packed("zip", clips)}, "sha256")[0]


def load(cache, **kwargs):
    return datasets.load_dataset("serbench/ravdess", "fold1", cache_dir=str(cache), **kwargs)


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, [str(word) for word in words])
    return done.exit_code, done.stdout + (str(done.exception) if done.exception else "")


# By load_dataset


def test_the_promised_line_fetches_the_archive_once(speech, server, tmp_path, caplog):
    loaded = load(tmp_path / "cache")
    assert sum(map(len, loaded.values())) == 24
    assert len(loaded["test"][0]["audio"]["array"]) == 3200
    assert "RAVDESS: 1 file, size unknown, licence CC-BY-NC-SA-4.0 (a commercial" in caplog.text
    load(tmp_path / "cache", download_mode="reuse_cache_if_exists")
    datasets.load_dataset("serbench/ravdess", "fold2", cache_dir=str(tmp_path / "cache"))
    assert server.gets() == [("speech.zip", None)]
    load(tmp_path / "cache", download_mode="force_redownload")
    assert len(server.gets()) == 2
    assert not list(tmp_path.rglob("*.zip"))


def test_streaming_fetches_too_but_asking_for_names_does_not(speech, server, tmp_path):
    assert datasets.get_dataset_split_names("serbench/ravdess", "fold3") == ["train", "test"]
    assert not server.requested
    streamed = load(tmp_path / "cache", streaming=True)
    assert len(list(streamed["train"])) + len(list(streamed["test"])) == 24


def test_several_archives_of_all_kinds_become_one_tree(record, clips, server, tmp_path):
    parts = [dict(list(clips.items())[start : start + 6]) for start in range(0, 24, 6)]
    record(
        {
            "a.zip": packed("zip", parts[0]),
            "b.tar.gz": packed("tar.gz", parts[1]),
            "c.tar.xz": packed("tar.xz", parts[2]),
            "d.zip": packed("zip", {"inner.tar": packed("tar", parts[3]), "README.txt": b"read"}),
            "list%20of%20actors.csv": b"actor,gender\n",
        },
        "sha256",
    )
    assert sum(map(len, load(tmp_path / "cache").values())) == 24
    root = next((tmp_path / "cache" / "downloads" / "serbench").glob("ravdess-*"))
    assert {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()} == (
        clips | {"README.txt": b"read", "list of actors.csv": b"actor,gender\n"}
    )


def test_offline_says_so(speech, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=r"(?s)could not be fetched.*[Oo]ffline.*zenodo.org/records/1188976"):
        load(tmp_path / "cache")


@pytest.mark.parametrize("checksums", [(), ("md5",)])
def test_what_has_no_published_sha256_is_fetched_by_the_command_alone(checksums, record, clips, server, tmp_path):
    archive = record({"speech.zip": packed("zip", clips)}, *checksums)[0]
    with pytest.raises(RawTreeError, match=r"(?s)nothing is fetched unasked.*speech\.zip.*serbench download ravdess"):
        load(tmp_path / "cache")
    assert not server.requested
    code, text = run("download", "ravdess")
    digest = hashlib.sha256(server.files["speech.zip"]).hexdigest()
    known = "md5 as published" if checksums else "nothing to compare with"
    assert code == 0
    assert f"{archive.url}: sha256 {digest} ({known})\nFetched " in text
    assert ": 24 of 1440 utterances\nload_dataset(" in text
    assert sum(map(len, load(tmp_path / "cache").values())) == 24  # finds what the command fetched
    assert "Already there:" in run("download", "ravdess")[1]
    assert len(server.gets()) == 1


# Another file than the record's


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_another_file_is_refused_and_removed(kind, record, clips, server, tmp_path):
    record({"speech.zip": packed("zip", clips)}, kind)
    server.files["speech.zip"] = b"PK another file"
    for _ in range(2):  # the wrong file is not kept: the second try asks again
        with pytest.raises(DownloadError, match=rf"must have {kind} .*; got .*15 bytes.*was removed"):
            download(registry.load("ravdess"), tmp_path / "raw")
    assert len(server.gets()) == 2
    assert not (tmp_path / "raw").exists()


def test_another_size_is_refused_before_it_is_fetched(speech, record, server, tmp_path):
    record.replace([dataclasses.replace(speech, bytes=208_468_073)])
    with pytest.raises(DownloadError, match=r"must have 208468073 bytes; the server announces \d+"):
        download(registry.load("ravdess"), tmp_path / "raw")
    assert not server.gets()


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("zip", {"../escaped.wav": b"RIFF"}, r"stay below its folder.*\.\./escaped\.wav"),
        ("tar.gz", {"Actor_01/../../escaped.wav": b"RIFF"}, "stay below its folder"),
        ("zip", {"zeros.wav": bytes(1 << 20)}, "at most 50 times"),
    ],
)
def test_a_hostile_archive_leaves_nothing(kind, content, message, record, server, tmp_path):
    record({f"speech.{kind}": packed(kind, content)}, "sha256")
    for _ in range(2):
        with pytest.raises(DownloadError, match=message):
            load(tmp_path / "cache")
    assert not list(tmp_path.rglob("*.wav"))
    assert not list(tmp_path.glob("cache/downloads/serbench/ravdess-*"))
    assert len(server.gets()) == 2


def test_a_page_instead_of_the_archive_is_told_and_fetched_anew(record, clips, server, tmp_path):
    record({"speech.zip": b"<!DOCTYPE html>"})
    with pytest.raises(DownloadError, match="must be a whole.*DOCTYPE html"):
        download(registry.load("ravdess"), tmp_path / "raw")
    server.files["speech.zip"] = packed("zip", clips)
    assert download(registry.load("ravdess"), tmp_path / "raw").root == tmp_path / "raw"


def test_checksums_are_hexadecimal():
    with pytest.raises(RecordError, match="sha256 is 64 hexadecimal digits in lower case; found 'ABC'"):
        Archive(url="http://example.org/a.zip", sha256="ABC")


def test_every_archive_of_a_record_has_a_path_of_its_own():
    for name in registry.ids():
        paths = [archive.path for archive in registry.load(name).CORPUS.downloads]
        assert all(paths)
        assert len(set(paths)) == len(paths), name


# Interruptions


def test_a_transfer_that_breaks_off_goes_on(speech, server, tmp_path):
    server.broken = [("cut", 50_000), ("cut", 20_000)]
    done = download(registry.load("ravdess"), tmp_path / "raw")
    assert done.sha256 == {speech.url: speech.sha256}
    assert [span for _, span in server.gets()] == [None, "bytes=50000-", "bytes=70000-"]


def test_a_server_without_ranges_sends_all_again(speech, server, tmp_path):
    server.broken, server.ranges = [("cut", 50_000)], False
    assert download(registry.load("ravdess"), tmp_path / "raw").sha256[speech.url] == speech.sha256


_CHILD = """
import sys, dataclasses, huggingface_hub.constants
from pathlib import Path
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 1000
from loading_scripts import obtain, registry
from loading_scripts.corpus import Archive
module = registry.load("ravdess")
module.CORPUS = dataclasses.replace(module.CORPUS, downloads=(Archive(url=sys.argv[1]),))
print("ready", flush=True)
obtain.download(module, Path(sys.argv[2]))
"""


def test_a_killed_download_continues_where_it_was(record, clips, server, tmp_path):
    archive = record({"speech.zip": packed("zip", clips)})[0]
    stalled, killed = threading.Event(), threading.Event()
    server.told = lambda: (stalled.set(), killed.wait(60))
    server.broken = [("cut", 90_000)]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, archive.url, str(tmp_path / "raw")],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "0"},
        stderr=subprocess.DEVNULL,
    )
    assert stalled.wait(60)
    part = next(iter(tmp_path.glob(".raw.part/*/speech.zip.*.unfinished")))
    while part.stat().st_size < 50_000:  # what was sent is on its way to the disk
        assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    killed.set()
    assert not (tmp_path / "raw").exists()
    begun = part.stat().st_size
    done = download(registry.load("ravdess"), tmp_path / "raw")
    assert server.gets()[1:] == [("speech.zip", f"bytes={begun}-")]
    assert done.sha256[archive.url] == hashlib.sha256(server.files["speech.zip"]).hexdigest()
    assert [path.name for path in tmp_path.iterdir() if path.name != ".raw.part.lock"] == ["raw"]


def test_a_file_that_changed_meanwhile_is_not_glued_to_its_old_half(record, clips, server, tmp_path):
    record({"speech.zip": packed("zip", {"old.wav": bytes(200_000)} | clips)})
    server.broken = [("cut", 50_000), *[("status", 503)] * 9]
    with pytest.raises(DownloadError):
        download(registry.load("ravdess"), tmp_path / "raw")
    server.files["speech.zip"], server.broken = packed("zip", clips), []
    download(registry.load("ravdess"), tmp_path / "raw")
    assert server.gets()[-1] == ("speech.zip", None)


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_a_server_that_refuses_is_named_and_asked_again(status, speech, server, tmp_path):
    server.broken = [("status", status)]
    with pytest.raises(DownloadError, match=rf"(?s)speech.zip could not be fetched.*{status}.*zenodo.org"):
        download(registry.load("ravdess"), tmp_path / "raw")
    assert download(registry.load("ravdess"), tmp_path / "raw").sha256[speech.url] == speech.sha256


def test_a_server_that_answers_get_alone(speech, server, tmp_path):
    server.heads = False
    assert download(registry.load("ravdess"), tmp_path / "raw").sha256[speech.url] == speech.sha256


def test_an_unpacking_that_was_killed_begins_again_without_fetching(speech, server, tmp_path, monkeypatch):
    unpack = obtain.unpack

    def killed(file, folder):
        unpack(file, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(obtain, "unpack", killed)
    with pytest.raises(KeyboardInterrupt):
        download(registry.load("ravdess"), tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
    monkeypatch.setattr(obtain, "unpack", unpack)
    download(registry.load("ravdess"), tmp_path / "raw")
    assert len(server.gets()) == 1


def test_two_at_once_fetch_once(speech, server, tmp_path):
    done = []
    threads = [
        threading.Thread(target=lambda: done.append(download(registry.load("ravdess"), tmp_path / "raw")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.root for one in done] == [tmp_path / "raw"] * 2
    assert len(server.gets()) == 1


# Disks


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_a_full_disk_is_told(speech, server, tmp_path):
    state = hashlib.sha256(f"{speech.url}\0{speech.sha256}\0{len(server.files['speech.zip'])}".encode()).hexdigest()[
        :16
    ]
    place = tmp_path / ".raw.part" / obtain._key(speech)
    place.mkdir(parents=True)
    full = place / f"speech.zip.{state}.unfinished"
    full.symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match=r"disk that holds .* is full .*No space left.*which continues"):
        download(registry.load("ravdess"), tmp_path / "raw")
    full.unlink()
    assert download(registry.load("ravdess"), tmp_path / "raw").sha256


def test_what_cannot_fit_is_not_begun(speech, record, server, tmp_path, monkeypatch):
    record.replace([dataclasses.replace(speech, bytes=36 << 30)])
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=40 << 30))
    with pytest.raises(DiskFullError, match=r"77\.3 GB are needed, 42\.9 GB are free"):
        download(registry.load("ravdess"), tmp_path / "raw")
    assert not server.requested


# The command


def test_a_folder_of_the_users_choice(speech, tmp_path):
    (tmp_path / "raw").mkdir()  # an empty one may exist
    code, text = run("download", "ravdess", "--raw", tmp_path / "raw")
    assert code == 0
    assert f"Fetched {tmp_path / 'raw'}: 24 of 1440 utterances" in text
    assert re.search(rf'load_dataset\("serbench/ravdess", "fold1", data_dir="{tmp_path}/raw"\)', text)
    assert "(as published)" in text


def test_a_folder_with_other_things_is_left_alone(speech, server, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "thesis.tex").write_text("mine")
    with pytest.raises(RawTreeError, match="no file of the corpus in"):
        download(registry.load("ravdess"), tmp_path / "raw")
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["thesis.tex"]
    assert not server.requested


def test_the_folder_of_raw_corpora_is_the_default_place(speech, tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path))
    assert download(registry.load("ravdess"), None).root == tmp_path / "ravdess"
    assert sum(map(len, load(tmp_path / "cache").values())) == 24


def test_every_other_corpus_says_how_to_get_it():
    for name in registry.ids():
        module = registry.load(name)
        if not module.CORPUS.downloads and not hasattr(module, "make"):
            with pytest.raises(RawTreeError, match=r"cannot be fetched\.\nGet it: "):
                download(module, None)
    code, text = run("download", "iemocap")
    assert code != 0
    assert "sail.usc.edu" in text
