"""PAVOQUE: one speaker in five expressive styles, as segments of six long files."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import listed_folds
from ..utterance import Gender, Utterance

FILES = ("angry", "happy", "neutral", "outtakes", "poker", "sad")
SPEAKER = "STEFAN-RÖTTIG"

CORPUS = Corpus(
    id="pavoque",
    name="PAVOQUE",
    description="One male actor speaks German sentences in a neutral and four expressive styles; outtakes included.",
    languages=("de",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-NC-SA-4.0",
        redistribution=Permission.YES,
        commercial=Permission.NO,
        note="LICENSE.md and README of the repository; copyright 2009 DFKI GmbH",
    ),
    access=Access.OPEN,
    homepage="https://github.com/marytts/pavoque-data",
    citation="""@inproceedings{steiner2013pavoque,
  title = {The {PAVOQUE} corpus as a resource for analysis and synthesis of expressive speech},
  author = {Steiner, Ingmar and Schröder, Marc and Klepp, Annette},
  booktitle = {Phonetik \\& Phonologie 9},
  year = {2013}
}""",
    how_to_get="Clone the repository and put the FLAC files of its release v0.2 beside the YAML files.",
    layout="""
pavoque-data/
    pavoque-angry.yaml     pavoque-angry.flac       601 utterances
    pavoque-happy.yaml     pavoque-happy.flac       584
    pavoque-neutral.yaml   pavoque-neutral.flac     3126
    pavoque-poker.yaml     pavoque-poker.flac       575
    pavoque-sad.yaml       pavoque-sad.flac         556
    pavoque-outtakes.yaml  pavoque-outtakes.flac    1892, all styles mixed
""",
    utterances=7334,
    emotions={"angry": "anger", "happy": "happiness", "neutral": "neutral", "poker": "poker", "sad": "sadness"},
    classes={"angry": "Angry", "happy": "Happy", "neutral": "Neutral", "poker": "Poker", "sad": "Sad"},
    speakers={SPEAKER: Gender.MALE},
    partitions=listed_folds("pavoque", 1),
    papers=("emobox",),
    traps=(
        "Poker is a style (a cool card player), not an emotion.",
        "The prefix of a prompt is no label: poker_a, poker_f and poker_d are texts of the poker player, spoken in the "
        "angry, happy and sad style.",
        "m0001 to m0400 are the same sentences in all four expressive styles, so that fold1 shares texts between train "
        "and test.",
        "Without the outtakes the corpus has 5,442 utterances; EmoBox uses all 7,334.",
        "No filter was applied: below 50 Hz there is no speech.",
    ),
    errata=(
        Erratum(
            "119 intervals of the outtakes are listed two to four times, each time in another style (169 surplus "
            "entries): the same audio with contradicting labels; 60 of the 119 are in train and in test of fold1 "
            "(computed)."
        ),
        Erratum("50 more pairs of neighboring outtakes overlap partly (computed)."),
        Erratum("EmoBox's 12.2 h count those intervals twice; 11.9 h are distinct."),
    ),
    facts_from=(
        "marytts/pavoque-data@615be57328e5a608f5a110084ad54a5206823c2e: README.md, pavoque-*.yaml",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/pavoque",
    ),
)

# Phones, twenty per utterance: nine tenths of the text, and nothing here needs them.
_PHONE = re.compile(r"\s*- \{lab: ")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every segment of the FLAC files in `root`, as the YAML file beside each lists them.

    Raises:
        RawTreeError: a FLAC file has no YAML file.
    """
    for style in FILES:
        path = root / f"pavoque-{style}.flac"
        if not path.is_file():
            continue
        for entry in _entries(path.with_suffix(".yaml")):
            yield Utterance(
                id=f"pavoque-{entry['prompt']}-{entry['style']}",
                path=path.name,
                native=entry["style"],
                speaker=SPEAKER,
                gender=Gender.MALE,
                language="de",
                start=float(entry["start"]),
                end=float(entry["end"]),
                transcript=entry["text"],
            )


def _entries(path: Path) -> list[dict[str, str]]:
    import yaml

    if not path.is_file():
        raise RawTreeError(
            f"{CORPUS.name}: the segments of {path.with_suffix('.flac').name} are read from {path}, which does not "
            f"exist. Copy it from {CORPUS.homepage}."
        )
    # BaseLoader: every value is text, so that no word of a sentence is taken for a number or a truth value.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    with path.open(encoding="utf-8") as file:
        text = "".join(line for line in file if not _PHONE.match(line))
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise RawTreeError(f"{CORPUS.name}: {path} is no whole YAML file: {error}. Copy it again.") from error
