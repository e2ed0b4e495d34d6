"""eNTERFACE: the audio-visual emotion database of the eNTERFACE'05 workshop."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, listed_folds, serevals
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {f"s{k}": Gender.UNKNOWN for k in range(1, 45)}

CORPUS = Corpus(
    id="enterface",
    name="eNTERFACE",
    description="44 subjects of 14 nations answer, in English, to stories that bring about six emotions; video clips.",
    languages=("en",),
    sources=(Source.ELICITED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.NO,
        note="free of charge for research (SER-datasets)",
    ),
    access=Access.OPEN,
    homepage="https://enterface.net/enterface05/main.php?frame=emotion",
    citation="""@inproceedings{martin2006enterface,
  title = {The {eNTERFACE}'05 Audio-Visual Emotion Database},
  author = {Martin, O. and Kotsia, I. and Macq, B. and Pitas, I.},
  booktitle = {22nd International Conference on Data Engineering Workshops (ICDEW)},
  year = {2006},
  doi = {10.1109/ICDEW.2006.145}
}""",
    how_to_get="Download http://www.enterface.net/enterface05/docs/results/databases/project2_database.zip (about 0.8 "
    "GB) and unpack it.",
    layout="""
enterface database/
    subject 1/
        anger/  sentence 1/s1_an_1.avi ... sentence 5/s1_an_5.avi
        disgust/ fear/ happiness/ sadness/ surprise/
    ...
    subject 6/  anger/s6_an.avi disgust/s6_di.avi ...   six files that were never cut
    subject 44/
(hyphens or underscores for the blanks, and wav files instead of avi, are accepted too)
""",
    utterances=1293,
    emotions={
        "an": "anger",
        "di": "disgust",
        "fe": "fear",
        "ha": "happiness",
        "sa": "sadness",
        "su": "surprise",
    },
    classes={"an": "Angry", "di": "Disgust", "fe": "Fear", "ha": "Happy", "sa": "Sad", "su": "Surprise"},
    speakers=SPEAKERS,
    partitions=listed_folds("enterface", 1) | serevals("enterface") | emosetpp("enterface", SPEAKERS),
    ignore=("*.wav",),  # beside the video that they were extracted from
    downloads=(Archive(url="http://www.enterface.net/enterface05/docs/results/databases/project2_database.zip"),),
    papers=("emobox", "ser_evals", "exhubert"),
    traps=(
        "The files are AVI videos, which libsndfile cannot read; where a wav file lies beside one, the video is read.",
        "The speaker is the number of the folder: the files of subject 11 are called s12_*, 16 of subject 3 s_3_*.",
        "Ids end in .avi, as EmoBox's, also for files that were converted to wav or renamed (s11_an_1, s3_ha_1, "
        "s16_su_3).",
        "EmoBox's enterface-s12_* are clips of subject 11; its list has no clip of subject 12, whose ids here are "
        "enterface-subject12-*.",
        "The genders of the subjects are not told. The paper reports 42 subjects and 81 % men (unverified).",
        "Sentences 1 to 5 are five prescribed answers for each emotion.",
        "All speakers of fold1's test are also in its train.",
    ),
    errata=(
        Erratum(
            "Subject 6 was never cut into sentences: six files of 56 to 107 s, one for each emotion (EmoBox's list).",
            drop=tuple(f"enterface-s6_{code}.avi" for code in ("an", "di", "fe", "ha", "sa", "su")),
        ),
        Erratum(
            "Subject 11's files carry the names of subject 12's, so that EmoBox's list has 1,263 of the 1,293 clips "
            "(Strong-AI-Lab/emotion, nkululeko and EmoBox's list agree)."
        ),
        Erratum(
            "EmoBox's speaker is read from file names and differs from the folder for 46 clips: subject 3 is also s, "
            "subject 11 is s12."
        ),
        Erratum("Subject 23 lacks three happiness clips (counted)."),
        Erratum("subject 16/surprise/sentence 3 is called s16_su_3avi.avi."),
        Erratum("subject 2/anger: sentence 1 holds s2_an_2.avi, sentence 2 holds s2_an_1.avi (EmoBox's list)."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/enterface, "
        "EmoBox/preprocess/scripts/enterface.py",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/eNTERFACE/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/enterface/process_database.py",
        "albanie/mcnDatasets: enterface/README.md (44 subjects, 1,293 clips)",
    ),
)

GRAMMAR = re.compile(
    r"subject[ _-]?(?P<subject>\d{1,2})/(?:anger|disgust|fear|happiness|sadness|surprise)/(?:sentence[ _-]?[1-5]/)?"
    r"s_?\d{1,2}_(?P<emotion>an|di|fe|ha|sa|su)(?:_(?P<number>[1-5])(?:\.?avi)?)?\.(?:avi|wav)"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root`; the video where a wav file lies beside it."""
    seen = set()
    for path, name in match(root, GRAMMAR, "subject*/*", "subject*/*/sentence*"):
        utterance = f"enterface-{published_name(name['subject'], name['emotion'], name['number'])}.avi"
        if utterance in seen:
            continue
        seen.add(utterance)
        speaker = f"s{int(name['subject'])}"
        yield Utterance(
            id=utterance,
            path=path,
            native=name["emotion"],
            speaker=speaker,
            gender=SPEAKERS.get(speaker, Gender.UNKNOWN),
            language="en",
        )


def published_name(subject: str, emotion: str, number: str | None) -> str:
    """Return the stem that the original tree gives to a clip, whatever a copy calls it; subject 12's made unique."""
    if number is None:
        return f"s{subject}_{emotion}"
    prefix = {"11": "s12", "12": "subject12-s12"}.get(subject, f"s{subject}")
    if subject == "3" and (emotion in ("ha", "sa", "su") or (emotion, number) == ("fe", "5")):
        prefix = "s_3"
    suffix = "avi" if (subject, emotion, number) == ("16", "su", "3") else ""
    return f"{prefix}_{emotion}_{number}{suffix}"
