"""data2vec large, audio; Baevski et al., ICML 2022 (arXiv:2202.03555)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="data2vec_large",
    name="data2vec large",
    family="waveform",
    checkpoint="facebook/data2vec-audio-large",
    width=1_024,
    layers=24,
    parameters=313_276_416,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("emobox",),
    rows={"emobox_table4": "data2vec large", "emobox_table5": "data2vec large"},
    trained_on="Libri-Light, 60,000 h of read audiobooks (Baevski et al., arXiv:2202.03555).",
    complete=True,
    traps=("Padded batches change published features: its positional network is not masked; ours is.",),
)
