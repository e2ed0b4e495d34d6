"""MERT v1, 330 million parameters; Li et al., ICLR 2024 (arXiv:2306.00107)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="mert_330m",
    name="MERT v1 330M",
    family="waveform",
    checkpoint="m-a-p/MERT-v1-330M",
    width=1_024,
    layers=24,
    parameters=315_428_992,
    licence="CC-BY-NC-4.0",
    commercial=Permission.NO,
    licence_note="Its card on the Hub, by the sheet of this project; revisions before June 2023 said MIT.",
    papers=("ser_evals",),
    rows={"serevals_table3": "MERT v1 330M"},
    trained_on="160,000 h of music, of which no list is published (Li et al., arXiv:2306.00107).",
    complete=False,
    traps=("24 kHz model: nothing above 8 kHz is in our clips.",),
)
