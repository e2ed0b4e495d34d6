"""WavLM large; Chen et al., JSTSP 2022 (arXiv:2110.13900)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="wavlm_large",
    name="WavLM large",
    family="waveform",
    checkpoint="microsoft/wavlm-large",
    width=1_024,
    layers=24,
    parameters=315_453_120,
    licence="custom",
    commercial=Permission.UNCLEAR,
    licence_note="The Hub states none; the repository of the code is MIT (sheet of this project, neither read here).",
    papers=("emobox", "ser_evals"),
    rows={"emobox_table4": "WavLM large", "emobox_table5": "WavLM large", "serevals_table3": "WavLM-Large"},
    trained_on="60,000 h of Libri-Light, 10,000 h of GigaSpeech (audiobooks, podcasts, YouTube) and 24,000 h of "
    "VoxPopuli (Chen et al., arXiv:2110.13900).",
    complete=True,
    doubtful=("msppodcast", "asvpesd"),
)
