"""HuBERT large; Hsu et al., TASLP 2021 (arXiv:2106.07447)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="hubert_large",
    name="HuBERT large",
    family="waveform",
    checkpoint="facebook/hubert-large-ll60k",
    width=1_024,
    layers=24,
    parameters=315_438_720,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("emobox", "ser_evals"),
    rows={"emobox_table4": "HuBERT large", "emobox_table5": "HuBERT large", "serevals_table3": "Hubert Large"},
    trained_on="Libri-Light, 60,000 h of read audiobooks (Hsu et al., arXiv:2106.07447).",
    complete=True,
)
