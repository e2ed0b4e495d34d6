import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader
from toy import classifier, extractor
from transformers import (
    ASTFeatureExtractor,
    HubertConfig,
    SeamlessM4TFeatureExtractor,
    WhisperConfig,
    WhisperFeatureExtractor,
)

from loading_scripts.errors import AudioError
from ser_trainer.finetune.augment import SETTINGS, Augmentation
from ser_trainer.finetune.collator import CollatorError, SerCollator, chunked, padding_matters, shortest_input

PLAIN = {"do_normalize": False}
RAMP = (np.arange(16_000) / 32_768).astype(np.float32)  # every sample tells its place


def wav(path, samples, rate=16_000, **more):
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return {"id": path.stem, "audio": {"bytes": None, "path": str(path)}, "labels": 1} | more


def noise(length, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, length)


def test_a_batch_is_padded_with_zeros_and_masked(tmp_path):
    rows = [wav(tmp_path / "a.wav", np.full(1000, 0.5)), wav(tmp_path / "b.wav", np.full(600, 0.25))]

    batch = SerCollator(extractor(**PLAIN))(rows)

    assert batch["input_values"].shape == (2, 1000)
    assert batch["attention_mask"].sum(1).tolist() == [1000, 600]
    torch.testing.assert_close(batch["input_values"][1], torch.cat([torch.full((600,), 0.25), torch.zeros(400)]))
    assert batch["labels"].tolist() == [1, 1]


def test_no_mask_for_an_encoder_that_wants_none(tmp_path):
    batch = SerCollator(extractor(return_attention_mask=False))([wav(tmp_path / "a.wav", np.ones(1000) / 2)])

    assert "attention_mask" not in batch


def test_stereo_at_another_rate_becomes_16_khz_mono(tmp_path):
    row = wav(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, (44_100, 2)), 44_100)

    assert SerCollator(extractor(**PLAIN)).clip(row).shape == (16_000,)


def test_long_clips_are_cut_to_their_middle_and_short_ones_get_zeros(tmp_path):
    ramp = np.arange(16_000) / 32_768
    collator = SerCollator(extractor(**PLAIN), max_seconds=0.5, min_samples=500)

    np.testing.assert_allclose(collator.clip(wav(tmp_path / "long.wav", ramp)), ramp[4000:12_000], atol=1e-4)
    short = collator.clip(wav(tmp_path / "short.wav", np.full(300, 0.5)))
    assert short.shape == (500,)
    assert not short[300:].any()


@pytest.mark.parametrize(("augment", "samples"), [(False, 400), (True, 3280)])
def test_the_shortest_input_is_what_hubert_takes(augment, samples):
    config = HubertConfig(apply_spec_augment=augment, mask_time_prob=0.05)

    assert shortest_input(config, training=True) == samples
    assert shortest_input(config, training=False) == 400
    stem = {name: getattr(config, name) for name in ("conv_kernel", "conv_stride", "num_feat_extract_layers")}
    model = classifier(apply_spec_augment=augment, mask_time_prob=0.05, conv_dim=[16] * 7, **stem).train()
    frames = model._get_feat_extract_output_lengths(torch.tensor([samples, samples - 1]))
    assert frames.tolist() == ([10, 9] if augment else [1, 0])
    model(torch.randn(2, samples), labels=torch.tensor([0, 1])).loss.backward()


def test_a_broken_file_is_named_and_nothing_put_in_its_place(tmp_path):
    good, broken = wav(tmp_path / "good.wav", np.ones(1000) / 2), wav(tmp_path / "broken.wav", np.ones(1000) / 2)
    (tmp_path / "broken.wav").write_bytes(b"RIFF of nothing")

    with pytest.raises(AudioError, match=r"Row 'broken'.*broken\.wav"):
        SerCollator(extractor())([good, broken])


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_worker_processes_make_the_same_batches(tmp_path, start):
    rows = [wav(tmp_path / f"{n}.wav", noise(5000 + 800 * n, n), draw=(7, 1, n)) for n in range(4)]
    rows[1] |= {"other": rows[2], "share": 0.25}
    collator = SerCollator(extractor(), 0.3, crop="random", augmentation=Augmentation.of([*SETTINGS], 0.7))
    options = {"num_workers": 1, "multiprocessing_context": start}

    alone, helped = ([*DataLoader(rows, 2, collate_fn=collator, **more)] for more in ({}, options))

    for one, other in zip(alone, helped, strict=True):
        assert one.pop("ids") == other.pop("ids")
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_which_encoders_feel_padding():
    assert not padding_matters(extractor(), HubertConfig(feat_extract_norm="layer"))
    assert padding_matters(extractor(), HubertConfig(feat_extract_norm="group"))
    assert padding_matters(extractor(return_attention_mask=False), HubertConfig(feat_extract_norm="layer"))
    assert not padding_matters(WhisperFeatureExtractor(), WhisperConfig())  # always 30 s


def test_whisper_gets_its_fixed_length(tmp_path):
    batch = SerCollator(WhisperFeatureExtractor())([wav(tmp_path / "a.wav", np.ones(1000) / 2)])

    assert batch["input_features"].shape == (1, 80, 3000)


