"""RESD: the Parquet files of the Hub become the tree of WAV files, whole or not at all."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loading_scripts import raw
from loading_scripts.corpora import resd
from loading_scripts.errors import CorpusMismatchError, RawTreeError

CLIPS = {
    "train": [
        "happiness_enthusiasm_32/32_happiness_enthusiasm_h_120.wav",
        "03_disgust_neutral/03_disgust_neutral n_050.wav",
    ],
    "test": ["anger_fear_34/34_anger_fear_f_010.wav"],
}


@pytest.fixture
def packed(tones, tmp_path):
    """Return a folder with data/train-*.parquet and data/test-*.parquet in the columns of the Hub's files."""
    tone = (tones(tmp_path / "tone", ["tone.wav"]) / "tone.wav").read_bytes()
    folder = tmp_path / "resd_annotated"
    (folder / "data").mkdir(parents=True)
    for split, paths in CLIPS.items():
        rows = [
            {
                "name": path.rpartition("/")[2].removesuffix(".wav"),
                "path": path,
                "speech": {"bytes": tone, "path": None},
                "text": f"Текст, {number}",
                "emotion": "neutral",
            }
            for number, path in enumerate(paths)
        ]
        pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{split}-00000-of-00001-1f5fe73d1293189c.parquet")
    return folder


def test_packed_clips_are_refused_with_the_command_that_unpacks_them(packed):
    with pytest.raises(RawTreeError, match=r"python -m loading_scripts\.corpora\.resd .*resd_annotated$"):
        raw.locate(resd, packed)


@pytest.mark.parametrize("below", [".", "data"])
def test_unpacked_clips_are_the_tree_that_find_reads(packed, below):
    folder = packed / below
    assert resd.unpack(folder) == 3
    found = list(resd.find(raw.locate(resd, packed)))
    assert sorted(one.path for one in found) == sorted(f"{split}/{path}" for split in CLIPS for path in CLIPS[split])
    assert {one.id: one.transcript for one in found} == {
        "resd-03_disgust_neutral n_050.wav": "Текст, 1",
        "resd-32_happiness_enthusiasm_h_120.wav": "Текст, 0",
        "resd-34_anger_fear_f_010.wav": "Текст, 0",
    }
    assert resd.OFFICIAL.assign(found) == [one.path.split("/")[0] for one in found]
    assert resd.unpack(folder) == 0  # all is there


def test_what_a_killed_run_left_is_written_anew(packed):
    (packed / "train.part" / "x").mkdir(parents=True)
    resd.unpack(packed)
    assert not (packed / "train.part").exists()
    assert not (packed / "train" / "x").exists()


def test_a_clip_that_leads_out_of_the_folder_is_refused(packed):
    shard = next((packed / "data").glob("test-*"))
    table = pq.read_table(shard).to_pylist()
    pq.write_table(pa.Table.from_pylist([table[0] | {"path": "../34_anger_fear_f_010.wav/../../x.wav"}]), shard)
    with pytest.raises(CorpusMismatchError, match=r"x\.wav"):
        resd.unpack(packed)
    with pytest.raises(RawTreeError, match="no train-"):
        resd.unpack(packed.parent / "tone")
