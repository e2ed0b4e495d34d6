"""How learnable the demo corpus is: logistic regression on thirteen functionals, speaker-independent.

    PYTHONPATH=. python tests/bench/demo_linear.py

makes the corpus in a temporary folder, measures every file, and prints the UA of each fold and their mean.
The functionals come from the samples alone; nothing of the synthesis is known to them.
"""

import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.signal import medfilt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from loading_scripts.corpora import demo
from loading_scripts.utterance import Utterance

RATE, HOP, WINDOW = 16_000, 160, 640  # Hz, samples, samples: 40 ms every 10 ms
LOW_HZ, HIGH_HZ = 65, 600


def read(path: Path) -> np.ndarray:
    """Return the samples of a PCM16 file, full scale 1.0."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def f0_track(samples: np.ndarray) -> np.ndarray:
    """Return F0 in Hz for each frame by normalized autocorrelation, 0 where unvoiced."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    frames = frames - frames.mean(1, keepdims=True)
    window = np.hanning(WINDOW)

    def autocorrelation(signal: np.ndarray) -> np.ndarray:
        return np.fft.irfft(np.abs(np.fft.rfft(signal, 2 * WINDOW)) ** 2)[..., :WINDOW]

    r = autocorrelation(frames * window)
    loud = r[:, 0] > 0.003 * r[:, 0].max()  # within 25 dB of the loudest frame
    # Boersma 1993: divide by the autocorrelation of the window, or long lags look weak.
    r = r / np.maximum(r[:, :1], 1e-12) / (autocorrelation(window) / autocorrelation(window)[0])
    lags = np.arange(RATE // HIGH_HZ, RATE // LOW_HZ)
    strength = r[:, lags] - 0.05 * np.log2(lags / lags[0])  # the shortest of equally good periods
    best = lags[strength.argmax(1)]
    return medfilt(np.where(loud & (r[np.arange(len(r)), best] > 0.6), RATE / best, 0.0), 5)


def functionals(samples: np.ndarray) -> np.ndarray:
    """Return F0, energy, spectrum, voicing and length of an utterance as one vector, (13,)."""
    f0 = f0_track(samples)
    voiced = f0 > 0
    if voiced.sum() < 4:
        voiced = np.ones_like(voiced)
    semitones = 12 * np.log2(np.maximum(f0[voiced], LOW_HZ))
    place = np.flatnonzero(voiced) / len(voiced)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames)) ** 2 + 1e-9
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    energy = 10 * np.log10(power.sum(1))
    mean_power = power[voiced].mean(0)
    band = (hz > 200) & (hz < 5000)
    tilt = np.polyfit(np.log2(hz[band]), 10 * np.log10(mean_power[band]), 1)[0]
    steps = np.diff(semitones)[np.diff(np.flatnonzero(voiced)) == 1]
    tail = semitones[-max(3, len(semitones) // 6) :]
    return np.array(
        [
            semitones.mean(),
            semitones.std(),
            np.polyfit(place, semitones, 1)[0],
            tail.mean() - semitones.mean(),
            np.abs(steps).mean() if steps.size else 0.0,
            energy[voiced].mean(),
            energy.std(),
            (power @ hz / power.sum(1))[voiced].mean(),
            tilt,
            10 * np.log10(mean_power[hz > 4000].sum() / mean_power.sum()),
            voiced.mean(),
            (np.diff(voiced.astype(int)) == 1).sum() / (len(samples) / RATE),
            len(samples) / RATE,
        ]
    )


def ua_per_fold(x: np.ndarray, utterances: Sequence[Utterance]) -> dict[str, float]:
    """Return fold -> UA on its unseen speakers, from the functionals of the utterances, (utterances, 13)."""
    y = np.array([one.native for one in utterances])
    scores = {}
    for fold in (name for name in demo.CORPUS.partitions if name.startswith("fold")):
        split = np.array(demo.CORPUS.partitions[fold].assign(utterances))
        train, test = split == "train", split == "test"
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(x[train], y[train])
        scores[fold] = balanced_accuracy_score(y[test], model.predict(x[test]))
    return scores


def main() -> None:
    """Make the corpus, print UA for each fold and the mean."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        demo.make(root)
        utterances = list(demo.find(root))
        x = np.stack([functionals(read(root / one.path)) for one in utterances])
    scores = ua_per_fold(x, utterances)
    for fold, ua in scores.items():
        print(f"{fold}  UA {ua:.1%}")
    print(f"mean   UA {np.mean(list(scores.values())):.1%}")


if __name__ == "__main__":
    main()