def test_a_batch_names_its_rows_and_has_labels_only_if_they_do(tmp_path):
    row = wav(tmp_path / "a.wav", RAMP)
    del row["labels"]

    batch = SerCollator(extractor())([row, row | {"id": "b"}])

    assert batch["ids"] == ["a", "b"]
    assert "labels" not in batch


def test_class_labels_are_whole_numbers_and_dimensions_keep_their_gaps(tmp_path):
    row, collator = wav(tmp_path / "a.wav", RAMP), SerCollator(extractor())

    assert collator([row])["labels"].dtype == torch.int64
    labels = collator([row | {"labels": [1, 2]}, row | {"labels": [3.5, np.nan]}])["labels"]
    torch.testing.assert_close(labels, torch.tensor([[1.0, 2.0], [3.5, torch.nan]]), equal_nan=True)


def test_a_random_crop_lies_where_the_draw_says(tmp_path):
    row = wav(tmp_path / "a.wav", RAMP)
    collator = SerCollator(extractor(**PLAIN), 0.25, crop="random")

    clips = [collator.clip(row | {"draw": (0, epoch, 3)}) for epoch in range(200)]

    starts = [round(float(clip[0]) * 32_768) for clip in clips]
    for start, clip in zip(starts, clips, strict=True):
        np.testing.assert_array_equal(clip, RAMP[start : start + 4000])
    assert min(starts) < 500  # of 12,001 places
    assert max(starts) > 11_500
    np.testing.assert_array_equal(collator.clip(row | {"draw": (0, 0, 3)}), clips[0])
    np.testing.assert_array_equal(collator.clip(row), RAMP[6000:10_000])  # nothing is random without a draw


@pytest.mark.parametrize("crop", ["random", "centre", "full", "chunks"])
def test_clips_that_fit_stay_whole(tmp_path, crop):
    row = wav(tmp_path / "a.wav", RAMP, draw=(1,))

    for seconds in (1.0, 2.0):
        np.testing.assert_array_equal(SerCollator(extractor(), seconds, crop=crop).clip(row), RAMP)


def test_full_clips_are_whole_whatever_the_length(tmp_path):
    row = wav(tmp_path / "a.wav", RAMP)

    np.testing.assert_array_equal(SerCollator(extractor(), 0.1, crop="full").clip(row), RAMP)


