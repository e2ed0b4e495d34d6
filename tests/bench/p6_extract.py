"""P6: encode a corpus with HuBERT-base-shaped random weights, against one utterance at a time as published scripts do.

Goal on a CPU: at least 0.95 times the speed with one process, 1.8 times with two; bfloat16 is the user's choice.

    python tests/bench/p6_extract.py [--seconds 150] [--runs 2] [--bf16]

Without instructions for bfloat16, a CPU takes minutes for a convolution in it: it is timed only if asked for.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from timing import printed_by, report

_PUBLISHED = """
import sys, time
from pathlib import Path
import numpy as np, soundfile, torch
from transformers import HubertModel

files, model, out = Path({clips!r}), HubertModel.from_pretrained({model!r}).eval(), Path({cache!r})
start, seconds = time.perf_counter(), 0.0
with torch.no_grad():
    for file in sorted(files.iterdir()):
        wave, rate = soundfile.read(file, dtype="float32")
        np.save(out / f"{{file.stem}}.npy", model(torch.from_numpy(wave)[None]).last_hidden_state[0].numpy())
        seconds += len(wave) / rate
print(seconds / (time.perf_counter() - start))
"""

# Processes take seconds to start, which a corpus of hours does not feel: the speed is that of the last two thirds.
_OURS = """
import sys, time
from functools import partial
from pathlib import Path
import datasets
from ser_trainer.benchmark.cache.extract import extract
from ser_trainer.encoders.opening import open_encoder

if __name__ == "__main__":
    files = sorted(Path({clips!r}).iterdir())
    held = {{"id": [one.stem for one in files], "audio": [{{"path": str(one), "bytes": None}} for one in files]}}
    rows = datasets.Dataset.from_dict(held).cast_column("audio", datasets.Audio(decode=False))
    opener, seen = partial(open_encoder, {model!r}, precision={precision!r}), []
    one = opener() if {processes} == 1 else opener
    told = lambda utterances, seconds: seen.append((time.perf_counter(), seconds))
    extract(rows, one, "bench", num_proc={processes}, progress=told)
    first = next(k for k, (_, seconds) in enumerate(seen) if seconds > seen[-1][1] / 3)
    print((seen[-1][1] - seen[first][1]) / (seen[-1][0] - seen[first][0]))
"""


def plant(folder: Path, seconds: float) -> None:
    """Write clips of noise with lengths as spoken turns have them: 1 to 15 s, most of them 2 to 5."""
    noise = np.random.default_rng(0)
    number = 0
    while seconds > 0:
        length = float(np.clip(noise.lognormal(1.3, 0.6), 1, 15))
        soundfile.write(folder / f"{number:05d}.flac", noise.normal(0, 0.1, int(length * 16_000)), 16_000)
        seconds, number = seconds - length, number + 1


def main() -> None:
    """Measure and print."""
    import torch
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=150.0, help="of audio")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--bf16", action="store_true", help="time bfloat16 too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips, model = Path(folder, "clips"), Path(folder, "hubert_base_shape")
        clips.mkdir()
        plant(clips, args.seconds)
        torch.manual_seed(0)
        HubertModel(HubertConfig()).save_pretrained(model)
        Wav2Vec2FeatureExtractor().save_pretrained(model)
        ours = {
            "ours, one process": (1, "float32"),
            "ours, two processes": (2, "float32"),
        }
        if args.bf16:
            ours["ours, one process, bfloat16"] = (1, "bfloat16")
        speeds: dict[str, list[float]] = {"one utterance at a time, as published": [], **{name: [] for name in ours}}
        for number in range(args.runs):
            cache = Path(folder, f"cache{number}")
            cache.mkdir()
            told = {"clips": str(clips), "model": str(model), "cache": str(cache)}
            # One thread each: two processes are compared with one on the same number of cores per process.
            published = printed_by(_PUBLISHED.format(**told), OMP_NUM_THREADS="1")
            speeds["one utterance at a time, as published"].append(float(published))
            for name, (processes, precision) in ours.items():
                code = _OURS.format(**told, processes=processes, precision=precision)
                own = {"OMP_NUM_THREADS": "1", "SERBENCH_CACHE": str(cache / name.replace(" ", "-"))}
                speeds[name].append(float(printed_by(code, **own)))
        report(f"P6: {args.seconds:.0f} s of audio, HuBERT base", speeds, "times real time")


if __name__ == "__main__":
    main()
