"""SUBESCO: the SUST Bangla Emotional Speech Corpus."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, serevals, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {
    f"{letter}_{number:02d}": gender
    for letter, gender in (("F", Gender.FEMALE), ("M", Gender.MALE))
    for number in range(1, 11)
}

CORPUS = Corpus(
    id="subesco",
    name="SUBESCO",
    description="Twenty actors speak ten Bangla sentences in seven emotions, five takes each.",
    languages=("bn",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-4.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="Zenodo record",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/records/4526477",
    citation="""@article{sultana2021sust,
  title = {{SUST} Bangla Emotional Speech Corpus ({SUBESCO}): An audio-only emotional speech corpus for {Bangla}},
  author = {Sultana, Sadia and Rahman, M. Shahidur and Selim, M. Reza and Iqbal, M. Zafar},
  journal = {PLOS ONE},
  volume = {16},
  number = {4},
  pages = {e0250173},
  year = {2021},
  doi = {10.1371/journal.pone.0250173}
}""",
    how_to_get="Download SUBESCO.zip from the Zenodo record (1.7 GB; 2.8 GB unpacked) and unpack it.",
    layout="""
SUBESCO/
    F_01_OISHI_S_10_ANGRY_1.wav ... M_10_EVAN_S_9_SURPRISE_5.wav   7000 files
""",
    utterances=7000,
    emotions={
        "ANGRY": "anger",
        "DISGUST": "disgust",
        "FEAR": "fear",
        "HAPPY": "happiness",
        "NEUTRAL": "neutral",
        "SAD": "sadness",
        "SURPRISE": "surprise",
    },
    classes={
        "ANGRY": "Angry",
        "DISGUST": "Disgust",
        "FEAR": "Fear",
        "HAPPY": "Happy",
        "NEUTRAL": "Neutral",
        "SAD": "Sad",
        "SURPRISE": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds(
        {
            1: ("F_03", "M_03", "M_08", "M_09"),
            2: ("F_01", "F_04", "F_10", "M_07"),
            3: ("F_06", "F_08", "M_05", "M_06"),
            4: ("F_05", "F_07", "F_09", "M_04"),
            5: ("F_02", "M_01", "M_02", "M_10"),
        }
    )
    | serevals("subesco")
    | emosetpp("subesco", SPEAKERS),
    downloads=(
        Archive(
            url="https://zenodo.org/records/4526477/files/SUBESCO.zip",
            bytes=1_664_512_929,
            sha256="7505111bc864193d1906c05f83ca50d950250c65b62ae9b1740dee44f5cdb113",
        ),
    ),
    papers=("emobox", "ser_evals", "exhubert"),
    traps=(
        "F_01 and M_01 are two people: the number alone, which two widely copied loaders take, merges women and men. "
        "EmoBox writes Female-01 and Male-01.",
        "Sampling rates differ from file to file: 4,555 have 44.1 kHz, 2,445 have 48 kHz. F_06, F_07, F_08, M_06 and "
        "M_10 are at 48 kHz throughout; F_09, M_07, M_08 and M_09 are mixed.",
        "The ten sentences S_1 to S_10 are spoken in every emotion; their texts are in the paper.",
        "The scores of the perception test by 50 listeners are in the paper, not in the archive.",
    ),
    errata=(
        Erratum(
            "F_02_MONIKA_S_2_SURPRISE_3].wav has a stray bracket in its name, which EmoBox's id keeps (EmoBox's list, "
            "audit of the archive's members)."
        ),
        Erratum("The record says 7 h 40 min; EmoBox's list adds up to 7.83 h (summed)."),
        Erratum("ExHuBERT's model card spells it SUBSECO."),
    ),
    facts_from=(
        "ExHuBERT model card (huggingface.co/amiriparian/ExHuBERT): subsets of EmoSet++",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/subesco",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/SUBESCO/process.py",
        "Neclow/serab@cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2: tensorflow_datasets/subesco",
        "a public preparation script of the archive (size, checksum)",
    ),
)

GRAMMAR = re.compile(
    r"(?P<stem>(?P<speaker>[FM]_\d{2})_[A-Z]+_S_(?:10|[1-9])"
    r"_(?P<emotion>ANGRY|DISGUST|FEAR|HAPPY|NEUTRAL|SAD|SURPRISE)_[1-5]\]?)\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance in `root`."""
    for path, name in match(root, GRAMMAR, "."):
        yield Utterance(
            id=f"subesco-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="bn",
        )
