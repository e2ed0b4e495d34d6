"""WavLM base; Chen et al., JSTSP 2022 (arXiv:2110.13900)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="wavlm_base",
    name="WavLM base",
    family="waveform",
    checkpoint="microsoft/wavlm-base",
    width=768,
    layers=12,
    parameters=94_381_936,
    licence="custom",
    commercial=Permission.UNCLEAR,
    licence_note="The Hub states none; the repository of the code is MIT (sheet of this project, neither read here).",
    papers=("emobox",),
    rows={"emobox_table4": "WavLM base", "emobox_table5": "WavLM base"},
    trained_on="LibriSpeech, 960 h of read audiobooks (Chen et al., arXiv:2110.13900).",
    complete=True,
    traps=("Its first norm runs over time: published features of padded batches depend on the batch; ours do not.",),
)
