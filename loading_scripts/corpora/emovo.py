"""EMOVO: an Italian emotional speech database."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, serab, serevals, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SENTENCES = {
    "b1": "Gli operai si alzano presto.",
    "b2": "I vigili sono muniti di pistola.",
    "b3": "La cascata fa molto rumore.",
    "l1": "L'autunno prossimo Tony partirà per la Spagna nella prima metà di ottobre.",
    "l2": "Ora prendo la felpa di là ed esco per fare una passeggiata.",
    "l3": "Un attimo dopo s'è incamminato ... ed è inciampato.",
    "l4": "Vorrei il numero telefonico del Signor Piatti.",
    "n1": "La casa forte vuole col pane.",
    "n2": "La forza trova il passo e l'aglio rosso.",
    "n3": "Il gatto sta scorrendo nella pera.",
    "n4": "Insalata pastasciutta coscia d'agnello limoncello.",
    "n5": "Uno quarantatré dieci mille cinquantasette venti.",
    "d1": "Sabato sera cosa farà?",
    "d2": "Porti con te quella cosa?",
}

SPEAKERS = {f"{letter}{k}": gender for letter, gender in (("f", Gender.FEMALE), ("m", Gender.MALE)) for k in (1, 2, 3)}

CORPUS = Corpus(
    id="emovo",
    name="EMOVO",
    description="Six actors speak 14 Italian sentences, some of them without sense, in seven emotions.",
    languages=("it",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="nkululeko@a1e2bd1 says CC BY-NC-SA 4.0 (unverified); the project page is often not reachable",
    ),
    access=Access.OPEN,
    homepage="http://voice.fub.it/activities/corpora/emovo/index.html",
    citation="""@inproceedings{costantini2014emovo,
  title = {{EMOVO} Corpus: an Italian Emotional Speech Database},
  author = {Costantini, Giovanni and Iaderola, Iacopo and Paoloni, Andrea and Todisco, Massimiliano},
  booktitle = {Proc. LREC},
  pages = {3501--3504},
  year = {2014},
  url = {https://aclanthology.org/L14-1478/}
}""",
    how_to_get="Get EMOVO.zip from the project page or a copy of it "
    "(https://drive.google.com/file/d/1SUtaKeA-LYnKaD3qv87Y5wYgihJiNJAo/view) and unpack it.",
    layout="""
EMOVO/
    f1/  dis-f1-b1.wav ... tri-f1-n5.wav   98 files
    f2/  f3/  m1/  m2/  m3/
""",
    utterances=588,
    emotions={
        "rab": "anger",
        "dis": "disgust",
        "pau": "fear",
        "gio": "happiness",
        "neu": "neutral",
        "tri": "sadness",
        "sor": "surprise",
    },
    classes={
        "rab": "Angry",
        "dis": "Disgust",
        "pau": "Fear",
        "gio": "Happy",
        "neu": "Neutral",
        "tri": "Sad",
        "sor": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds({1: ("f2",), 2: ("m3",), 3: ("m2",), 4: ("f3",), 5: ("f1",), 6: ("m1",)})
    | serab({"validation": ("m1",), "test": ("f1", "m2")})
    | serevals("emovo")
    | emosetpp("emovo", SPEAKERS),
    papers=("emobox", "ser_evals", "serab", "exhubert"),
    traps=(
        "Most files are stereo; the channels are averaged.",
        "The same 14 sentences in every emotion and by every speaker: each split shares its texts.",
        "Sentences b1, b3 and l4 are also read in Emozionalmente.",
        "One loader reports that the unpacked folder is read-only.",
    ),
    errata=(
        Erratum("SER Evals prints 10 speakers; the corpus has six."),
        Erratum("EmoBox's lists say one channel, because its writer always does."),
        Erratum("EmoBox calls its label map label_dict.json here, and its scripts open label_map.json."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/emovo, EmoBox/preprocess/scripts/emovo.py",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/EMOVO/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/emovo/emovo.csv",
        "Neclow/serab@cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2: tensorflow_datasets/emovo/emovo.py",
        "model card of ExHuBERT (member of EmoSet++)",
    ),
)

GRAMMAR = re.compile(
    r"[fmFM][123]/(?P<stem>(?P<emotion>neu|dis|gio|pau|rab|sor|tri)-(?P<speaker>[fm][123])-(?P<sentence>[bldn][1-5]))"
    r"\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "[fmFM][123]"):
        yield Utterance(
            id=f"emovo-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS[name["speaker"]],
            language="it",
            transcript=SENTENCES.get(name["sentence"]),
        )
