"""Prediction: audio in; a label and the probabilities of all classes, or ratings, out."""

from .inference import (
    Prediction,
    gives_ratings,
    load_classifier,
    output_names,
    predict,
    predict_windows,
)
from .sources import PredictionError, find_audio

__all__ = [
    "Prediction",
    "PredictionError",
    "find_audio",
    "gives_ratings",
    "load_classifier",
    "output_names",
    "predict",
    "predict_windows",
]
