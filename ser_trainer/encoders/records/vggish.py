"""VGGish; Hershey et al., ICASSP 2017 (arXiv:1609.09430)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="vggish",
    name="VGGish",
    family="vggish",
    checkpoint="https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
    width=128,
    layers=0,
    parameters=72_141_184,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="LICENSE of harritaylor/torchvggish@f3f9096, which converted the weights of tensorflow/models "
    "research/audioset (Apache-2.0 too).",
    papers=("serab",),
    rows={"serab_table3": "VGGish"},
    trained_on="Sound of videos of YouTube, a preliminary version of YouTube-8M (README of tensorflow/models "
    "research/audioset/vggish), of which no list says which recordings of films, series and interviews are among them.",
    complete=False,
    traps=(
        "One vector per 0.96 s; what is left of a clip after the last whole one is dropped.",
        "The 128 values are those before the last activation, as TF-Hub's model gives them to SERAB; torchvggish gives "
        "them after a ReLU and, unless told otherwise, after PCA and quantization.",
        "SERAB's Table 2 prints 62.0 million parameters; the network has 72.1 million.",
    ),
)
