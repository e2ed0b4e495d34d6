"""Benchmark encoders on corpora, compare two of them, and write the report, from Python instead of the command line.

    python examples/benchmark.py
    python examples/benchmark.py --encoder runs/demo-fold1 --corpora demo urdu --raw - URDU-Dataset

Without arguments: a dozen lines of numpy (`spectra`, below; any function can be an encoder) on the demo corpus, which
needs no download. An encoder of your own is compared with these spectra: it should be better. Everything is kept in
--output; the same command goes on where a killed run stopped.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from loading_scripts.errors import SerbenchError
from ser_trainer.benchmark import study
from ser_trainer.benchmark.corpora import open_corpora
from ser_trainer.benchmark.protocol import Setting
from ser_trainer.benchmark.results.compare import compare
from ser_trainer.benchmark.results.line import Results
from ser_trainer.benchmark.results.report import write_report
from ser_trainer.benchmark.results.stored import of_encoder, read
from ser_trainer.benchmark.results.tables import tables

BASELINE = f"{Path(__file__)}:spectra"


def spectra(wave: np.ndarray) -> np.ndarray:
    """Return log spectra of float32 samples at 16 kHz: (frames, 32), a frame every 10 ms; an encoder in a few lines."""
    padded = np.pad(wave, (0, max(0, 512 - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::160] * np.hanning(512)
    power = np.abs(np.fft.rfft(frames)[:, 1:]) ** 2
    edges = np.unique(np.geomspace(1, 256, 33).round().astype(int))
    bands = np.add.reduceat(power, np.concatenate([[0], edges[:-1]]), axis=1)[:, :32]
    return np.log(np.pad(bands, ((0, 0), (0, 32 - bands.shape[1]))) + 1e-6).astype(np.float32)


def main() -> None:
    """Run the protocol, print tables and comparison, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", default="emobox-intra")
    parser.add_argument("--encoder", help="as `serbench run --encoder`")
    parser.add_argument("--corpora", nargs="+", default=["demo"])
    parser.add_argument("--raw", nargs="*", default=[], help="raw folder of each corpus, - where none is needed")
    parser.add_argument("--epochs", type=int, default=30, help="of EmoBox's heads, which had 100")
    parser.add_argument("--output", type=Path, default=Path("results"))
    args = parser.parse_args()

    encoders = [BASELINE, *([args.encoder] if args.encoder else [])]
    setting = Setting(epochs=args.epochs)
    study.check(args.protocol, encoders, setting)
    corpora = open_corpora(args.corpora, args.raw)
    study.run(args.protocol, encoders, corpora, Results(args.output), setting, study.Machine())

    stored = read([args.output])
    print("\n\n".join(one.text() for one in tables(stored)))
    names = list(dict.fromkeys(one.line.encoder for one in stored))
    if len(names) == 2:
        print("\n" + compare(*(of_encoder(stored, name) for name in reversed(names))).table().text())
    write_report(stored, args.output / "report.html")
    print(f"\nLines, predictions and report.html: {args.output}")


if __name__ == "__main__":
    try:
        main()
    except SerbenchError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        sys.exit(2)
