"""CLAP, audio tower; Wu et al., ICASSP 2023 (arXiv:2211.06687)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="clap_larger",
    name="CLAP, larger, music and speech",
    family="clap",
    checkpoint="laion/larger_clap_music_and_speech",
    width=1_024,
    layers=0,
    parameters=None,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("ser_evals",),
    rows={"serevals_table3": "CLAP Music & Speech"},
    trained_on="LAION-Audio-630K, music and speech of which the card lists no corpora (Wu et al., arXiv:2211.06687; "
    "card on the Hub).",
    complete=False,
    traps=(
        "48 kHz model: nothing above 8 kHz is in our clips.",
        "Clips over 10 s are cut into windows of 10 s, never at random.",
    ),
)
