import numpy as np
import pytest
import soundfile
import torch
from torch.utils.data import DataLoader
from toy import classifier, corpus, extractor
from transformers import HubertConfig, WhisperConfig, WhisperFeatureExtractor

from loading_scripts.errors import AudioError
from ser_trainer.finetune.collator import SerCollator, padding_matters, shortest_input
from ser_trainer.finetune.targets import labelled

PLAIN = {"do_normalize": False}


def wav(path, samples, rate=16_000):
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return {"id": path.stem, "audio": {"bytes": None, "path": str(path)}, "labels": 1}


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


def test_worker_processes_make_the_same_batches(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 1, 2, 0]), "emotion")
    collator = SerCollator(extractor())

    alone, helped = ([*DataLoader(rows, 2, collate_fn=collator, num_workers=workers)] for workers in (0, 1))

    for one, other in zip(alone, helped, strict=True):
        torch.testing.assert_close(one, other)


def test_which_encoders_feel_padding():
    assert not padding_matters(extractor(), HubertConfig(feat_extract_norm="layer"))
    assert padding_matters(extractor(), HubertConfig(feat_extract_norm="group"))
    assert padding_matters(extractor(return_attention_mask=False), HubertConfig(feat_extract_norm="layer"))
    assert not padding_matters(WhisperFeatureExtractor(), WhisperConfig())  # always 30 s


def test_whisper_gets_its_fixed_length(tmp_path):
    batch = SerCollator(WhisperFeatureExtractor())([wav(tmp_path / "a.wav", np.ones(1000) / 2)])

    assert batch["input_features"].shape == (1, 80, 3000)
