"""wav2vec 2.0 large robust, fine-tuned on MSP-Podcast; Wagner et al., TPAMI 2023 (arXiv:2203.07378)."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord, Seen

ENCODER = EncoderRecord(
    id="w2v2_emotion",
    name="wav2vec 2.0 large robust, fine-tuned on MSP-Podcast",
    family="waveform",
    checkpoint="audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
    width=1_024,
    layers=12,
    parameters=164_284_032,
    licence="CC-BY-NC-SA-4.0",
    commercial=Permission.NO,
    licence_note="Its card on the Hub, by the sheet of this project.",
    papers=("exhubert",),
    trained_on="Libri-Light, Common Voice, Switchboard and Fisher, then arousal, dominance and valence of MSP-"
    "Podcast 1.7 (Wagner et al., arXiv:2203.07378).",
    seen=(Seen("msppodcast", "fine-tuning", "Wagner et al., arXiv:2203.07378; name of the checkpoint"),),
    complete=True,
    traps=("The first 12 of 24 blocks; its head for arousal, dominance and valence is left out.",),
)
