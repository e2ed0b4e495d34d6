"""How often 95 % intervals of UA hold the true value, over simulated studies with few speakers.

Speakers differ in how well they are recognized (recall 0.45 to 0.90, and 0.1 more or less by class); a study draws
new speakers and 48 utterances of each. Intervals: by utterance; by speaker, plain percentiles; by speaker, widened as
`ser_metrics.scores` does. Goal: the last covers at least 90 % at 6 speakers and at least 93 % from 8 on.

    python tests/bench/coverage.py [studies]
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "ser_metrics")]
from test_intervals import study  # noqa: E402

from ser_metrics import scores  # noqa: E402
from ser_metrics.intervals import widening  # noqa: E402

TRUE = 0.675


def main(studies: int) -> None:
    """Simulate and print."""
    print(f"{studies} studies each; standard error of a share near 0.94: {np.sqrt(0.94 * 0.06 / studies):.3f}")
    print(f"{'speakers':>8s} {'by utterance':>14s} {'by speaker, plain':>18s} {'by speaker, ours':>18s}")
    for speakers in (6, 8, 12, 24):
        generator = np.random.default_rng(speakers)
        held = np.zeros(3)
        for seed in range(studies):
            predictions, references, speaker = study(speakers, generator)
            options = {"labels": range(4), "confidence": 0.95, "seed": seed}
            utterance = scores(predictions, references, **options)["confidence"]["ua"]
            result = scores(predictions, references, groups=speaker, **options)
            ours, ua = result["confidence"]["ua"], result["ua"]
            plain = [ua + (end - ua) / widening(speakers, 0.95) for end in ours]
            held += [low <= TRUE <= high for low, high in (utterance, plain, ours)]
        print(
            f"{speakers:8d} "
            + " ".join(f"{share:{width}.3f}" for share, width in zip(held / studies, (14, 18, 18), strict=True))
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
