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

# Outtakes that are listed several times with the same interval: prompt, then the first letters of their styles.
CONTRADICTORY = """
m0002a:hs m0002b:hs m0003a:hp m0006a:ap m0009a:ah m0017a:hp m0029a:ah m0031a:as m0033a:hp m0036a:ah m0046a:ap
m0047a:hp m0052a:ahp m0058a:ahs m0062a:hs m0066a:ap m0067a:ahs m0070a:ahps m0070b:hs m0076a:hs m0100a:ap m0103a:hs
m0107a:ahps m0107b:ahps m0107c:hs m0110a:ps m0111a:hs m0115a:ahps m0124a:ap m0128a:as m0130a:hp m0142a:ps
m0145a:ahps m0145b:ahs m0149a:hp m0153a:ps m0156a:hp m0161a:ahp m0162a:ap m0162b:ap m0166a:ps m0170a:hp m0177a:ap
m0186a:ahp m0197a:ahp m0200a:ap m0204a:ap m0206a:ps m0207a:hs m0213a:ahs m0216a:ahp m0216b:ap m0222a:aps m0223a:hp
m0223b:hp m0225a:ps m0227a:ahps m0236a:hs m0237a:hp m0250a:ahs m0253a:ps m0254a:ahp m0257a:hs m0260a:ahp m0263a:ps
m0271a:ap m0274a:ahp m0275a:ps m0276a:ahps m0276b:hp m0278a:ap m0278b:ap m0278c:ap m0279a:ps m0279b:ps m0281a:ah
m0293a:ps m0297a:hps m0303a:ahps m0305a:ps m0307a:hps m0307b:hs m0309a:ahps m0309b:ps m0318a:ps m0319a:as m0330a:hp
m0333a:ap m0334a:ahp m0336a:ah m0338a:ah m0340a:hps m0342a:ahs m0342b:hs m0343a:ahs m0343b:ah m0346a:ahps m0347a:as
m0352a:aps m0362a:ap m0365a:ap m0368a:ahps m0368b:hps m0369a:as m0372a:ap m0376a:hs m0377a:ps m0377b:ps m0377c:ps
m0377d:ps m0384a:ps m0386a:ahps m0388a:hps m0388b:hp m0390a:as m0391a:ahps m0391b:ap m0398a:as m0400a:aps
"""
STYLES = {style[0]: style for style in ("angry", "happy", "neutral", "poker", "sad")}


def contradictory() -> Iterator[str]:
    """Yield the ids of all utterances whose audio has another label too."""
    for word in CONTRADICTORY.split():
        prompt, _, letters = word.partition(":")
        yield from (f"pavoque-{prompt}-{STYLES[letter]}" for letter in letters)


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
            "(computed).",
            drop=tuple(contradictory()),
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
