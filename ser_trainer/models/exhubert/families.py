"""Which models of transformers can be expanded.

| model type | checkpoints | expanded as |
| --- | --- | --- |
| hubert | HuBERT, DistilHuBERT | exhubert |
| wav2vec2 | wav2vec 2.0, XLS-R, MMS (attention adapters are copied along) | exwav2vec2 |
| wavlm | WavLM | exwavlm |
| data2vec-audio | data2vec-audio, version 1 | exdata2vec-audio |
| whisper | the encoder of Whisper | exwhisper |

Not done, though possible: a layer that returns the shape (batch, T, hidden) it takes can be followed by gated copies,
since h + gate(copy(h)) starts as the identity. UniSpeech, UniSpeech-SAT, SEW, SEW-D, SpeechT5, Wav2Vec2-Conformer,
Wav2Vec2-BERT and AST have such layers. Each needs a file like `modeling_exwavlm.py`, and AST another head, because it
pools two tokens instead of frames. emotion2vec and other data2vec 2.0 checkpoints have such layers too, but are no
models of transformers.

Not possible: layers that change the shape, such as the convolutions of VGGish, YAMNet and BYOL-A and the steps between
the stages of CLAP's encoder. There h + gate(copy(h)) is not defined.
"""

import difflib
from typing import NamedTuple

from transformers import (
    Data2VecAudioForSequenceClassification,
    Data2VecAudioModel,
    HubertForSequenceClassification,
    HubertModel,
    PreTrainedModel,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2Model,
    WavLMForSequenceClassification,
    WavLMModel,
    WhisperForAudioClassification,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from .modeling_exdata2vec_audio import ExData2VecAudioForSequenceClassification
from .modeling_exhubert import ExHubertForSequenceClassification
from .modeling_exwav2vec2 import ExWav2Vec2ForSequenceClassification
from .modeling_exwavlm import ExWavLMForSequenceClassification
from .modeling_exwhisper import ExWhisperForAudioClassification


class Family(NamedTuple):
    """A kind of encoder that can be expanded.

    Args:
        plain: classifier of transformers.
        plain_model: its model without head.
        expanded: classifier of ours; `expanded.model_class` is its model without head.
    """

    plain: type[PreTrainedModel]
    plain_model: type[PreTrainedModel]
    expanded: type[PreTrainedModel]


FAMILIES = {
    family.plain.config_class.model_type: family
    for family in (
        Family(HubertForSequenceClassification, HubertModel, ExHubertForSequenceClassification),
        Family(Wav2Vec2ForSequenceClassification, Wav2Vec2Model, ExWav2Vec2ForSequenceClassification),
        Family(WavLMForSequenceClassification, WavLMModel, ExWavLMForSequenceClassification),
        Family(Data2VecAudioForSequenceClassification, Data2VecAudioModel, ExData2VecAudioForSequenceClassification),
        Family(WhisperForAudioClassification, WhisperEncoder, ExWhisperForAudioClassification),
    )
}
EXPANDED_TYPES = frozenset(family.expanded.config_class.model_type for family in FAMILIES.values())


def family_of(name: str, model_type: str | None) -> Family:
    """Return the family of a model type.

    Args:
        name: what the message calls the model.
        model_type: `model_type` of its configuration.

    Raises:
        ValueError: If it is expanded already, or cannot be expanded; the message names the types that can.
    """
    if model_type in FAMILIES:
        return FAMILIES[model_type]
    if model_type in EXPANDED_TYPES:
        raise ValueError(
            f"{name}: a model of type {model_type!r} is expanded already. Load it with from_pretrained, or undo the "
            "expansion with ser_trainer.models.contract first."
        )
    close = difflib.get_close_matches(str(model_type), FAMILIES, n=1, cutoff=0.6)
    raise ValueError(
        f"{name}: model type {model_type!r} cannot be expanded; {', '.join(map(repr, FAMILIES))} can."
        + (f" Did you mean {close[0]!r}?" if close else "")
    )
