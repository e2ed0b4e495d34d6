"""SER Evals' label map: the codes of its 19 corpora -> eight classes.

Osman et al., Interspeech 2024, as spaghettiSystems/serval fe66005 maps them (cleaner_datasets.py, constants.py); what
its maps lack is ``other``. It is written out whole, so that it stays the paper's when our own `labels.csv` is
corrected. Today both agree but for fear of ShEMO, which the paper's map forgot, and for Expresso's manners of speaking
(enunciated, fast, narration, projected, whisper), which are neutral in ours.
"""

from collections.abc import Mapping
from typing import Any

from loading_scripts import labels

CODES = {
    "aesdd": {"anger": "a", "disgust": "d", "fear": "f", "happiness": "h", "sadness": "s"},
    "baum1": {
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
        "other": "boredom bothered concentrating contempt interest thinking unsure",
    },
    "cafe": {
        "anger": "C",
        "disgust": "D",
        "fear": "P",
        "happiness": "J",
        "neutral": "N",
        "sadness": "T",
        "surprise": "S",
    },
    "casia": {
        "anger": "angry",
        "fear": "fear",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprise",
    },
    "demos": {
        "anger": "rab",
        "disgust": "dis",
        "fear": "pau",
        "happiness": "gio",
        "neutral": "neu",
        "sadness": "tri col",
        "surprise": "sor",
    },
    "ekk": {"anger": "anger", "happiness": "joy", "neutral": "neutral", "sadness": "sadness"},
    "emodb": {"anger": "W", "disgust": "E", "fear": "A", "happiness": "F", "neutral": "N", "sadness": "T L"},
    "emovo": {
        "anger": "rab",
        "disgust": "dis",
        "fear": "pau",
        "happiness": "gio",
        "neutral": "neu",
        "sadness": "tri",
        "surprise": "sor",
    },
    "enterface": {
        "anger": "an",
        "disgust": "di",
        "fear": "fe",
        "happiness": "ha",
        "sadness": "sa",
        "surprise": "su",
    },
    "expresso": {
        "anger": "angry",
        "disgust": "disgusted",
        "fear": "fearful",
        "happiness": "happy laughing",
        "neutral": "default calm bored",
        "sadness": "sad",
        "surprise": "awe",
        "other": "animal animaldir child childdir confused desire enunciated fast narration nonverbal projected "
        "sarcastic singing sleepy sympathetic whisper",
    },
    "masc": {"anger": "anger", "fear": "panic", "happiness": "elation", "neutral": "neutral", "sadness": "sadness"},
    "mead": {
        "anger": "angry",
        "disgust": "disgusted contempt",
        "fear": "fear",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprised",
    },
    "meld": {
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happiness": "joy",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
    },
    "mesd": {
        "anger": "Anger",
        "disgust": "Disgust",
        "fear": "Fear",
        "happiness": "Happiness",
        "neutral": "Neutral",
        "sadness": "Sadness",
    },
    "resd": {
        "anger": "a",
        "disgust": "d",
        "fear": "f",
        "happiness": "h",
        "neutral": "n",
        "sadness": "s",
        "other": "e",
    },
    "shemo": {"anger": "A", "happiness": "H", "neutral": "N", "sadness": "S", "surprise": "W", "other": "F"},
    "subesco": {
        "anger": "ANGRY",
        "disgust": "DISGUST",
        "fear": "FEAR",
        "happiness": "HAPPY",
        "neutral": "NEUTRAL",
        "sadness": "SAD",
        "surprise": "SURPRISE",
    },
    "thorsten": {
        "anger": "angry",
        "disgust": "disgusted",
        "happiness": "amused",
        "neutral": "neutral",
        "surprise": "surprised",
        "other": "drunk sleepy whisper",
    },
    "urdu": {"anger": "A", "happiness": "H", "neutral": "N", "sadness": "S"},
}
"""Corpus -> class -> its codes, as in the column `native`, separated by blanks."""

CLASSES = labels.UNIFIED8
"""The eight classes, in our order."""

_CLASS_OF = {
    (corpus, code): name
    for corpus, classes in CODES.items()
    for name, codes in classes.items()
    for code in codes.split()
}


def label(corpus: str, facts: Mapping[str, Any]) -> str | None:
    """Return the class of an utterance by the paper's map, by ours where the paper has none for its code.

    Args:
        corpus: id of the corpus.
        facts: its columns native, unified8 and canonical are asked, in this order.

    Returns:
        None for an utterance without a label that is known.

    >>> label("shemo", {"native": "F", "unified8": "fear", "canonical": "fear"})
    'other'
    >>> label("demo", {"native": "fear", "unified8": "fear", "canonical": "fear"})
    'fear'
    """
    found = _CLASS_OF.get((corpus, facts["native"])) or facts["unified8"]
    if found is None and facts["canonical"] in labels.nouns():
        found = labels.mapping(facts["canonical"], corpus).unified8
    return found
