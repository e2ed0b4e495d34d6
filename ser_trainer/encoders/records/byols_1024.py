"""BYOL-S, 1,024 values; Scheidwasser-Clow et al., ICASSP 2022 (arXiv:2110.03414)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="byols_1024",
    name="BYOL-S 1024",
    family="byol",
    checkpoint="https://github.com/Neclow/serab/raw/cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2/SERAB/checkpoints/"
    "default1024_BYOLAs64x96-2107292000-e100-bs256-lr0003-rs42.pth",
    width=1_024,
    layers=0,
    parameters=1_649_792,
    licence="MIT",
    commercial=Permission.YES,
    licence_note="LICENSE of Neclow/serab@cc0ebd7; the checkpoints lie in that repository.",
    papers=("serab",),
    rows={"serab_table3": "BYOL-S, 1024"},
    trained_on="The clips of AudioSet that hold speech, without labels (README.md and config.diff of "
    "Neclow/serab@cc0ebd7: unbalanced_train_segments): clips of YouTube, of which no list says which recordings of "
    "films, series and interviews are among them.",
    complete=False,
    revision="cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2",
    options={"window": 400},
    traps=("Features depend on the log-mel statistics of the corpus: fitted on training clips, never on test clips.",),
)
