"""ExHuBERT; Amiriparian et al., Interspeech 2024 (arXiv:2406.10275)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord, Seen

MEMBERS = (
    *("casia", "cremad", "demos", "emodb", "emofilm", "emotiw2014", "emovo", "enterface", "esd", "iemocap"),
    *("meld", "mes", "mesd", "ravdess", "savee", "shemo", "subesco", "tess", "urdu"),
)
"""Corpora of EmoSet++ that have a record here, by the model card and Amiriparian et al., arXiv:2406.10275."""

ENCODER = EncoderRecord(
    id="exhubert",
    name="ExHuBERT",
    family="waveform",
    checkpoint="amiriparian/ExHuBERT",
    width=1_024,
    layers=48,
    parameters=None,
    licence="custom",
    commercial=Permission.UNCLEAR,
    licence_note="The card on the Hub was not read here.",
    papers=("exhubert",),
    trained_on="HuBERT large fine-tuned on LibriSpeech, then EmoSet++, 37 corpora of speech emotion recognition "
    "(Amiriparian et al., arXiv:2406.10275).",
    seen=tuple(Seen(one, "fine-tuning", "card of amiriparian/ExHuBERT; arXiv:2406.10275") for one in MEMBERS),
    complete=False,
    traps=(
        "Its repository on the Hub holds code of its own; convert its weights first (ser_trainer.models.exhubert).",
    ),
)
