"""data2vec 2.0 large, audio; Baevski et al., ICML 2023 (arXiv:2212.07525)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="data2vec2_large",
    name="data2vec 2.0 large",
    family="data2vec2",
    checkpoint="https://dl.fbaipublicfiles.com/fairseq/data2vec2/large_vox.pt",
    width=1_024,
    layers=24,
    parameters=313_275_408,
    licence="MIT",
    commercial=Permission.YES,
    licence_note="README of facebookresearch/fairseq, License: MIT, the pre-trained models included.",
    papers=("emobox",),
    rows={"emobox_table4": "data2vec 2.0 large", "emobox_table5": "data2vec 2.0 large"},
    trained_on="Libri-Light, 60,000 h of read audiobooks (examples/data2vec/README.md of facebookresearch/fairseq).",
    complete=True,
    traps=(
        "Of its 24 blocks, 8 are the prenet's; all count as layers.",
        "A file of fairseq that holds more than tensors is converted once: python -m "
        "ser_trainer.encoders.convert_data2vec2 large_vox.pt FOLDER --trust; then data2vec2_large=FOLDER.",
        "Padded batches change the original's features: its positional network is not masked; ours is.",
        "EmoBox does not say which file it used; this one is not fine-tuned.",
    ),
)
