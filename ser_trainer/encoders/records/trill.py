"""TRILL, layer 19; Shor et al., Interspeech 2020 (arXiv:2002.12764)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="trill",
    name="TRILL layer 19",
    family="trill",
    checkpoint="https://tfhub.dev/google/nonsemantic-speech-benchmark/trill/3",
    width=12_288,
    layers=0,
    parameters=9_000_000,
    licence="Apache-2.0",
    commercial=Permission.UNCLEAR,
    licence_note="Not verified: the page of the model (tensorflow/tfhub.dev@0dda30a, trill/3.md) states no licence; "
    "Apache-2.0 is that of the code, google-research/non_semantic_speech_benchmark.",
    papers=("serab",),
    rows={"serab_table3": "TRILL, layer 19"},
    trained_on="AudioSet (page of the model: trill/3.md): clips of YouTube, of which no list says which recordings of "
    "films, series and interviews are among them.",
    complete=False,
    revision="3",
    extra="trill",
    traps=(
        "Is not fetched: download and unpack the SavedModel, and name its folder: trill=FOLDER.",
        "Number of parameters as SERAB's Table 2 prints it (9.0 million), not counted.",
    ),
)
