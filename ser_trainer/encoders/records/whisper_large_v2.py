"""Whisper large v2, encoder; Radford et al., ICML 2023 (arXiv:2212.04356)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="whisper_large_v2",
    name="Whisper large v2",
    family="whisper",
    checkpoint="openai/whisper-large-v2",
    width=1_280,
    layers=32,
    parameters=636_784_640,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("ser_evals",),
    rows={"serevals_table3": "Whisper-Large-v2"},
    trained_on="680,000 h of audio from the web, of which no list is published (Radford et al., arXiv:2212.04356).",
    complete=False,
    traps=("Clips are padded to 30 s, and every clip costs as much as one of 30 s; only its true frames are kept.",),
)
