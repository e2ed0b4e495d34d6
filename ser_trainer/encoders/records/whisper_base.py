"""Whisper base, encoder; Radford et al., ICML 2023 (arXiv:2212.04356)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="whisper_base",
    name="Whisper base",
    family="whisper",
    checkpoint="openai/whisper-base",
    width=512,
    layers=6,
    parameters=20_590_592,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("generalize",),
    trained_on="680,000 h of audio from the web, of which no list is published (Radford et al., arXiv:2212.04356).",
    complete=False,
    traps=("Clips are padded to 30 s, and every clip costs as much as one of 30 s; only its true frames are kept.",),
)
