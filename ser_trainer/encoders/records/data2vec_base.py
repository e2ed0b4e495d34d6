"""data2vec base, audio; Baevski et al., ICML 2022 (arXiv:2202.03555)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="data2vec_base",
    name="data2vec base",
    family="waveform",
    checkpoint="facebook/data2vec-audio-base",
    width=768,
    layers=12,
    parameters=93_164_288,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("emobox",),
    rows={"emobox_table4": "data2vec base", "emobox_table5": "data2vec base"},
    trained_on="LibriSpeech, 960 h of read audiobooks (Baevski et al., arXiv:2202.03555).",
    complete=True,
    traps=("Padded batches change published features: its positional network is not masked; ours is.",),
)
