"""MELD: the Multimodal EmotionLines Dataset, clips of the series Friends."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import EMOBOX, Table, balanced, generalize, serevals
from ..raw import match
from ..utterance import Gender, Utterance

# The corpus tells no gender: these are guesses of a public loader (felixbur/nkululeko, data/meld).
MALE = """
1st Customer; 2nd Customer; 3rd Customer; A Student; Airline Employee; Alan; Allesandro; Another Scientist;
Another Tour Guide; Barry; Ben; Bob; Bobby; Boy in the Cape; Burt; Carl; Chandler; Charlton Heston; Chip; Cliff;
Commercial; Danny; David; Doctor; Doctor Connelly; Doug; Dr. Baldhara; Dr. Drake Remoray; Dr. Franzblau; Dr. Green;
Dr. Harad; Dr. Johnson; Dr. Ledbetter; Dr. Miller; Dr. Rhodes; Dr. Stryker Ramoray; Dr. Wesley; Drew; Duncan; Earl;
Emeril; Eric; Fireman No. 1; Fireman No. 2; Fireman No. 3; Frank; Frank Sr.; Gary; Gary Collins; Gerston; Gunther;
Guru Saj; Hitchhiker; Hombre Man; Hoshi; Host; Hotel Clerk; Issac; Jake; Janitor; Jason; Jay Leno; Jester; Jim; Joey;
Joey and Chandler; Joey and Ross; Joey's Hand Twin; Joey/Drake; Joshua; Julio; Kyle; Larry; Lecturer; Liam; Maitre d';
Marc; Mark; Max; Mike; Mischa; Mona's Date; Mr. Bing; Mr. Burgin; Mr. Franklin; Mr. Geller; Mr. Heckles; Mr. Kaplan;
Mr. Posner; Mr. Treeger; Mr. Tribbiani; Mr. Waltham; Mr. Zelner; Older Scientist; PBS Volunteer; Paolo; Passerby;
Paul; Pete; Peter; Petrie; Policeman; Professore Clerk; Raymond; Richard; Rick; Robbie; Robert; Roger; Ross;
Ross and Chandler; Russell; Sergei; Sick Bastard; Stage Manager; Stanley; Steve; Stevens; Stranger; Stu; TV Announcer;
Tag; Terry; The Acting Teacher; The Assistant Director; The Cigarette Guy; The Conductor; The Croupier;
The Dry Cleaner; The Fan; The Fireman; The Food Critic; The Grip; The Guys; The Head Librarian; The Instructor;
The Librarian; The Security Guard; The Singing Man; The Teacher; The Vendor; The Waiter; Tom; Tommy; Tony; Vince;
Voice; Waiter; Wayne; Young Ethan
"""
FEMALE = """
A Female Student; Alice; Angela; Annabelle; Aunt Lillian; Bernice; Bonnie; Brenda; Caitlin; Carol; Casey; Cassie;
Cecilia; Charlie; Chloe; Cookie; Dana; Dina; Dr. Long; Dr. Zane; Elizabeth; Emily; Erin; Estelle; Evil Bitch;
Fake Monica; Female Clerk; Female Student; Frannie; Friend No. 1; Friend No. 2; Front Desk Clerk; Ginger; Helena;
Her-Friends; Hold Voice; Hope; Hypnosis Tape; Isabella; Jade; Jane; Janice; Janine; Jeannine; Jen; Jessica Lockhart;
Jill; Joanna; Joanne; Judge; Julie; Kate; Kathy; Katie; Kiki; Kim; Kori; Krista; Kristen; Kristin; Lauren; Leader;
Leslie; Lorraine; Lydia; Marjorie; Megan; Melissa; Message; Mindy; Molly; Mona; Monica; Monica and Phoebe;
Monica and Rachel; Mrs. Bing; Mrs. Burgin; Mrs. Chatracus; Mrs. Geller; Mrs. Green; Mrs. Lynch; Mrs. Tedlock;
Mrs. Tribbiani; Mrs. Waltham; Ms. McKenna; Nancy; Paula; Phoebe; Phoebe Sr.; Phoebe and Leslie; Phoebe and Rachel;
Phoebe/Waitress; Rachel; Rachel and Bonnie; Rachel/actress; Richard’s Date; Ronni; Santos; Sarah; Shelley; Singer;
Sophie; Stage Director; Stephanie; Supervisor; Susan; Teacher; The Cooking Teacher; The Hot Girl; The Lurker;
The Museum Official; The Potential Roommate; The Presenter; The Smoking Woman; The Stripper; The Woman;
Ticket Counter Attendant; Tour Guide; Trudie Styler; Ursula; Waitress; Whitney; Woman; Woman On Train
"""
UNKNOWN = """
A Waiter; All; Both; Customer; Director; Dr. Leedbetter; Dr. Oberman; Drunken Gambler; Fireman #1; Flight Attendant;
Girl; Guest #1; Guy; Guy #1; Man; Monica and Ross; Nurse; Nurse #1; Nurse #2; Paleontologist; Phoebe Sr;
Rachel and Phoebe; Receptionist; Ross and Joey; Ross and Rachel; Student; The Casting Director; The Director;
The Interviewer; an
"""


def _names(text: str, gender: Gender) -> dict[str, Gender]:
    return {" ".join(name.split()): gender for name in text.split(";")}


SPEAKERS = _names(MALE, Gender.MALE) | _names(FEMALE, Gender.FEMALE) | _names(UNKNOWN, Gender.UNKNOWN)

FOLDERS = {"train_splits": "train", "dev_splits_complete": "dev", "output_repeated_splits_test": "test"}

# Cannot be decoded; EmoBox and three public loaders leave them out as well.
BROKEN = frozenset(["meld-dia125_utt3-train", "meld-dia110_utt7-dev"])


def split_of(one: Utterance) -> str:
    """Return the corpus' own name of the split, the last part of the id."""
    return one.id.rpartition("-")[2]


