"""Encoders on a GPU: utterances per second, real-time factor and MFU, and the hours of EmoBox's study within corpora.

Random weights in the shapes of HuBERT Base and Large, WavLM Large and Whisper large-v3, in bfloat16. Clips are noise
with the lengths of IEMOCAP and MELD (see p4_batches.py), in memory; they are batched as `serbench extract` does it, and
their frames come back to the host. The study is EmoBox's Table 4: ten encoders, 262,020 utterances, 294.4 hours. MFU
counts true frames, so padding is waste; for Whisper it counts windows of 30 s, whatever they hold. Goals on an H200:
HuBERT Large at 40 % or more, and ten times as fast as one clip at a time in float32.

    python tests/bench/gpu_encoders.py            # needs a GPU
    python tests/bench/gpu_encoders.py --tiny     # shapes that a CPU can run, to try the script
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
from p4_batches import simulated  # noqa: E402
from p5_step import PEAKS  # noqa: E402

from loading_scripts.audio import SAMPLE_RATE  # noqa: E402

BATCH_SECONDS = 600.0
ALONE = 32  # clips that are also encoded one at a time
HOURS, UTTERANCES = 294.4, 262_020

STUDY = {
    "wav2vec 2.0 base": "hubert_base",
    "HuBERT base": "hubert_base",
    "HuBERT large": "hubert_large",
    "WavLM base": "hubert_base",
    "WavLM large": "wavlm_large",
    "data2vec base": "hubert_base",
    "data2vec large": "hubert_large",
    "data2vec 2.0 base": "hubert_base",
    "data2vec 2.0 large": "hubert_large",
    "Whisper large v3": "whisper_large_v3",
}
"""EmoBox's encoders, and the measured shape that stands for each."""


@dataclass(frozen=True)
class Shape:
    """What decides the operations of an encoder.

    Args:
        kind: model type of its configuration.
        width: of its layers.
        layers: how many.
        heads: of attention.
        large: layer norms in the stem and before the parts of a layer, normalized waveforms.
        mel_bands: of a Whisper.
        stem: channels of the convolutions before the others.
    """

    kind: str
    width: int
    layers: int
    heads: int
    large: bool = False
    mel_bands: int = 0
    stem: int = 512

    def operations(self, seconds: float) -> float:
        """Return the floating-point operations for a clip; a multiplication with its addition counts as two.

        Stem (its outputs per second: 3200, 1600, ..., 50), projection, positional convolution, blocks of attention
        (4 d^2) and MLP (2 d * 4 d), and the products of queries, keys and values. Against torch's counter at 10 s:
        HuBERT Large 383.8 and 383.85 GFLOP, Whisper large-v3 2,273.8 and 2,273.77.
        """
        d, layers = self.width, self.layers
        if self.mel_bands:
            frames, windows = 1500, math.ceil(seconds / 30)
            front = 2 * frames * 3 * (2 * self.mel_bands * d + d * d)
        else:
            frames, windows = (round(seconds * SAMPLE_RATE) - 400) // 320 + 1, 1
            front = 2 * seconds * (32_000 * self.stem + 9300 * self.stem**2) + 2 * frames * (self.stem * d + 8 * d * d)
        return windows * (front + 2 * frames * layers * 12 * d * d + 4 * frames**2 * d * layers)


