"""HuBERT x-large, fine-tuned for speech recognition; Hsu et al., TASLP 2021 (arXiv:2106.07447)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="hubert_xlarge_ls960_ft",
    name="HuBERT x-large, fine-tuned on LibriSpeech",
    family="waveform",
    checkpoint="facebook/hubert-xlarge-ls960-ft",
    width=1_280,
    layers=48,
    parameters=962_497_408,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("exhubert",),
    trained_on="Libri-Light, 60,000 h of read audiobooks, then speech recognition on LibriSpeech's 960 h (Hsu et "
    "al., arXiv:2106.07447).",
    complete=True,
)
