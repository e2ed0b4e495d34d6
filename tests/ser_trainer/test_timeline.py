import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import HubertForSequenceClassification, Wav2Vec2FeatureExtractor

from loading_scripts import audio
from loading_scripts.errors import AudioError
from ser_trainer.models import tiny_hubert_config
from ser_trainer.prediction import PredictionError, inference, predict, predict_windows, stream
from ser_trainer.prediction.stream import seconds
from ser_trainer.prediction.timeline import windows


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slower on several threads, the more so where other tests run beside these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def spans(length: int, window: int, hop: int) -> list[tuple[int, int]]:
    """Return the windows' (first, end) by the words of the docstring, from the length of the whole."""
    found = [(0, min(window, length))]
    while found[-1][1] < length and found[-1][0] + hop < length:
        start = found[-1][0] + hop
        found.append((start, min(start + window, length)))
    start, end = found[-1]
    if len(found) > 1 and hop <= window and end - start < window / 2:
        found[-2:] = [(found[-2][0], end)]
    return found


def pieces(lengths: list[int]) -> Iterator[np.ndarray]:
    """Yield 0, 1, 2 ... in blocks."""
    start = 0
    for length in lengths:
        yield np.arange(start, start + length)
        start += length


@given(lengths=st.lists(st.integers(1, 30), min_size=1), window=st.integers(1, 40), hop=st.integers(1, 40))
def test_windows_do_not_depend_on_the_blocks_that_a_recording_comes_in(lengths, window, hop):
    found = list(windows(pieces(lengths), window, hop))

    assert [(start, start + len(samples)) for start, samples in found] == spans(sum(lengths), window, hop)
    assert all(samples.tolist() == list(range(start, start + len(samples))) for start, samples in found)


@given(length=st.integers(1, 500), window=st.integers(1, 40), hop=st.integers(1, 60))
def test_windows_reach_the_end_and_only_the_last_differs_in_length(length, window, hop):
    *others, (start, last) = windows([np.arange(length)], window, hop)

    assert all(len(samples) == window for _, samples in others)
    if hop <= window:
        assert start + len(last) == length
        assert len(last) < 1.5 * window
        assert len(last) >= window / 2 or not others


@given(block=st.integers(1, 50), window=st.integers(1, 40), hop=st.integers(1, 60))
def test_no_more_is_held_than_a_window_and_a_half_or_a_hop_and_a_block(block, window, hop):
    read = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal read
        while True:
            read += block
            yield np.zeros(block)

    for number, (start, _) in enumerate(windows(endless(), window, hop)):
        assert read - start <= max(1.5 * window + 0.5, hop) + block
        if number == 20:
            break


def encode(path: Path, samples: np.ndarray, rate: int, codec: str) -> None:
    """Write float samples (frames, channels) with FFmpeg's libraries."""
    layout = {1: "mono", 2: "stereo"}[samples.shape[1]]
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T, np.float32), "fltp", layout)
        frame.sample_rate = rate
        # Frames of the size that all these codecs take, as a recorder would give them.
        cut = av.AudioResampler(track.codec_context.format.name, layout, rate, frame_size=960)
        for piece in [*cut.resample(frame), *cut.resample(None), None]:
            container.mux(track.encode(piece))


def noise(rate: int, channels: int, duration: float) -> np.ndarray:
    return np.random.default_rng(rate).normal(0, 0.3, (int(duration * rate) + 1, channels)).clip(-1, 1)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "codec"),
    [
        ("a.wav", 16_000, 1, None),
        ("a.wav", 44_100, 2, None),
        ("a.flac", 48_000, 3, None),
        ("a.ogg", 22_050, 1, None),
        ("a.mp3", 44_100, 2, None),
        ("a.wav", 8_000, 1, None),
        ("a.wav", 11_025, 2, None),
        ("a.mkv", 16_000, 1, "pcm_s16le"),
        ("a.mkv", 44_100, 2, "pcm_s16le"),
        ("a.m4a", 44_100, 2, "aac"),
        ("a.webm", 48_000, 1, "libopus"),
    ],
)
def test_a_stream_gives_the_samples_of_the_whole(tmp_path, monkeypatch, name, rate, channels, codec):
    monkeypatch.setattr(stream, "BLOCK_SECONDS", 2)
    samples = noise(rate, channels, duration=7.3)
    if codec is None:
        soundfile.write(tmp_path / name, samples, rate)
    else:
        encode(tmp_path / name, samples, rate, codec)
    whole = audio.load(tmp_path / name)

    blocks = list(stream.stream(tmp_path / name))

    assert len(blocks) > 3
    found = np.concatenate(blocks)
    assert found.dtype == np.int16
    if rate == audio.SAMPLE_RATE:
        np.testing.assert_array_equal(found, whole)
    else:  # the convolution may add in another order for another length: 1e-8, which rounding makes 1 now and then
        np.testing.assert_allclose(found.astype(int), whole, atol=1)
        assert (found != whole).mean() < 1e-3
    assert seconds(tmp_path / name) == pytest.approx(len(whole) / 16_000, abs=0.1)