OFFICIAL = Table(
    keys={"train": frozenset(["train"]), "validation": frozenset(["dev"]), "test": frozenset(["test"])},
    key=split_of,
    rule="the corpus' own split: one folder and one CSV file each for train, dev and test",
)

CORPUS = Corpus(
    id="meld",
    name="MELD",
    description="13,706 utterances of dialogues in the television series Friends, as video clips, in seven emotions.",
    languages=("en",),
    sources=(Source.TV,),
    licence=Licence(
        id="GPL-3.0",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="GPL-3.0 covers the annotations; the clips are cut from a copyrighted television series",
    ),
    access=Access.OPEN,
    homepage="https://affective-meld.github.io/",
    citation="""@inproceedings{poria2019meld,
  title = {{MELD}: A Multimodal Multi-Party Dataset for Emotion Recognition in Conversations},
  author = {Poria, Soujanya and Hazarika, Devamanyu and Majumder, Navonil and Naik, Gautam and Cambria, Erik and
            Mihalcea, Rada},
  booktitle = {Proc. ACL},
  pages = {527--536},
  year = {2019},
  doi = {10.18653/v1/P19-1050}
}""",
    how_to_get="Download MELD.Raw.tar.gz from the project page, unpack it, then train.tar.gz, dev.tar.gz and "
    "test.tar.gz inside it.",
    layout="""
MELD.Raw/
    train_sent_emo.csv  dev_sent_emo.csv  test_sent_emo.csv       (or beside the folders of the clips)
    train_splits/                 dia0_utt0.mp4 ...   9988 clips  (or train/train_splits/)
    dev_splits_complete/          dia0_utt0.mp4 ...   1108 clips  (or dev/dev_splits_complete/)
    output_repeated_splits_test/  dia0_utt0.mp4 ...   2610 clips  (or test/output_repeated_splits_test/)
""",
    utterances=13706,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "joy": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
    },
    classes={
        "anger": "Angry",
        "disgust": "Disgust",
        "fear": "Fear",
        "joy": "Happy",
        "neutral": "Neutral",
        "sadness": "Sad",
        "surprise": "Surprise",
    },
    speakers=SPEAKERS,
    partitions={
        "fold1": replace(OFFICIAL, rule=f"the corpus' own split, as in {EMOBOX}"),
        "official": OFFICIAL,
        "emosetpp": replace(OFFICIAL, rule="the corpus' own split: EmoSet++ keeps those that exist"),
    }
    | generalize("Ross", seconds=6721.8)
    | serevals("meld")
    | balanced("meld"),
    ignore=("*/final_videos_test*", "*train_splits/dia125_utt3.*", "*dev_splits_complete/dia110_utt7.*"),
    papers=("emobox", "ser_evals", "generalize", "exhubert"),
    traps=(
        "12,109 clips have six channels, the others two. EmoBox reads the third of six, which holds the speech, and "
        "the first of two; here all are averaged, music and laughter included, unless center_channel=True "
        "(--center-channel) asks for EmoBox's.",
        "Numbers of dialogues start again in each split: dia0_utt0 exists three times.",
        "The test folder holds about 140 extra files final_videos_test*; they are left out. One public loader says "
        "that they are the right cuts: 96 of 2,610 plain test clips differ by more than 1 s from their time stamps, "
        "against one of 9,988 in train.",
        "Speakers are named as in the CSV files; some names are groups (All, Both, Joey and Ross) or spelling variants "
        "(Dr. Leedbetter, Ross and Joey).",
        "Eight clips last 0.064 s.",
    ),
    errata=(
        Erratum(
            "train dia125_utt3.mp4 and dev dia110_utt7.mp4 cannot be read and are left out (EmoBox, three public "
            "loaders)."
        ),
        Erratum(
            "test dia38_utt4 lasts 305 s and test dia220_utt0 235 s (EmoBox's list).",
            drop=("meld-dia38_utt4-test", "meld-dia220_utt0-test"),
        ),
        Erratum("69 of the 100 test speakers, with 95.8 % of the utterances, are also in train (counted)."),
        Erratum("EmoBox's list has Ross for train dia556_utt6, the CSV file Joey."),
        Erratum(
            "Some names in EmoBox's balanced set fit two clips; dia208_utt1 and dia252_utt15 of train were taken "
            "(unverified)."
        ),
        Erratum("test dia155_utt3 ends before it starts in the CSV file."),
    ),
    facts_from=(
        "declare-lab/MELD@2d2011b409d3ca2d7e94460cd007d434b1d0a102: README.md, LICENSE, data/MELD/*.csv",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/meld, data/track2",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/meld/process_database.py",
    ),
)

