"""BYOL-A, 512 values; Niizumi et al., IJCNN 2021 (arXiv:2103.06695)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="byola_512",
    name="BYOL-A 512",
    family="byol",
    checkpoint="https://github.com/nttcslab/byol-a/raw/3e65c9283498d06915e6dbcff3445307d8d3e930/"
    "pretrained_weights/AudioNTT2020-BYOLA-64x96d512.pth",
    width=512,
    layers=0,
    parameters=600_192,
    licence="custom",
    commercial=Permission.NO,
    licence_note="NTT's evaluation licence (LICENSE of nttcslab/byol-a@3e65c92): internal use, to test and evaluate "
    "the method of the paper; section 4 forbids to pass the weights on, to copy and to modify them.",
    papers=("serab",),
    rows={"serab_table3": "BYOL-A, 512"},
    trained_on="AudioSet without its labels (arXiv:2103.06695, section IV): clips of YouTube, of which no list says "
    "which recordings of films, series and interviews are among them.",
    complete=False,
    revision="3e65c9283498d06915e6dbcff3445307d8d3e930",
    options={
        "window": 400,
        "sha256": "6cc64226318494f06ef41d7e5810be7d37abfd6490da45abdab48f188c5332e2",
    },
    traps=(
        "Trained with a window of 1,024 samples (config.yaml); SERAB's script runs it with its own 400 (config.diff of "
        "Neclow/serab@cc0ebd7), and so does this record.",
        "Features depend on the log-mel statistics of the corpus: fitted on training clips, never on test clips.",
    ),
)
