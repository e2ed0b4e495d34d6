"""TurEV-DB: Turkish words in four emotions."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

CORPUS = Corpus(
    id="turevdb",
    name="TurEV-DB",
    description="Six speakers say 82 Turkish words in four emotions, in 1,735 recordings of single words.",
    languages=("tr",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-NC-ND-4.0",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.NO,
        note="the README says CC BY-NC-ND 4.0, the LICENSE file holds the text of GPL-3.0; the stricter one is taken",
    ),
    access=Access.OPEN,
    homepage="https://github.com/Xeonen/TurEV-DB",
    citation="""@inproceedings{canpolat2020turkish,
  title = {Turkish Emotion Voice Database ({TurEV-DB})},
  author = {Canpolat, Salih Fırat and Ormanoğlu, Zuhal and Zeyrek, Deniz},
  booktitle = {Proc. SLTU and CCURL at LREC},
  pages = {368--375},
  year = {2020}
}""",
    how_to_get='Clone the repository; only its folder "Sound Source" is needed.',
    layout="""
TurEV-DB/
    Sound Source/
        Angry/  1157_kz_beste.wav ...   487 files
        Calm/   1984_sk_eger.wav ...    408 files
        Happy/  1358_mt_eski.wav ...    357 files
        Sad/    1234_hl_dil.wav ...     483 files
""",
    utterances=1735,
    emotions={"kz": "anger", "sk": "calm", "mt": "happiness", "hl": "sadness"},
    classes={"kz": "Angry", "sk": "Calm", "mt": "Happy", "hl": "Sad"},
    # Not from the authors: inferred from the median F0 of up to 40 calm words of each; 1157 has no calm words.
    speakers={
        "1157": Gender.UNKNOWN,
        "1234": Gender.FEMALE,
        "1358": Gender.MALE,
        "1984": Gender.FEMALE,
        "6783": Gender.MALE,
        "7895": Gender.FEMALE,
    },
    partitions=listed_folds("turevdb", 1),
    papers=("emobox",),
    traps=(
        "The folder 'Model Output for Test Data' holds filtered copies with the same names; they are left out.",
        "The baseline is calm; there is no neutral class.",
        "Words as short as 0.354 s occur.",
    ),
    errata=(
        Erratum("1157 has only anger and sadness, 7895 only 29 words in happiness (measured)."),
        Erratum(
            "The level differs by speaker: mean RMS 0.047-0.057 for 1157, 1234, 1358, 1984, but 0.098 for 6783 and "
            "7895 (measured)."
        ),
        Erratum("EmoBox keeps the extension in its keys, and so do the ids here."),
    ),
    facts_from=(
        "Xeonen/TurEV-DB@be9873eccbc40538acbeb5e67c718bda96763cf3",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/turevdb",
    ),
)

GRAMMAR = re.compile(
    r"Sound Source/(Angry|Calm|Happy|Sad)/"
    r"(?P<name>(?P<speaker>\d{4})_(?P<emotion>kz|sk|mt|hl)_(?P<word>[a-z]+)\d?\.wav)"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "Sound Source/*"):
        yield Utterance(
            id=f"turevdb-{name['name']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=CORPUS.speakers.get(name["speaker"], Gender.UNKNOWN),
            language="tr",
            transcript=name["word"],
        )
