"""wav2vec 2.0 base; Baevski et al., NeurIPS 2020 (arXiv:2006.11477)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="wav2vec2_base",
    name="wav2vec 2.0 base",
    family="waveform",
    checkpoint="facebook/wav2vec2-base",
    width=768,
    layers=12,
    parameters=94_371_712,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("emobox",),
    rows={"emobox_table4": "wav2vec 2.0 base", "emobox_table5": "wav2vec 2.0 base"},
    trained_on="LibriSpeech, 960 h of read audiobooks (Baevski et al., arXiv:2006.11477).",
    complete=True,
    traps=("Its first norm runs over time: published features of padded batches depend on the batch; ours do not.",),
)
