"""EmoFilm: emotional speech from films in Italian, Spanish and English."""

import re
from collections.abc import Iterator
from pathlib import Path

from .. import workbook
from ..annotations import beside
from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import Table, unit
from ..partitions.linked import emosetpp
from ..partitions.table import speaker_of
from ..raw import match
from ..utterance import Gender, Utterance

LEGEND = "f_m_corpus_it_es_en_legend.xlsx"

GRAMMAR = re.compile(
    r"(?:wav_corpus/)?(?P<stem>(?P<gender>[fm])_(?P<emotion>ans|dis|gio|rab|tri)(?P<item>\d{3})(?P<take>[a-z]{0,2}?)"
    r"(?P<language>it|es|en))\.wav"
)


def scene_of(one: Utterance) -> str:
    """Return gender, emotion and item number: what the versions of a scene in other languages share."""
    return re.match(r"emofilm-([fm]_[a-z]{3}\d{3})", one.id)[1]


def drawn(one: Utterance) -> str:
    """Return the split that a fixed hash of the id draws, 85 % train."""
    return "train" if unit("emofilm", "generalize", one.id) < 0.85 else "test"


def in_english(one: Utterance) -> bool:
    """Return whether Generalize uses the utterance."""
    return one.language == "en"


CORPUS = Corpus(
    id="emofilm",
    name="EmoFilm",
    description="1,115 clips of 43 films in Italian, Spanish and English, most of them dubbed, in five emotions.",
    languages=("en", "es", "it"),
    sources=(Source.FILM,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="academic EULA; restricted Zenodo records; cut from copyrighted films",
    ),
    access=Access.REQUEST,
    homepage="https://zenodo.org/record/7665999",
    citation="""@inproceedings{paradacabaleiro2018categorical,
  title = {Categorical vs Dimensional Perception of {Italian} Emotional Speech},
  author = {Parada-Cabaleiro, Emilia and Costantini, Giovanni and Batliner, Anton and Baird, Alice and
            Schuller, Björn W.},
  booktitle = {Proc. Interspeech},
  year = {2018}
}""",
    how_to_get="Request access on Zenodo (record 1326428 is the first version, 7665999 the third) and unpack it.",
    layout="""
EmoFilm/
    f_m_corpus_it_es_en_legend.xlsx        file -> speaker, film
    wav_corpus/  f_ans001ait.wav ...       1115 files (first version: beside the workbook)
""",
    utterances=1115,
    emotions={"rab": "anger", "dis": "contempt", "gio": "happiness", "ans": "fear", "tri": "sadness"},
    partitions={
        "generalize": Table(
            keys={"train": frozenset(["train"]), "test": frozenset(["test"])},
            key=drawn,
            takes=in_english,
            rule="English part, by utterance: train below 0.85 of u = blake2b(emofilm/generalize/id), else test; the "
            "paper draws its 15 % for test with a generator that it does not state",
        )
    }
    | emosetpp("emofilm", speaker=speaker_of, scene=scene_of),
    papers=("generalize", "exhubert"),
    traps=(
        "dis is Italian disprezzo, contempt, not disgust: one public loader has it wrong. ans is ansia (anxiety), used "
        "as fear.",
        "No neutral class: in Generalize's settings of 4 and 5 emotions it has 3 classes.",
        "A scene exists in up to three languages under one gender, emotion and item number, spoken by dubbing actors: "
        "`generalize` keeps neither scenes nor speakers apart, as in the paper; `emosetpp` keeps both.",
        "Speakers are actors or dubbing actors, named in the workbook in many spellings (209 where case and blanks do "
        "not count, 207 in the description of the corpus); 22 clips have question marks there, which is read as "
        "unknown. For want of a sure list there are no speakerK configs.",
        "Film titles are spelt in many ways too, Brokeback Mountain in three: they are not read.",
        "Copies with the suffix _16k in wav_corpus_16k/ are derived and not read.",
    ),
    errata=(
        Erratum(
            "About nine speakers and fourteen films of the workbook have variant spellings "
            "(Strong-AI-Lab/emotion@30815b1: datasets/EmoFilm/process.py)."
        ),
        Erratum(
            "Four items have clips of two films each: f_gio203, f_gio116, f_gio115 and m_gio023 (counted in lists of "
            "nkululeko)."
        ),
    ),
    facts_from=(
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/emofilm/{process_database.py,"
        "convert_to_16k.py,emofilm_{train,dev,test}.csv} (all 1,115 names)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/EmoFilm/process.py",
        "Generalize (Ibrahim et al., Interspeech 2024), Table 1 and section 2: 343 English clips, 50 of them contempt",
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 1",
    ),
)

GENDERS = {"f": Gender.FEMALE, "m": Gender.MALE}


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`.

    Raises:
        RawTreeError: there are clips, but not the workbook that names their speakers.
    """
    clips = list(match(root, GRAMMAR, "wav_corpus", "."))
    if not clips:
        return
    speakers = _speakers(root)
    for path, name in clips:
        yield Utterance(
            id=f"emofilm-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=speakers.get(name["stem"]),
            gender=GENDERS[name["gender"]],
            language=name["language"],
        )


def _speakers(root: Path) -> dict[str, str | None]:
    """Return stem -> speaker in lower case, None where the workbook has question marks or nothing."""
    path = beside([root, root / "wav_corpus"], LEGEND)
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: the speakers are read from {root / LEGEND}, which does not exist. Copy it from the record."
        )
    rows = [row for _, sheet in workbook.read(path) for row in sheet]
    if not all({"file", "speaker"} <= row.keys() for row in rows):
        raise RawTreeError(
            f"{CORPUS.name}: the sheets of {path} have columns file and speaker; found {sorted(rows[0])}. Copy it "
            "again."
        )
    return {
        row["file"].removesuffix(".wav"): " ".join(row["speaker"].lower().split()).strip("?") or None for row in rows
    }
