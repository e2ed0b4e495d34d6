"""Audio: bit-exact int16 at 16 kHz mono, and rows without torchcodec."""

import pickle
from io import BytesIO

import datasets
import numpy as np
import pyarrow as pa
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loading_scripts import audio
from loading_scripts.errors import AudioError

pytestmark = pytest.mark.skipif(audio.torchcodec_works(), reason="torchcodec decodes here; ours stands back")


@given(arrays(np.int16, st.integers(1, 400)))
@settings(max_examples=50, deadline=None)
def test_int16_survives_flac_and_float(samples):
    assert np.array_equal(audio.load(audio.flac(samples)), samples)
    assert np.array_equal(
        audio.load(audio.encode_row({"array": audio.as_float(samples), "sampling_rate": 16_000})), samples
    )


def test_stereo_is_the_mean_of_its_channels(tmp_path):
    left, right = np.array([0, 100, -200, 32767], np.int16), np.array([2, 300, -400, 32767], np.int16)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, right], axis=1), 16_000, subtype="PCM_16")
    assert audio.load(tmp_path / "stereo.wav").tolist() == [1, 200, -300, 32767]


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_resampling_keeps_duration_and_pitch(rate, tmp_path):
    seconds = np.arange(rate) / rate
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * seconds), rate)
    samples = audio.load(tmp_path / "tone.wav")
    assert abs(len(samples) - 16_000) <= 1
    assert np.argmax(np.abs(np.fft.rfft(samples, 16_000))) == 1000
    assert audio.duration(tmp_path / "tone.wav") == 1.0


@pytest.mark.parametrize(
    ("content", "rule"),
    [(None, "does not exist"), (b"not audio", "libsndfile or FFmpeg can read"), ("empty", "must hold samples")],
)
def test_broken_files_are_named(content, rule, tmp_path):
    path = tmp_path / "broken.wav"
    if content == "empty":
        soundfile.write(path, np.zeros(0), 16_000)
    elif content is not None:
        path.write_bytes(content)
    for read in (audio.load, audio.duration):
        with pytest.raises(AudioError, match=f"broken.wav.*{rule}"):
            read(path)


def column(values, **feature) -> datasets.Dataset:
    """Return a dataset with an audio column; as an Arrow table, as our builder makes it."""
    features = datasets.Features({"audio": datasets.Audio(**feature)})
    return datasets.Dataset(pa.Table.from_pylist([{"audio": value} for value in values], schema=features.arrow_schema))


@pytest.fixture
def clip(tmp_path):
    samples = (np.sin(np.arange(800) * 0.1) * 9000).astype(np.int16)
    soundfile.write(tmp_path / "clip.wav", samples, 16_000, subtype="PCM_16")
    return {"bytes": None, "path": str(tmp_path / "clip.wav")}, samples


def test_rows_map_stream_and_format(clip):
    value, samples = clip
    dataset = column([value] * 3, sampling_rate=16_000, num_channels=1)
    expected = audio.as_float(samples)
    assert np.array_equal(dataset[0]["audio"]["array"], expected)
    rewritten = dataset.map(lambda row: {"audio": row["audio"]})
    assert np.array_equal(rewritten[2]["audio"]["array"], expected)
    halved = dataset.map(lambda row: {"audio": row["audio"] | {"array": row["audio"]["array"][::2]}})
    assert np.array_equal(halved[0]["audio"]["array"], expected[::2])
    streamed = next(iter(dataset.to_iterable_dataset()))
    assert np.array_equal(streamed["audio"]["array"], expected)
    assert np.array_equal(dataset.with_format("torch")[1]["audio"]["array"].numpy(), expected)


