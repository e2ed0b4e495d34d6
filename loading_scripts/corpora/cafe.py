"""CaFE: the Canadian French Emotional speech dataset."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import serab, serevals, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SENTENCES = {
    "1": "Un cheval fou dans mon jardin",
    "2": "Deux ânes aigris au pelage brun",
    "3": "Trois cygnes aveugles au bord du lac",
    "4": "Quatre vieilles truies éléphantesques",
    "5": "Cinq pumas fiers et passionnés",
    "6": "Six ours aimants domestiqués",
}

SPEAKERS = {f"{k:02d}": Gender.MALE if k % 2 else Gender.FEMALE for k in range(1, 13)}

CORPUS = Corpus(
    id="cafe",
    name="CaFE",
    description="Twelve actors speak six French sentences in six emotions of two intensities, and in neutral.",
    languages=("fr-CA",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-NC-SA-4.0",
        redistribution=Permission.YES,
        commercial=Permission.NO,
        note="as stated in a public catalogue (SuperKogito/SER-datasets@d748699)",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/records/1478765",
    citation="""@inproceedings{gournay2018canadian,
  title = {A Canadian {French} Emotional Speech Dataset},
  author = {Gournay, Philippe and Lahaie, Olivier and Lefebvre, Roch},
  booktitle = {Proc. 9th ACM Multimedia Systems Conference},
  pages = {399--402},
  year = {2018},
  doi = {10.1145/3204949.3208121}
}""",
    how_to_get="Download CaFE_48k.zip from Zenodo (https://zenodo.org/record/1478765/files/CaFE_48k.zip) and unpack it "
    "into a new folder, as it has no folder of its own. CaFE_192k_1.zip and CaFE_192k_2.zip hold the same recordings "
    "at a higher rate (both into one folder).",
    layout="""
CaFE_48k/
    Colère/     Faible/  01-C-1-1.wav ...   Fort/  01-C-2-1.wav ...   72 files each
    Dégoût/     Faible/  Fort/
    Joie/       Faible/  Fort/
    Neutre/     01-N-1-1.wav ...            72 files, one level higher
    Peur/       Faible/  Fort/
    Surprise/   Faible/  Fort/
    Tristesse/  Faible/  Fort/
""",
    utterances=936,
    emotions={
        "C": "anger",
        "D": "disgust",
        "P": "fear",
        "J": "happiness",
        "N": "neutral",
        "T": "sadness",
        "S": "surprise",
    },
    classes={
        "C": "Angry",
        "D": "Disgust",
        "P": "Fear",
        "J": "Happy",
        "N": "Neutral",
        "T": "Sad",
        "S": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds(
        {
            1: ("01", "07", "08", "10"),
            2: ("02", "04", "09", "12"),
            3: ("03", "05", "06", "11"),
        }
    )
    | serab({"validation": ("08", "10"), "test": ("01", "04", "06")})
    | serevals("cafe"),
    downloads=(Archive(url="https://zenodo.org/record/1478765/files/CaFE_48k.zip"),),
    papers=("emobox", "ser_evals", "serab"),
    traps=(
        "The archive stores its names in code page 437 without saying so: depending on the program, Colère comes out "
        "as ColŠre or ColКre, Dégoût as D‚go–t or DВgoЦt. Only the names of the files are read here.",
        "Neutral lies one level higher than the other emotions and has one intensity.",
        "Intensity is 1 (mild, Faible) or 2 (strong, Fort); neutral is always 1.",
        "P is peur (fear) and T is tristesse (sadness); EmoBox writes the letters in lower case.",
        "The copies at 48 kHz (WAV) and 192 kHz (AIFF) have the same stems: keep one of them.",
    ),
    errata=(
        Erratum(
            "SERAB prints 864 utterances, all but neutral; its published accuracies fit only 936, with 234 in test "
            "(computed)."
        ),
        Erratum("The code of SER Evals takes the emotion from the folder, so it works only where accents survived."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/cafe, EmoBox/preprocess/scripts/cafe.py",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/CaFE/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/cafe",
        "Neclow/serab@cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2: tensorflow_datasets/cafe/cafe.py",
    ),
)

# The folder of the emotion may have any name, see the traps.
GRAMMAR = re.compile(
    r"[^/]+/(?:(?:Faible|Fort)/)?"
    r"(?P<stem>(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<intensity>[12])-(?P<sentence>[1-6]))\.(?:wav|aiff)"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "*", "*/Faible", "*/Fort"):
        yield Utterance(
            id=f"cafe-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS[name["speaker"]],
            language="fr-CA",
            transcript=SENTENCES[name["sentence"]],
            intensity=name["intensity"],
        )
