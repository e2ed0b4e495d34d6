"""Demo: made-up words in seven emotions by ten synthetic voices, made by serbench itself."""

import re
import wave
from collections.abc import Iterator
from hashlib import blake2b
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..corpus import Access, Corpus, Licence, Permission, Source
from ..partitions import speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance
from ..voice import RATE, Manner, Voice, speak

SENTENCES = {"a": "mano seli tuva", "b": "doli fena kamo", "c": "bira suno tela", "d": "gofa lemi dusa"}
TAKES = ("1", "2")

FEMALE = {
    "s01": Voice(pitch_hz=208, tract=1.16, accent=3.2, tempo=1.00, level_db=0.5, tilt_db=12),
    "s03": Voice(pitch_hz=190, tract=1.12, accent=2.5, tempo=1.05, level_db=-1.0, tilt_db=13, breath_db=-25),
    "s05": Voice(pitch_hz=222, tract=1.19, accent=3.5, tempo=1.02, level_db=0.0, tilt_db=11, jitter=0.007),
    "s07": Voice(pitch_hz=198, tract=1.14, accent=2.8, tempo=0.96, level_db=-0.5, tilt_db=14, breath_db=-26),
    "s09": Voice(pitch_hz=214, tract=1.17, accent=3.0, tempo=0.99, level_db=1.0, tilt_db=10),
}
MALE = {
    "s02": Voice(pitch_hz=112, tract=0.99, accent=2.6, tempo=0.97, level_db=1.0, tilt_db=11),
    "s04": Voice(pitch_hz=128, tract=1.04, accent=3.4, tempo=1.04, level_db=-0.5, tilt_db=13),
    "s06": Voice(pitch_hz=104, tract=0.96, accent=2.4, tempo=0.95, level_db=0.0, tilt_db=12, jitter=0.010),
    "s08": Voice(pitch_hz=120, tract=1.01, accent=3.0, tempo=1.00, level_db=-1.5, tilt_db=14, breath_db=-26),
    "s10": Voice(pitch_hz=135, tract=1.06, accent=3.2, tempo=1.03, level_db=0.5, tilt_db=10, jitter=0.007),
}
VOICES = FEMALE | MALE

# Directions follow the table of Murray & Arnott 1993, with the column for surprise that Breazeal 2003 added. Sizes
# are ours: with SPREAD they let the linear model of tests/bench/demo_linear.py reach about 70 % UA.
MANNERS = {
    "anger": Manner(
        pitch=4.0, range=0.45, final=-2.0, tempo=0.08, level_db=5.5, tilt_db=-6.0, jitter=0.5, breath_db=3.0
    ),
    "disgust": Manner(pitch=-3.0, range=0.15, final=-3.0, tempo=-0.14, level_db=-3.0, tilt_db=1.0, jitter=0.5),
    "fear": Manner(pitch=5.0, range=0.10, tempo=0.13, tilt_db=2.0, jitter=0.8, breath_db=5.0),
    "happiness": Manner(pitch=3.0, range=0.45, final=1.5, tempo=0.05, level_db=4.0, tilt_db=-3.0, breath_db=2.0),
    "neutral": Manner(),
    "sadness": Manner(
        pitch=-1.5, range=-0.5, final=-1.0, tempo=-0.1, level_db=-5.0, tilt_db=5.0, jitter=0.2, breath_db=2.0
    ),
    "surprise": Manner(pitch=4.0, range=0.5, final=6.0, tempo=0.05, level_db=3.0, tilt_db=-1.0, breath_db=3.0),
}
# Standard deviation of each term, once between the speakers and once more between the utterances of a speaker.
SPREAD = Manner(pitch=1.0, range=0.2, final=1.0, tempo=0.03, level_db=1.5, tilt_db=1.5, jitter=0.2, breath_db=1.5)

CORPUS = Corpus(
    id="demo",
    name="serbench demo",
    description="Made-up words in seven emotions by ten source-filter voices, 560 utterances: for trying serbench, "
    "not for results.",
    languages=("zxx",),
    sources=(Source.SYNTHETIC,),
    licence=Licence(
        id="Apache-2.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="the licence of serbench, which computes the sounds",
    ),
    access=Access.EMBEDDED,
    homepage="https://huggingface.co/serbench",
    citation="""@misc{serbench,
  title = {serbench: the Hugging Face plugin for speech emotion recognition},
  author = {{The serbench authors}},
  year = {2026}
}""",
    how_to_get="Nothing to do: serbench makes it on first use.",
    layout="""
<root>/
    s01/  s01_anger_a_1.wav ...   56 files: 7 emotions, 4 sentences, 2 takes
    ...
    s10/
""",
    utterances=560,
    emotions={emotion: emotion for emotion in MANNERS},
    speakers={speaker: Gender.FEMALE if speaker in FEMALE else Gender.MALE for speaker in sorted(VOICES)},
    partitions=speaker_folds(
        {
            1: ("s01", "s02"),
            2: ("s03", "s04"),
            3: ("s05", "s06"),
            4: ("s07", "s08"),
            5: ("s09", "s10"),
        },
        source="serbench's own",
    ),
    traps=("Nobody spoke: a score on this corpus says that the code runs, nothing about speech.",),
    facts_from=(
        "loading_scripts/voice.py",
        "Murray & Arnott 1993, JASA 93(2), 1097-1108: how emotions move pitch, rate, loudness and voice quality",
        "Breazeal 2003, Advanced Robotics 17(2), 97-113: the same table with surprise",
    ),
)

GRAMMAR = re.compile(r"(?P<speaker>s\d\d)/(?P=speaker)_(?P<emotion>[a-z]+)_(?P<sentence>[a-d])_[12]\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "s??"):
        yield Utterance(
            id="demo-" + path.removesuffix(".wav").replace("/", "-"),
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=CORPUS.speakers.get(name["speaker"], Gender.UNKNOWN),
            language="zxx",
            transcript=SENTENCES[name["sentence"]],
        )


def make(root: Path) -> None:
    """Synthesize the corpus below `root`, an existing folder; the same bytes on every run."""
    names = list(product(sorted(VOICES), MANNERS, SENTENCES, TAKES))
    for speaker, emotion, sentence, take in tqdm(names, desc="demo corpus", unit=" files", disable=None):
        (root / speaker).mkdir(exist_ok=True)
        with wave.open(str(root / speaker / f"{speaker}_{emotion}_{sentence}_{take}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(utter(speaker, emotion, sentence, take).tobytes())


def utter(speaker: str, emotion: str, sentence: str, take: str) -> NDArray[np.int16]:
    """Synthesize one utterance from nothing but its name: PCM16 samples at 16 kHz, (samples,)."""
    rng = _generator(f"{speaker}_{emotion}_{sentence}_{take}")
    # Each speaker has an own way with each emotion, and shows it more or less from one utterance to the next.
    drift = _generator(f"{speaker}_{emotion}").standard_normal(len(SPREAD)) + rng.standard_normal(len(SPREAD))
    strength = np.clip(1 + 0.25 * rng.standard_normal(), 0.4, 1.6)
    manner = Manner(*(strength * np.array(MANNERS[emotion]) + drift * np.array(SPREAD)))
    samples = speak(SENTENCES[sentence], VOICES[speaker], manner, rng)
    return np.rint(samples * 32767).astype("<i2")


def _generator(name: str) -> np.random.RandomState:
    """Return a generator that is seeded by a fixed hash of `name`."""
    return np.random.RandomState(np.frombuffer(blake2b(f"demo/{name}".encode(), digest_size=32).digest(), "<u4"))