SHAPES = {
    "hubert_base": Shape("hubert", 768, 12, 12),
    "hubert_large": Shape("hubert", 1024, 24, 16, large=True),
    "wavlm_large": Shape("wavlm", 1024, 24, 16, large=True),
    "whisper_large_v3": Shape("whisper", 1280, 32, 20, mel_bands=128),
}
TINY = {name: replace(shape, width=64, layers=2, heads=4, stem=16) for name, shape in SHAPES.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", choices=("last", "all"), default="last")
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    import torch
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()

    if not torch.cuda.is_available() and not arguments.tiny:
        print("No GPU here: nothing was measured. --tiny tries the script on this CPU.")
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    where = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    peak = next((value for name, value in PEAKS.items() if name in where), None)
    lengths = np.concatenate([simulated("iemocap"), simulated("meld")])
    lengths = np.random.default_rng(0).permutation(lengths[lengths <= 30])[: arguments.clips]
    print(f"{where}, {len(lengths):,} clips of {lengths.mean():.2f} s on average, bfloat16, layers={arguments.layers}, "
          f"batches of {BATCH_SECONDS:.0f} s, best of {arguments.runs} runs")  # fmt: skip
    print(f"{'':18} {'utterances/s':>12} {'x real time':>12} {'MFU':>7} {'x one at a time, float32':>25}")
    found = {}
    for name, shape in (TINY if arguments.tiny else SHAPES).items():
        seconds, alone = measure(shape, lengths, device, arguments)
        operations = sum(map(shape.operations, lengths))
        found[name] = {"utterances": len(lengths) / seconds, "seconds": lengths.sum() / seconds}
        mfu = f"{operations / seconds / peak:.1%}" if peak else "-"
        speedup = alone / (seconds / lengths.sum())
        print(f"{name:18} {found[name]['utterances']:12,.0f} {found[name]['seconds']:12,.0f} {mfu:>7} {speedup:25.1f}")
    hours = {encoder: study_hours(found[shape], windows="whisper" in shape) for encoder, shape in STUDY.items()}
    print(f"\nEmoBox within corpora, {UTTERANCES:,} utterances, {HOURS} h, at these rates: {sum(hours.values()):.2f} h")
    for encoder, each in hours.items():
        print(f"  {encoder:20} {each:6.2f} h   (as {STUDY[encoder]})")


def study_hours(rate: dict[str, float], windows: bool) -> float:
    """Return the hours to encode all of EmoBox, by clips where each costs a window of 30 s, else by seconds."""
    return UTTERANCES / rate["utterances"] / 3600 if windows else HOURS / rate["seconds"]


def measure(shape: Shape, lengths: Sequence[float], device: str, arguments: argparse.Namespace) -> tuple[float, float]:
    """Return seconds for all clips in batches, and seconds per second of audio for clips one at a time in float32."""
    from ser_trainer.benchmark.cache.batches import batches
    from ser_trainer.encoders.encoder import Clip
    from ser_trainer.encoders.opening import open_encoder

    generator = np.random.default_rng(0)
    clips = {
        str(number): Clip(str(number), generator.integers(-3000, 3000, round(seconds * SAMPLE_RATE), dtype=np.int16))
        for number, seconds in enumerate(lengths)
    }
    samples = {name: len(clip.samples) for name, clip in clips.items()}
    longest_first = sorted(clips, key=samples.get, reverse=True)
    groups = [[clips[one] for one in batch] for batch in batches(longest_first, samples, BATCH_SECONDS)]
    some = [[clip] for clip in list(clips.values())[:ALONE]]
    with tempfile.TemporaryDirectory() as folder:
        save(shape, folder, device)
        encoder = open_encoder(folder, device=device, precision="bfloat16")
        seconds = min(timed(lambda: encoded(encoder, groups, arguments.layers)) for _ in range(arguments.runs))
        del encoder
        encoder = open_encoder(folder, device=device)
        alone = min(timed(lambda: encoded(encoder, some, arguments.layers)) for _ in range(2))
    return seconds, alone / (sum(len(clip.samples) for [clip] in some) / SAMPLE_RATE)


def encoded(encoder, groups: Sequence[Sequence], layers: str) -> None:
    """Encode batches and let the features go."""
    for group in groups:
        encoder.encode(group, layers)


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that work takes; features end as numpy arrays, so the GPU is done when it returns."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def save(shape: Shape, folder: str, device: str) -> None:
    """Write a folder of random weights."""
    import torch
    from transformers import (
        HubertConfig,
        HubertModel,
        Wav2Vec2FeatureExtractor,
        WavLMConfig,
        WavLMModel,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperModel,
    )

    torch.manual_seed(0)
    if shape.mel_bands:
        config = WhisperConfig(
            d_model=shape.width, encoder_layers=shape.layers, encoder_attention_heads=shape.heads,
            encoder_ffn_dim=4 * shape.width, num_mel_bins=shape.mel_bands, decoder_layers=1,
            decoder_attention_heads=shape.heads, decoder_ffn_dim=64,
        )  # fmt: skip
        WhisperFeatureExtractor(feature_size=shape.mel_bands).save_pretrained(folder)
        model_class = WhisperModel
    else:
        kinds = {"hubert": (HubertConfig, HubertModel), "wavlm": (WavLMConfig, WavLMModel)}
        config_class, model_class = kinds[shape.kind]
        config = config_class(
            conv_dim=(shape.stem,) * 7, conv_bias=shape.large, feat_extract_norm="layer" if shape.large else "group",
            hidden_size=shape.width, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
            intermediate_size=4 * shape.width, do_stable_layer_norm=shape.large,
        )  # fmt: skip
        Wav2Vec2FeatureExtractor(do_normalize=shape.large).save_pretrained(folder)
    with torch.device(device):
        model = model_class(config)
    model.save_pretrained(folder)


if __name__ == "__main__":
    main()
