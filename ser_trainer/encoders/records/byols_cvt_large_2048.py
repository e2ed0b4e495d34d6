"""BYOL-S/CvT, large, 2,048 values; Scheidwasser-Clow et al., ICASSP 2022 (arXiv:2110.03414)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="byols_cvt_large_2048",
    name="BYOL-S/CvT large 2048",
    family="byol",
    checkpoint="https://github.com/Neclow/serab/raw/cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2/SERAB/checkpoints/"
    "cvt_s1-d1-e64_s2-d1-e256_s3-d1-e512_BYOLAs64x96-2107301623-e100-bs256-lr0003-rs42.pth",
    width=2_048,
    layers=0,
    parameters=5_012_992,
    licence="MIT",
    commercial=Permission.YES,
    licence_note="LICENSE of Neclow/serab@cc0ebd7; the checkpoints lie in that repository.",
    papers=("serab",),
    rows={"serab_table3": "BYOL-S/CvT, 2048"},
    trained_on="The clips of AudioSet that hold speech, without labels (README.md and config.diff of "
    "Neclow/serab@cc0ebd7: unbalanced_train_segments): clips of YouTube, of which no list says which recordings of "
    "films, series and interviews are among them.",
    complete=False,
    revision="cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2",
    options={"window": 400, "stages": (64, 256, 512), "pool": "mean+max"},
    traps=(
        "The same keys and shapes as the 512 one: weights of the other fit without an error, and are wrong.",
        "Features depend on the log-mel statistics of the corpus: fitted on training clips, never on test clips.",
    ),
)
