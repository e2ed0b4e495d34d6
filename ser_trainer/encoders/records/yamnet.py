"""YAMNet; Plakal and Ellis, 2020, tensorflow/models research/audioset/yamnet."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="yamnet",
    name="YAMNet",
    family="yamnet",
    checkpoint="https://github.com/w-hc/torch_audioset/releases/download/v0.1/yamnet.pth",
    width=1_024,
    layers=0,
    parameters=3_195_456,
    licence="Apache-2.0",
    commercial=Permission.YES,
    licence_note="The weights are those of tensorflow/models research/audioset/yamnet (Apache-2.0); "
    "w-hc/torch_audioset, which converted them, is MIT.",
    papers=("serab",),
    rows={"serab_table3": "YAMNet"},
    trained_on="AudioSet (README of tensorflow/models research/audioset/yamnet): clips of YouTube, of which no list "
    "says which recordings of films, series and interviews are among them.",
    complete=False,
    traps=(
        "One vector per 0.96 s, every 0.48 s; a clip is filled up with zeros to whole steps.",
        "Google's yamnet.h5 is read too, with h5py: yamnet=yamnet.h5; pip install 'serbench[yamnet]'.",
        "SERAB's Table 2 prints 4.2 million parameters; the network has 3.7 million, 3.2 without its classifier.",
    ),
)
