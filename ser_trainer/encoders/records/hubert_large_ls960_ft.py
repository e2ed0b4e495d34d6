"""HuBERT large, fine-tuned for speech recognition; Hsu et al., TASLP 2021 (arXiv:2106.07447)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="hubert_large_ls960_ft",
    name="HuBERT large, fine-tuned on LibriSpeech",
    family="waveform",
    checkpoint="facebook/hubert-large-ls960-ft",
    width=1_024,
    layers=24,
    parameters=315_438_720,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("exhubert",),
    trained_on="Libri-Light, 60,000 h of read audiobooks, then speech recognition on LibriSpeech's 960 h (Hsu et "
    "al., arXiv:2106.07447).",
    complete=True,
)
