"""Whisper large v3, encoder; Radford et al., ICML 2023 (arXiv:2212.04356)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="whisper_large_v3",
    name="Whisper large v3",
    family="whisper",
    checkpoint="openai/whisper-large-v3",
    width=1_280,
    layers=32,
    parameters=636_968_960,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("emobox", "ser_evals", "exhubert"),
    rows={
        "emobox_table4": "Whisper large v3",
        "emobox_table5": "Whisper large v3",
        "serevals_table3": "Whisper-Large-v3",
    },
    trained_on="5 million h (1 million weakly labelled, 4 million labelled by large-v2) of audio from the web, of "
    "which no list is published (card of openai/whisper-large-v3).",
    complete=False,
    traps=("Clips are padded to 30 s, and every clip costs as much as one of 30 s; only its true frames are kept.",),
)
