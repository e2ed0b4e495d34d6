"""Arousal and valence of emotion classes: the probabilities of all classes in a quadrant, summed."""

from collections.abc import Iterable, Mapping

from loading_scripts.labels import AROUSAL_VALENCE, mapping, noun_of

from .sources import PredictionError

COLUMNS = ("arousal_high", "valence_negative", "valence_neutral", "valence_positive")
"""What `marginals` returns; the arousal is high or low, the valence one of three."""


def quadrants(classes: Iterable[str]) -> dict[str, str]:
    """Return class -> one of `loading_scripts.labels.AROUSAL_VALENCE`, for the classes that have a place there.

    A class is a quadrant itself, or an emotion in any of the ways that `loading_scripts.labels.noun_of` knows. Its
    place is the one of the general table: which corpora a model has learned from is not known here.

    Raises:
        PredictionError: no class has a place.

    >>> quadrants(["Angry", "neutral", "other"])
    {'Angry': 'high_negative', 'neutral': 'low_neutral'}
    """
    classes, found = list(classes), {}
    for name in classes:
        noun = noun_of(name)
        quadrant = name if name in AROUSAL_VALENCE else noun and mapping(noun).arousal_valence
        if quadrant:
            found[name] = quadrant
    if not found:
        raise PredictionError(
            f"Arousal and valence: at least one class must have a place in loading_scripts/labels.csv; of "
            f"{', '.join(classes)} none has. Give the model's config the names of emotions in id2label."
        )
    return found


def marginals(probabilities: Mapping[str, float], places: Mapping[str, str]) -> dict[str, float]:
    """Return the probability of high arousal, and of negative, neutral and positive valence.

    Args:
        probabilities: class -> probability.
        places: class -> quadrant, see `quadrants`. Classes that are missing here are left out, and the others'
            probabilities divided by their sum.

    >>> places = {"anger": "high_negative", "neutral": "low_neutral"}
    >>> marginals({"anger": 0.375, "neutral": 0.125, "other": 0.5}, places)
    {'arousal_high': 0.75, 'valence_negative': 0.75, 'valence_neutral': 0.25, 'valence_positive': 0.0}
    """
    total = sum(probabilities[name] for name in places)
    sums = dict.fromkeys(COLUMNS, 0.0)
    for name, quadrant in places.items():
        arousal, valence = quadrant.split("_")
        sums[f"valence_{valence}"] += probabilities[name]
        if arousal == "high":
            sums["arousal_high"] += probabilities[name]
    return {column: value / total for column, value in sums.items()}
