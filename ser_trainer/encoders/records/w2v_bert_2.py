"""w2v-BERT 2.0; Seamless Communication, 2023 (arXiv:2312.05187)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="w2v_bert_2",
    name="w2v-BERT 2.0",
    family="w2v_bert",
    checkpoint="facebook/w2v-bert-2.0",
    width=1_024,
    layers=24,
    parameters=580_493_120,
    licence="MIT",
    commercial=Permission.YES,
    licence_note="Front matter of its card on the Hub, by the sheet of this project (not read here).",
    papers=("ser_evals",),
    rows={"serevals_table3": "w2v-bert-2.0"},
    trained_on="4.5 million h of speech in 143 languages, of which no list is published (Seamless Communication, "
    "arXiv:2312.05187).",
    complete=False,
)
