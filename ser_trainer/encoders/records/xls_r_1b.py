"""XLS-R, one billion parameters; Babu et al., Interspeech 2022 (arXiv:2111.09296)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="xls_r_1b",
    name="XLS-R 1B",
    family="waveform",
    checkpoint="facebook/wav2vec2-xls-r-1b",
    width=1_280,
    layers=48,
    parameters=962_497_408,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("exhubert",),
    trained_on="436,000 h of 128 languages: VoxPopuli, Multilingual LibriSpeech, Common Voice, BABEL and "
    "VoxLingua107, which was cut from YouTube (Babu et al., arXiv:2111.09296).",
    complete=True,
    doubtful=("urdu", "m3ed", "mer2023", "asvpesd"),
)
