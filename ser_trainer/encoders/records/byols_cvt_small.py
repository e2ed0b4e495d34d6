"""BYOL-S/CvT, small, 256 values; Scheidwasser-Clow et al., ICASSP 2022 (arXiv:2110.03414)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="byols_cvt_small",
    name="BYOL-S/CvT small",
    family="byol",
    checkpoint="https://github.com/Neclow/serab/raw/cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2/SERAB/checkpoints/"
    "cvt_s1-d1_s2-d1_s3-d1_BYOLAs64x96-2106251634-e100-bs512-lr0003-rs42.pth",
    width=256,
    layers=0,
    parameters=1_583_488,
    licence="MIT",
    commercial=Permission.YES,
    licence_note="LICENSE of Neclow/serab@cc0ebd7; the checkpoints lie in that repository.",
    papers=("serab",),
    rows={"serab_table3": "BYOL-S/CvT, 256"},
    trained_on="The clips of AudioSet that hold speech, without labels (README.md and config.diff of "
    "Neclow/serab@cc0ebd7: unbalanced_train_segments): clips of YouTube, of which no list says which recordings of "
    "films, series and interviews are among them.",
    complete=False,
    revision="cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2",
    options={"window": 400, "stages": (64, 128, 256), "pool": "mean"},
    traps=("Features depend on the log-mel statistics of the corpus: fitted on training clips, never on test clips.",),
)
