"""Unpacking: the tree as its authors packed it, and nothing else, nowhere else."""

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import KINDS, packed

from loading_scripts import unpack as unpacking
from loading_scripts.errors import DownloadError
from loading_scripts.unpack import unpack


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def unpacked(tmp_path):
    """Return a function that unpacks the bytes of an archive and returns the tree."""

    def run(content: bytes, kind: str) -> dict[str, bytes]:
        (tmp_path / f"corpus.{kind}").write_bytes(content)
        unpack(tmp_path / f"corpus.{kind}", tmp_path / "tree")
        return tree(tmp_path / "tree")

    return run


PARTS = st.text("abcXYZ019 _-é中", min_size=1, max_size=6).map(str.strip).filter(bool)
TREES = st.dictionaries(st.tuples(PARTS, PARTS).map("/".join), st.binary(max_size=50), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(KINDS)), TREES)
def test_what_was_packed_comes_out(tmp_path_factory, kind, files):
    folder = tmp_path_factory.mktemp("unpack")
    (folder / f"corpus.{kind}").write_bytes(packed(kind, files))
    written = unpack(folder / f"corpus.{kind}", folder / "tree", allowed=10_000)
    assert tree(folder / "tree") == files
    assert written == sum(map(len, files.values()))


HOSTILE = ("../escaped", "a/../../escaped", "/escaped", "..\\escaped", "a\\..\\..\\escaped", "C:\\escaped")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_entry_leads_out_of_the_folder(kind, name, unpacked, tmp_path):
    if kind != "zip" and "\\" in name:
        pytest.skip("in tar files a backslash is a letter")
    with pytest.raises(DownloadError, match=r"stay below its folder; found '.*escaped'"):
        unpacked(packed(kind, {"fine.wav": b"x", name: b"x"}), kind)
    assert not [path for path in tmp_path.rglob("*") if path.name == "escaped"]
    assert not Path("/escaped").exists()


def links(*entries: tuple[str, bytes, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("audio/a.wav")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"RIFF"))
        for name, kind, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
    return buffer.getvalue()


def test_links_inside_become_files(unpacked):
    inside = (("copy.wav", tarfile.SYMTYPE, "audio/a.wav"), ("hard.wav", tarfile.LNKTYPE, "audio/a.wav"))
    found = unpacked(links(*inside, ("pipe", tarfile.FIFOTYPE, "")), "tar")
    assert found == dict.fromkeys(["audio/a.wav", "copy.wav", "hard.wav"], b"RIFF")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../etc/passwd"])
def test_links_that_lead_out_are_refused(kind, target, unpacked):
    with pytest.raises(DownloadError, match="'leak' leads to '.*etc/passwd'"):
        unpacked(links(("leak", kind, target)), "tar")


def test_a_link_in_a_zip_is_not_followed(unpacked):
    entry = zipfile.ZipInfo("leak")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    assert unpacked(packed("zip", {"a.wav": b"x", entry: b"/etc/passwd"}), "zip") == {"a.wav": b"x"}


def test_archives_in_archives_are_unpacked_where_they_lie(unpacked):
    inner = packed("tar.gz", {"train_splits/a.wav": b"a"})
    outer = packed("zip", {"raw/train.tar.gz": inner, "raw/list.csv": b"c", "deep/x.zip": packed("zip", {"y": b"y"})})
    assert unpacked(packed("tar", {"all.zip": outer}), "tar") == {
        "raw/train_splits/a.wav": b"a",
        "raw/list.csv": b"c",
        "deep/y": b"y",
    }


@pytest.mark.parametrize("nested", [False, True])
def test_a_bomb_is_refused_before_it_fills_the_disk(nested, unpacked, tmp_path):
    bomb = packed("zip", {"zeros.wav": bytes(30 << 20)})
    content = packed("zip", {"inner.zip": bomb}) if nested else bomb
    with pytest.raises(DownloadError, match="at most 50 times its size may come out of an archive"):
        unpacked(content, "zip")
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert on_disk <= (unpacking.GROWTH + 2) * len(content)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_no_archive_is_named(kind, unpacked):
    with pytest.raises(DownloadError, match=r"corpus\..* must be a whole, unencrypted ZIP or tar.*<!DOCTYPE html"):
        unpacked(b"<!DOCTYPE html><title>Please log in</title>" * 50, kind)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz", "tar"])
def test_a_truncated_archive_is_named(kind, unpacked):
    noise = random.Random(1)
    whole = packed(kind, {f"{k}.wav": noise.randbytes(2000) for k in range(30)})
    with pytest.raises(DownloadError, match="must be a whole"):
        unpacked(whole[: len(whole) * 2 // 3], kind)


def test_an_encrypted_archive_is_named(unpacked):
    content = bytearray(packed("zip", {"a.wav": b"x"}))
    content[6] |= 1  # the flag in the local header, then in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DownloadError, match="encrypted"):
        unpacked(bytes(content), "zip")


def test_names_that_a_mac_wrote_without_saying_that_they_are_utf8(unpacked):
    content = packed("zip", {"Colère/a.wav": b"x"})
    assert content[7] & 8  # Python says so
    plain = bytearray(content)
    for start in (0, content.index(b"PK\x01\x02") + 2):
        plain[start + 7] &= ~8
    assert unpacked(bytes(plain), "zip") == {"Colère/a.wav": b"x"}


def test_folders_that_windows_wrote(unpacked):
    assert unpacked(packed("zip", {"wav\\": b"", "wav\\a.wav": b"x"}), "zip") == {"wav/a.wav": b"x"}


def test_a_file_that_several_archives_have_is_kept_and_told(tmp_path, caplog):
    for name, word in (("a", b"first"), ("b", b"second")):
        (tmp_path / f"{name}.zip").write_bytes(packed("zip", {"LICENSE": word, f"{name}.wav": b"x"}))
        unpack(tmp_path / f"{name}.zip", tmp_path / "tree")
    assert tree(tmp_path / "tree") == {"LICENSE": b"first", "a.wav": b"x", "b.wav": b"x"}
    assert "b.zip: 1 of its files exist already and are kept, first LICENSE" in caplog.text