GRAMMAR = re.compile(
    r"(?:[^/]+/)?(?P<folder>train_splits|dev_splits_complete|output_repeated_splits_test)/"
    r"dia(?P<dialogue>\d+)_utt(?P<utterance>\d+)\.(?:mp4|wav|flac)"
)

CENTER_CHANNEL = True

# CSV files from before November 2020 have control characters (U+0080 to U+009F) for apostrophes and dashes.
CP1252 = {code: bytes([code]).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)}


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root` that has a line in the CSV file of its split.

    Raises:
        RawTreeError: the CSV file of a split is missing.
    """
    annotated = cache(_annotated)
    for path, name in match(root, GRAMMAR, *FOLDERS, *(f"*/{folder}" for folder in FOLDERS)):
        split = FOLDERS[name["folder"]]
        line = annotated(root, (root / path).parent.parent, split).get((name["dialogue"], name["utterance"]))
        utterance = f"meld-dia{name['dialogue']}_utt{name['utterance']}-{split}"
        if line is None or utterance in BROKEN:
            continue
        speaker = line["Speaker"].strip()
        yield Utterance(
            id=utterance,
            path=path,
            native=line["Emotion"],
            speaker=speaker,
            gender=SPEAKERS.get(speaker, Gender.UNKNOWN),
            language="en",
            transcript=line["Utterance"],
        )


def _annotated(root: Path, beside: Path, split: str) -> dict[tuple[str, str], dict[str, str]]:
    """Return (dialogue, utterance) -> line of the CSV file of a split, which lies in `root` or beside the clips."""
    name = f"{split}_sent_emo.csv"
    path = next((folder / name for folder in (root, beside) if (folder / name).is_file()), None)
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: the labels of its {split} clips are read from {root / name}, which does not exist. Copy "
            "it from the archive, or from https://github.com/declare-lab/MELD/tree/master/data/MELD."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(line.translate(CP1252) for line in file)
        return {(line["Dialogue_ID"], line["Utterance_ID"]): line for line in lines}
