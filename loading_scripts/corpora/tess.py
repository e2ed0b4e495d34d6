"""TESS: the Toronto emotional speech set."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import Table, emosetpp, listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = dict.fromkeys(("OAF", "YAF"), Gender.FEMALE)

CORPUS = Corpus(
    id="tess",
    name="TESS",
    description='Two actresses, 64 and 26 years old, say "Say the word ..." with 200 words in seven emotions.',
    languages=("en",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-NC-ND-4.0",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="no derivatives: a resampled or repackaged copy may not be passed on",
    ),
    access=Access.OPEN,
    homepage="https://tspace.library.utoronto.ca/handle/1807/24487",
    citation="""@misc{dupuis2010toronto,
  title = {Toronto emotional speech set ({TESS})},
  author = {Dupuis, Kate and Pichora-Fuller, M. Kathleen},
  institution = {University of Toronto, Psychology Department},
  year = {2010},
  doi = {10.5683/SP2/E8H2MF}
}""",
    how_to_get="Download all files of doi:10.5683/SP2/E8H2MF from Borealis (the Dataverse of Canadian universities), "
    "the TSpace collection of the homepage, or the copy ejlok1/toronto-emotional-speech-set-tess on Kaggle. "
    "PaddlePaddle's mirror https://bj.bcebos.com/paddleaudio/datasets/TESS_Toronto_emotional_speech_set.zip has MD5 "
    "1465311b24d1de704c4c63e4ccc470c7.",
    layout="""
<root>/
    OAF_back_angry.wav ... YAF_youth_sad.wav   2800 files
(or in one folder per speaker and emotion: OAF_angry/ OAF_Fear/ YAF_pleasant_surprised/ ...)
""",
    utterances=2800,
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "ps": "surprise",
        "sad": "sadness",
    },
    classes={
        "angry": "Angry",
        "disgust": "Disgust",
        "fear": "Fear",
        "happy": "Happy",
        "neutral": "Neutral",
        "sad": "Sad",
        "ps": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=listed_folds("tess", 1)
    | {
        # Durations differ by 3 % only, so Generalize would draw: numpy's default_rng(0).choice(["OAF", "YAF"]).
        "generalize": Table(
            keys={"test": frozenset(["YAF"])},
            rest="train",
            rule="speaker YAF tests, drawn by numpy.random.default_rng(0) as both speak about equally long (YAF 2926.6 "
            "s, OAF 2827.8 s in EmoBox's list); OAF trains",
        )
    }
    | emosetpp("tess", SPEAKERS),
    papers=("emobox", "generalize", "exhubert"),
    traps=(
        "ps means pleasant surprise.",
        "The emotion stands in the file name; folders differ in case and wording (OAF_Fear, OAF_Sad, "
        "OAF_Pleasant_surprise, YAF_pleasant_surprised).",
        "Most copies have OA_bite_neutral.wav for OAF_bite_neutral.wav; both get the id of the latter.",
        "The copy on Kaggle holds the tree twice, the second one a level deeper; each name is read once.",
        "OAF means older adult female and YAF younger adult female; one README calls OAF a male voice.",
        "The sampling rate is 24,414 Hz, of OAF_food_fear.wav 96,000 Hz.",
        "Both speakers are in train and in test of fold1.",
    ),
    errata=(
        Erratum("OAF_food_fear.wav has 96,000 Hz (EmoBox's list, three public scripts)."),
        Erratum("OAF_bite_neutral.wav is called OA_bite_neutral.wav in most copies (about ten public loaders)."),
        Erratum(
            "YAF_germ_angry.wav and YAF_neat_fear.wav have broken headers according to one notebook (unverified; "
            "EmoBox could read both)."
        ),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/tess, EmoBox/preprocess/scripts/tess.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/tess",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/TESS/process.py",
        "PaddlePaddle's audio datasets, class TESS (address and MD5)",
        "notebooks on Kaggle (names of folders, the second copy of the tree)",
        "model card amiriparian/ExHuBERT (member of EmoSet++)",
    ),
)

GRAMMAR = re.compile(
    r"(?:[^/]+/)*(?P<speaker>OAF?|YAF)_(?P<word>[A-Za-z]+)_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`: all in one folder, or in folders up to two levels down, each name once."""
    seen = set()
    for path, name in match(root, GRAMMAR, ".", "*", "*/*"):
        speaker = "OAF" if name["speaker"] == "OA" else name["speaker"]
        utterance = f"tess-{speaker}-{name['word']}-{name['emotion']}"
        if utterance in seen:
            continue
        seen.add(utterance)
        yield Utterance(
            id=utterance,
            path=path,
            native=name["emotion"],
            speaker=speaker,
            gender=Gender.FEMALE,
            language="en",
            transcript=f"Say the word {name['word']}",
        )
