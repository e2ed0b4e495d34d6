"""data2vec 2.0 base, audio; Baevski et al., ICML 2023 (arXiv:2212.07525)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="data2vec2_base",
    name="data2vec 2.0 base",
    family="data2vec2",
    checkpoint="https://dl.fbaipublicfiles.com/fairseq/data2vec2/base_libri.pt",
    width=768,
    layers=12,
    parameters=93_163_532,
    licence="MIT",
    commercial=Permission.YES,
    licence_note="README of facebookresearch/fairseq, License: MIT, the pre-trained models included.",
    papers=("emobox",),
    rows={"emobox_table4": "data2vec 2.0 base", "emobox_table5": "data2vec 2.0 base"},
    trained_on="LibriSpeech, 960 h of read audiobooks (examples/data2vec/README.md of facebookresearch/fairseq).",
    complete=True,
    traps=(
        "A file of fairseq that holds more than tensors is converted once: python -m "
        "ser_trainer.encoders.convert_data2vec2 base_libri.pt FOLDER --trust; then data2vec2_base=FOLDER.",
        "Padded batches change the original's features: its positional network is not masked; ours is.",
        "EmoBox does not say which file it used; this one is not fine-tuned.",
    ),
)
