"""emotion2vec base; Ma et al., ACL Findings 2024 (arXiv:2312.15185)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord, Seen

_TABLE = "arXiv:2312.15185, Table 1 and Appendix B.1 (corpora of the pre-training)"

ENCODER = EncoderRecord(
    id="emotion2vec",
    name="emotion2vec",
    family="data2vec2",
    checkpoint="emotion2vec/emotion2vec_base",
    width=768,
    layers=12,
    parameters=93_171_212,
    licence="custom",
    commercial=Permission.UNCLEAR,
    licence_note="The Hub says model-license: FunASR Model Open Source License 1.0 (MODEL_LICENSE of "
    "modelscope/FunASR), free to use, modify and share with source, authors and model name told, 'for reference and "
    "learning purposes only'. The badge of ddlBoJack/emotion2vec@a0e606c says MIT, without a licence file.",
    trained_on="262 h of English emotional speech without labels: IEMOCAP 7.0 h, MELD 12.2 h, CMU-MOSEI 91.9 h, MEAD "
    f"37.3 h, MSP-Podcast 1.8 113.5 h ({_TABLE}); it began from data2vec 2.0 base, trained on LibriSpeech, 960 h.",
    seen=tuple(
        Seen(corpus, "pre-training", _TABLE) for corpus in ("iemocap", "meld", "CMU-MOSEI", "mead", "msppodcast")
    ),
    complete=True,
    revision="0c9a3152734f9d7a7a05b4ee6bfb3c109d288664",
    options={"file": "emotion2vec_base.pt"},
    traps=(
        "Has seen IEMOCAP, MELD, MEAD and MSP-Podcast, test parts included, though without labels.",
        "Of its 12 blocks, 4 are the prenet's; all count as layers. Its 10 extra tokens are no frames.",
        "Padded batches change the original's features: its positional network is not masked; ours is.",
        "emotion2vec+ is another model, fine-tuned on corpora of EmoBox and on pseudo-labels: it has no record here.",
    ),
)
