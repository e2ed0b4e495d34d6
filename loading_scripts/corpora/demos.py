"""DEMoS: the Database of Elicited Mood in Speech."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, serevals
from ..raw import match
from ..utterance import Gender, Utterance

# fmt: off
FEMALE = (1, 17, 21, 22, 29, 31, 36, 37, 38, 40, 43, 44, 45, 46, 47, 48, 49, 54, 55, 56, 57, 60, 61)
# fmt: on
SPEAKERS = {f"{k:02d}": Gender.FEMALE if k in FEMALE else Gender.MALE for k in range(1, 70) if k != 35}

CORPUS = Corpus(
    id="demos",
    name="DEMoS",
    description="68 Italian speakers in seven moods that were induced by music, pictures, stories and the like, and "
    "neutral.",
    languages=("it",),
    sources=(Source.ELICITED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="academic licence agreement of a restricted Zenodo record",
    ),
    access=Access.REQUEST,
    homepage="https://zenodo.org/record/2544829",
    citation="""@article{parada2020demos,
  title = {{DEMoS}: an {Italian} emotional speech corpus. Elicitation methods, machine learning, and perception},
  author = {Parada-Cabaleiro, Emilia and Costantini, Giovanni and Batliner, Anton and Schmitt, Maximilian and
            Schuller, Björn W.},
  journal = {Language Resources and Evaluation},
  volume = {54},
  pages = {341--383},
  year = {2020},
  doi = {10.1007/s10579-019-09450-y}
}""",
    how_to_get="Request access on the Zenodo record, download wav_DEMoS.zip and the read-me, and unpack.",
    layout="""
wav_DEMoS/
    DEMOS/  NP_f_36_col09c.wav  PR_m_23_tri00a.wav ...   9365 files
    NEU/    f_01_neu00a.wav ...                          332 files
""",
    utterances=9697,
    emotions={
        "rab": "anger",
        "dis": "disgust",
        "pau": "fear",
        "col": "guilt",
        "gio": "happiness",
        "neu": "neutral",
        "tri": "sadness",
        "sor": "surprise",
    },
    speakers=SPEAKERS,
    partitions=serevals("demos") | emosetpp("demos", SPEAKERS),
    papers=("ser_evals", "exhubert"),
    traps=(
        "Neutral files lie in a folder of their own and have no prefix NP_ or PR_.",
        "PR marks the 1,564 prototypical samples of 59 speakers, NP the other 7,801, by self and external assessment; "
        "the prefix is kept in the id, the ratings themselves are not in the names.",
        "col is colpa (guilt), tri tristezza, gio gioia, pau paura, rab rabbia, sor sorpresa. SER Evals counts guilt "
        "as sadness.",
        "The take a is nearly always of item 00, and items 85 and 90 to 99 occur beside 00 to 23.",
        "There is no speaker 35; 58 speakers have neutral samples. A public loader takes the gender from a list that "
        "lacks seven men; the letter in the name is right.",
        "EmoSet's uses without neutral have 9,365 samples; `emosetpp` takes all, as its rule is published and its "
        "list is not.",
    ),
    errata=(Erratum("Sampling rate and channels were not checked on files; the paper says 44.1 or 48 kHz, mono."),),
    facts_from=(
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/demos (9,697 names)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/DEMoS/process.py",
        "spaghettiSystems/serval@fe6600542d8ab5b0531e8845bbdfd7118c85bb23: cleaner_datasets.py, constants.py",
    ),
)

GRAMMAR = re.compile(
    r"(?:DEMOS/(?:NP|PR)_(?=[fm]_\d\d_(?!neu))|NEU/(?=[fm]_\d\d_neu))"
    r"[fm]_(?P<speaker>\d{2})_(?P<emotion>col|dis|gio|pau|rab|sor|tri|neu)\d{2}[abc]\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "DEMOS", "NEU"):
        yield Utterance(
            id="demos-" + path.removesuffix(".wav").replace("/", "-"),
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="it",
        )
