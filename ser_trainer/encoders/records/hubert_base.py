"""HuBERT base; Hsu et al., TASLP 2021 (arXiv:2106.07447)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="hubert_base",
    name="HuBERT base",
    family="waveform",
    checkpoint="facebook/hubert-base-ls960",
    width=768,
    layers=12,
    parameters=94_371_712,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("emobox",),
    rows={"emobox_table4": "HuBERT base", "emobox_table5": "HuBERT base"},
    trained_on="LibriSpeech, 960 h of read audiobooks (Hsu et al., arXiv:2106.07447).",
    complete=True,
    traps=("Its first norm runs over time: published features of padded batches depend on the batch; ours do not.",),
)