@given(length=st.integers(1, 2000), longest=st.integers(1, 300))
def test_chunks_cover_the_clip_and_are_as_few_as_can_be(length, longest):
    chunks = chunked(np.arange(length), longest)

    assert len(chunks) == -(-length // longest)
    assert {len(chunk) for chunk in chunks} == {min(length, longest)}
    assert set(np.concatenate(chunks)) == set(range(length))
    starts = np.array([chunk[0] for chunk in chunks])
    assert starts[0] == 0
    assert chunks[-1][-1] == length - 1
    if len(starts) > 1:
        assert np.ptp(np.diff(starts)) <= 1  # evenly spread


def test_chunks_of_all_rows_lie_in_one_batch_and_are_counted(tmp_path):
    rows = [wav(tmp_path / f"{n}.wav", RAMP[:n]) for n in (10_000, 3000, 16_000)]

    batch = SerCollator(extractor(**PLAIN), 0.25, crop="chunks")(rows)

    assert batch["chunks"].tolist() == [3, 1, 4]
    assert batch["chunks"].dtype == torch.int64
    assert batch["input_values"].shape == (8, 4000)
    assert batch["labels"].shape == (3,)
    assert len(batch["ids"]) == 3
    chunks = batch["input_values"].split(batch["chunks"].tolist())
    for row, own, length in zip(rows, chunks, (10_000, 3000, 16_000), strict=True):
        mean, times = np.zeros(length), np.zeros(length)
        for chunk in own.numpy():
            start = round(float(chunk[0]) * 32_768)
            mean[start : start + 4000] += chunk[: length - start]
            times[start : start + 4000] += 1
        np.testing.assert_allclose(mean / times, RAMP[:length], err_msg=row["id"], atol=1e-6)


def test_published_exhubert_hears_its_padding(tmp_path):
    rows = [wav(tmp_path / f"{n}.wav", 0.3 + noise(n, n)) for n in (16_000, 60_000)]

    blind = SerCollator(extractor(return_attention_mask=False), 3.0, pad_to_max=True)(rows)
    masked = SerCollator(extractor(), 3.0, pad_to_max=True)(rows)

    assert blind["input_values"].shape == masked["input_values"].shape == (2, 48_000)
    assert "attention_mask" not in blind
    assert masked["attention_mask"].sum(1).tolist() == [16_000, 48_000]
    padded = np.pad(soundfile.read(tmp_path / "16000.wav")[0], (0, 32_000))  # normalized with its padding
    expected = (padded - padded.mean()) / padded.std()
    np.testing.assert_allclose(blind["input_values"][0], expected, atol=1e-3)
    assert not masked["input_values"][0, 16_000:].any()
    whole = SerCollator(extractor(), 3.0, crop="full", pad_to_max=True)
    assert whole(rows[:1])["input_values"].shape == (1, 48_000)
    assert whole(rows[1:])["input_values"].shape == (1, 60_000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": "center"}, r"crop is one of random, centre, full, chunks; it is 'center'"),
        ({"crop": "random"}, r"crop='random', .*needs max_seconds; it is None"),
        ({"crop": "chunks"}, r"crop='chunks', .*needs max_seconds"),
        ({"pad_to_max": True}, r"pad_to_max=True needs max_seconds"),
        ({"max_seconds": 1e-5}, "max_seconds must hold a sample"),
        ({"max_seconds": 1.0, "crop": "chunks", "augmentation": Augmentation()}, "evaluation, which is not augmented"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(CollatorError, match=message):
        SerCollator(extractor(), **settings)


@pytest.mark.parametrize("kind", [WhisperFeatureExtractor, ASTFeatureExtractor, SeamlessM4TFeatureExtractor])
def test_only_extractors_of_waveforms_pad_to_a_length(kind):
    with pytest.raises(CollatorError, match=rf"{kind.__name__} has lengths of its own"):
        SerCollator(kind(), 3.0, pad_to_max=True)


def test_only_rows_with_a_draw_are_augmented(tmp_path):
    row = wav(tmp_path / "a.wav", RAMP)
    collator = SerCollator(extractor(), min_samples=20_000, augmentation=Augmentation(speed=1.0, speed_factors=(1.25,)))

    plain, faster = collator.clip(row), collator.clip(row | {"draw": (0,)})

    np.testing.assert_array_equal(plain, np.pad(RAMP, (0, 4000)))
    assert faster.shape == (20_000,)
    assert faster[12_799]
    assert not faster[12_800:].any()  # zeros come last: they are not augmented


def test_two_waveforms_are_mixed_by_their_share(tmp_path):
    rows = [wav(tmp_path / f"{n}.wav", noise(n, n)) for n in (900, 500, 1200, 700)]
    rows[0] |= {"other": rows[2], "share": 0.3}  # the longest clip is in the batch as a partner alone
    rows[1] |= {"other": rows[3], "share": 0.75}

    batch = SerCollator(extractor())([rows[0], rows[3], rows[1]])

    def normalized(n):
        samples = soundfile.read(tmp_path / f"{n}.wav")[0]
        return np.pad((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7), (0, 1200 - n))

    expected = [
        0.7 * normalized(900) + 0.3 * normalized(1200),
        normalized(700),
        0.25 * normalized(500) + 0.75 * normalized(700),
    ]
    np.testing.assert_allclose(batch["input_values"], expected, atol=1e-5)
    assert batch["attention_mask"].sum(1).tolist() == [1200, 700, 700]
    assert batch["ids"] == ["900", "700", "500"]
    assert batch["labels"].tolist() == [1, 1, 1]


def test_whisper_mixes_spectra_not_waveforms(tmp_path):
    first, other = wav(tmp_path / "a.wav", noise(8000, 1)), wav(tmp_path / "b.wav", noise(16_000, 2))
    whisper = WhisperFeatureExtractor(return_attention_mask=True)

    batch = SerCollator(whisper)([first | {"other": other, "share": 0.4}])

    one, two = (whisper(soundfile.read(row["audio"]["path"])[0], sampling_rate=16_000) for row in (first, other))
    expected = 0.6 * one["input_features"][0] + 0.4 * two["input_features"][0]
    np.testing.assert_allclose(batch["input_features"][0], expected, atol=1e-5)
    longer = np.maximum(one["attention_mask"][0], two["attention_mask"][0])
    np.testing.assert_array_equal(batch["attention_mask"][0], longer)


def test_the_parts_of_a_mixture_are_cut_independently_of_each_other(tmp_path):
    row = wav(tmp_path / "a.wav", RAMP, draw=(5,))
    collator = SerCollator(extractor(**PLAIN), 0.25, crop="random")

    alone, first, other = (
        collator([row | {"other": row, "share": share}])["input_values"][0, 0].item() * 32_768
        for share in (0.5, 0.0, 1.0)
    )

    assert first == collator.clip(row)[0] * 32_768  # mixing leaves a row's own crop where it was
    assert abs(other - first) > 1
    assert alone == pytest.approx((first + other) / 2)


@pytest.mark.parametrize(
    ("broken", "named"), [("a", r"^Row 'a': .*a\.wav"), ("b", r"^Row 'a', mixed with another: Row 'b': .*b\.wav")]
)
def test_a_broken_part_of_a_mixture_is_named(tmp_path, broken, named):
    first, other = (wav(tmp_path / f"{name}.wav", RAMP) for name in "ab")
    (tmp_path / f"{broken}.wav").write_bytes(b"RIFF of nothing")

    with pytest.raises(AudioError, match=named):
        SerCollator(extractor())([first | {"other": other, "share": 0.5}])


def test_a_mixture_in_chunks_is_refused(tmp_path):
    row = wav(tmp_path / "a.wav", RAMP)

    with pytest.raises(CollatorError, match="Row 'a': a mixture cannot be cut into chunks"):
        SerCollator(extractor(), 0.25, crop="chunks")([row | {"other": row, "share": 0.5}])
