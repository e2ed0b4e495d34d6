"""EmoDB: the Berlin Database of Emotional Speech."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, listed_folds, serab, serevals
from ..raw import match
from ..utterance import Gender, Utterance

SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}

SPEAKERS = {
    "03": Gender.MALE,
    "08": Gender.FEMALE,
    "09": Gender.FEMALE,
    "10": Gender.MALE,
    "11": Gender.MALE,
    "12": Gender.MALE,
    "13": Gender.FEMALE,
    "14": Gender.FEMALE,
    "15": Gender.MALE,
    "16": Gender.FEMALE,
}

CORPUS = Corpus(
    id="emodb",
    name="EmoDB",
    description="Ten actors speak ten German sentences in seven emotions.",
    languages=("de",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC0-1.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="as stated in audEERING's package of the original",
    ),
    access=Access.OPEN,
    homepage="http://emodb.bilderbar.info/",
    citation="""@inproceedings{burkhardt2005database,
  title = {A Database of German Emotional Speech},
  author = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and Sendlmeier, Walter F. and Weiss, Benjamin},
  booktitle = {Proc. Interspeech},
  pages = {1517--1520},
  year = {2005}
}""",
    how_to_get="Download download.zip from the project page and unpack it; no registration.",
    layout="""
emodb/
    wav/  03a01Fa.wav ... 16b10Wb.wav   535 files (a folder called wav_corpus is accepted too)
""",
    utterances=535,
    emotions={
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    classes={
        "W": "Angry",
        "L": "Boredom",
        "E": "Disgust",
        "A": "Fear",
        "F": "Happy",
        "N": "Neutral",
        "T": "Sad",
    },
    speakers=SPEAKERS,
    partitions=listed_folds("emodb", 5)
    | serab({"validation": ("10", "14"), "test": ("03", "12")})
    | serevals("emodb")
    | emosetpp("emodb", SPEAKERS),
    downloads=(Archive(url="http://emodb.bilderbar.info/download/download.zip"),),
    papers=("emobox", "ser_evals", "serab", "exhubert"),
    traps=(
        "The emotion letters are German initials: F is Freude (happiness), A is Angst (fear).",
        "Version 2 of the corpus has 816 files; the papers use the 535 of the original.",
    ),
    errata=(
        Erratum("EmoBox's five folds share all ten speakers between train and test (counted in its lists)."),
        Erratum(
            "EmoBox's lists spell boredom 'boredem', and its label map has no entry for 'neutral', so that 79 "
            "utterances of its own list cannot be mapped; here they are Neutral."
        ),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/emodb",
        "audeering/emodb@4b446d7: 1.1.0/create.py, CHANGELOG.md (genders, licence)",
        "Neclow/serab@cc0ebd7: tensorflow_datasets/emoDB/emoDB.py",
    ),
)

GRAMMAR = re.compile(
    r"(wav|wav_corpus)/(?P<stem>(?P<speaker>\d{2})(?P<sentence>[ab]\d{2})(?P<emotion>[WLEAFTN])[a-f])\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "wav", "wav_corpus"):
        yield Utterance(
            id=f"emodb-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=CORPUS.speakers.get(name["speaker"], Gender.UNKNOWN),
            language="de",
            transcript=SENTENCES.get(name["sentence"]),
        )