def test_other_columns_keep_their_rate_and_channels(tmp_path):
    soundfile.write(tmp_path / "wide.wav", np.random.default_rng(0).uniform(-1, 1, (900, 2)), 8_000, subtype="FLOAT")
    value = {"bytes": (tmp_path / "wide.wav").read_bytes(), "path": None}
    as_it_is = column([value])[0]["audio"]
    assert as_it_is["array"].shape == (2, 900)
    assert as_it_is["sampling_rate"] == 8_000
    assert column([value], sampling_rate=16_000, num_channels=1)[0]["audio"]["array"].shape == (1_800,)
    assert column([value], decode=False)[0]["audio"]["bytes"][:4] == b"RIFF"
    with pytest.raises(AudioError, match="channels"):
        column([value | {"bytes": audio.flac(np.zeros((9, 3), np.int16))}], num_channels=2)[0]


def test_a_spawned_worker_can_read_what_it_is_sent(clip, run_python, tmp_path):
    """The worker imports only `datasets`; the pickled feature brings our module along."""
    value, samples = clip
    dataset = column([value], sampling_rate=16_000, num_channels=1)
    (tmp_path / "dataset.pickle").write_bytes(pickle.dumps(dataset))
    done = run_python(
        "import pickle, datasets\n"
        "dataset = pickle.load(open('dataset.pickle', 'rb'))\n"
        "print(dataset[0]['audio']['array'].shape)",
        cwd=tmp_path,
    )
    assert done.stdout.strip() == f"({len(samples)},)", done.stderr


def test_encode_accepts_what_datasets_accepts(clip):
    value, samples = clip
    dataset = datasets.Dataset.from_dict(
        {"audio": [value["path"], value]}, datasets.Features({"audio": datasets.Audio()})
    )
    assert np.array_equal(dataset[1]["audio"]["array"], audio.as_float(samples))
    data = BytesIO()
    soundfile.write(data, samples, 16_000, format="WAV")
    assert audio.encode_row(data.getvalue())["bytes"][:4] == b"RIFF"
    with pytest.raises(AudioError, match="needs 'path', 'bytes' or 'array'"):
        audio.encode_row({"sampling_rate": 16_000})


def write_container(path, samples: np.ndarray, rate: int, codec: str) -> None:
    """Write float samples (frames, channels) with PyAV."""
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate, layout={1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]])
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T.astype(np.float32)), "fltp", stream.layout.name
        )
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout=stream.layout.name, rate=rate)
        for piece in [*resampler.resample(frame), None]:
            container.mux(stream.encode(piece))


@pytest.mark.parametrize(
    ("suffix", "codec", "channels"),
    [(".mp4", "aac", 6), (".m4a", "aac", 2), (".avi", "pcm_s16le", 1), (".webm", "libopus", 2)],
)
def test_containers_are_decoded_and_mixed_down(suffix, codec, channels, tmp_path):
    seconds = np.arange(48_000) / 48_000
    tone = 0.4 * np.sin(2 * np.pi * 500 * seconds)
    write_container(tmp_path / f"clip{suffix}", np.stack([tone] * channels, axis=1), 48_000, codec)
    samples = audio.load(tmp_path / f"clip{suffix}")
    assert abs(len(samples) - 16_000) < 1_600  # codecs pad to whole frames
    middle = samples[4_000:12_000]
    assert np.argmax(np.abs(np.fft.rfft(middle, 16_000))) == pytest.approx(500, abs=2)
    assert np.abs(middle).max() / 32768 == pytest.approx(0.4, rel=0.15)


def test_a_segment_is_what_lies_between_its_frames(tmp_path):
    samples = np.arange(1000, dtype=np.int16)
    soundfile.write(tmp_path / "long.flac", samples, 16_000, subtype="PCM_16")
    assert audio.load(tmp_path / "long.flac", start=0.01, end=0.02).tolist() == list(range(160, 320))
    assert audio.load(tmp_path / "long.flac", start=0.06).tolist() == list(range(960, 1000))
    with pytest.raises(AudioError, match="from 1.0 to 2.0 s"):
        audio.load(tmp_path / "long.flac", start=1.0, end=2.0)