def test_a_file_that_breaks_off_gives_what_there_is_and_then_says_where(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK_SECONDS", 1)
    soundfile.write(tmp_path / "whole.flac", noise(16_000, 1, 10), 16_000)
    data = bytearray((tmp_path / "whole.flac").read_bytes())
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])

    blocks = []
    with pytest.raises(AudioError, match=r"cut\.flac: .* from [45]\.\d s on it is not: .*Replace or convert"):
        blocks.extend(stream.stream(tmp_path / "cut.flac"))

    found, whole = np.concatenate(blocks), audio.load(tmp_path / "whole.flac")
    assert len(found) >= 4 * 16_000
    np.testing.assert_array_equal(found, whole[: len(found)])


def test_what_is_no_audio_or_empty_is_said(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 44_100)
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "text.mp4").write_text("no audio")
    for name, rule in (("empty.wav", "must hold samples"), ("text.wav", "libsndfile can"), ("text.mp4", "FFmpeg can")):
        with pytest.raises(AudioError, match=f"{name}: .*{rule}"):
            list(stream.stream(tmp_path / name))
    assert seconds(tmp_path / "text.wav") is None
    assert seconds(tmp_path / "text.mp4") is None


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2)])
def test_memory_does_not_grow_with_the_recording(tmp_path, rate, channels):
    peaks = []
    for minutes in (1, 5):
        soundfile.write(tmp_path / "long.wav", np.zeros((minutes * 60 * rate, channels), np.int16), rate)
        tracemalloc.start()
        for _ in windows(stream.stream(tmp_path / "long.wav"), 48_000, 16_000):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


@pytest.fixture(params=[True, False], ids=["together", "apart"])
def model(request):
    """Return a random classifier that is blind to padding, or is not, and its extractor."""
    torch.manual_seed(0)
    config = tiny_hubert_config({0: "anger", 1: "neutral", 2: "sadness"})
    return HubertForSequenceClassification(config).eval(), Wav2Vec2FeatureExtractor(return_attention_mask=request.param)


@pytest.mark.parametrize(("window", "hop"), [(1.0, None), (1.0, 0.4), (0.5, 1.5)])
def test_a_window_is_predicted_as_if_it_were_a_file(tmp_path, model, window, hop):
    files = []
    for number, duration in enumerate([3.3, 0.01, 2.6]):  # the second is shorter than the model's first frame
        files.append(tmp_path / f"{number}.wav")
        soundfile.write(files[-1], noise(16_000 + number, 1, duration), 16_000)

    found = list(predict_windows(files, *model, window, hop, batch_size=3))

    cut = [tmp_path / f"cut{number}.wav" for number in range(len(found))]
    for one, path in zip(found, cut, strict=True):
        samples = audio.load(one.file)[round(one.start * 16_000) : round(one.end * 16_000)]
        soundfile.write(path, samples, 16_000)
    expected = list(predict(cut, *model))
    assert [one.label for one in found] == [one.label for one in expected]
    for one, alone in zip(found, expected, strict=True):
        assert one.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
    lengths = [len(audio.load(file)) for file in files]
    step = round((hop or window) * 16_000)
    assert [(one.file, round(one.start * 16_000), round(one.end * 16_000)) for one in found] == [
        (str(file), *span)
        for file, length in zip(files, lengths, strict=True)
        for span in spans(length, round(window * 16_000), step)
    ]


def test_predictions_come_while_the_recording_is_read(tmp_path, model, monkeypatch):
    soundfile.write(tmp_path / "long.wav", noise(16_000, 1, 20), 16_000)
    read = []
    blocks = stream.stream

    def watched(path: Path) -> Iterator[np.ndarray]:
        for block in blocks(path):
            read.append(len(block) / 16_000)
            yield block

    monkeypatch.setattr(stream, "BLOCK_SECONDS", 1)
    monkeypatch.setattr(inference, "stream", watched)
    for one in predict_windows([tmp_path / "long.wav"], *model, window=1, batch_size=4):
        assert sum(read) <= one.end + 4 + 1.5


@pytest.mark.parametrize(
    ("window", "hop", "message"),
    [
        (0, None, r"a window must be a number of seconds above 0; it is 0 s"),
        (-1, None, r"a window must be"),
        (float("nan"), None, r"a window must be"),
        (float("inf"), None, r"a window must be"),
        (1, 0, r"a hop must be a number of seconds above 0; it is 0 s"),
        (0.001, 1, r"a window must be at least the \d\.\d+ s that this model needs for one frame; it is 0\.001 s"),
    ],
)
def test_windows_that_cannot_be_cut_are_refused_at_once(tmp_path, model, window, hop, message):
    with pytest.raises(PredictionError, match=message):
        predict_windows([tmp_path / "any.wav"], *model, window, hop)
