"""Configurations of the expanded models.

This file travels to the Hub with every saved model, so it imports transformers and nothing of ours.
"""

from dataclasses import dataclass

from transformers import Data2VecAudioConfig, HubertConfig, Wav2Vec2Config, WavLMConfig, WhisperConfig


@dataclass(kw_only=True, repr=False, eq=False)
class ExpandedConfig:
    """What block expansion adds to the configuration of an encoder.

    Source: Amiriparian, Packan, Gerczuk, Schuller, "ExHuBERT: Enhancing HuBERT Through Block Extension and Fine-Tuning
    on 37 Emotion Datasets", Interspeech 2024, section 3.2. All fields of the encoder keep their meaning, but
    `num_hidden_layers` counts originals and copies together: 48 for an expanded HuBERT-Large.

    Args:
        num_copies (`int`, defaults to 1): Copies of each original layer. `num_hidden_layers` is a multiple of
            `1 + num_copies`, and layer j is an original where `j % (1 + num_copies) == 0`.
        gate_bias (`bool`, defaults to `True`): Whether the zero linear layer behind a copy has a bias.
        freeze_original (`bool`, defaults to `True`): Whether the originals are kept out of training. The models apply
            it when they are built and again after weights are loaded.

    Raises:
        TypeError: If `num_copies` is not an integer, or a flag not a boolean.
        ValueError: If `num_copies` is below 1 or does not divide the layers, if `use_weighted_layer_sum` meets
            `layerdrop`, because a skipped layer leaves no hidden state to weight, or if `add_adapter` puts
            convolutions behind the encoder, which no classifier of transformers has.

    >>> config = ExHubertConfig(num_hidden_layers=48)
    >>> config.num_original_layers, [config.is_copy(layer) for layer in range(4)]
    (24, [False, True, False, True])
    """

    num_copies: int = 1
    gate_bias: bool = True
    freeze_original: bool = True

    def __post_init__(self, **kwargs):
        super().__post_init__(**kwargs)
        self.validate_architecture()

    def validate_architecture(self):
        """Check the fields against each other; models call it again, since fields can be set at any time."""
        super().validate_architecture()
        if not isinstance(self.num_copies, int) or isinstance(self.num_copies, bool):
            raise TypeError(f"num_copies is the copies of each layer, an int >= 1, not {self.num_copies!r}.")
        for flag in ("gate_bias", "freeze_original"):
            if not isinstance(getattr(self, flag), bool):
                raise TypeError(f"{flag} is True or False, not {getattr(self, flag)!r}.")
        if self.num_copies < 1:
            raise ValueError(
                f"num_copies={self.num_copies}: each layer needs at least one copy. A model without copies is a plain "
                f"{self.model_type.removeprefix('ex')}, which transformers has."
            )
        if self.num_hidden_layers % (1 + self.num_copies):
            raise ValueError(
                f"num_hidden_layers={self.num_hidden_layers} counts originals and copies, so with "
                f"num_copies={self.num_copies} it must be a multiple of {1 + self.num_copies}. "
                "To expand a plain model, use ser_trainer.models.expand."
            )
        if self.use_weighted_layer_sum and self.layerdrop > 0:
            raise ValueError(
                "use_weighted_layer_sum needs the hidden state of every layer, but "
                f"layerdrop={self.layerdrop} skips layers in training. Set layerdrop=0.0."
            )
        if getattr(self, "add_adapter", False):
            raise ValueError(
                "add_adapter=True puts convolutions behind the encoder, but no classification head takes their output. "
                "Set add_adapter=False."
            )

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        """Build the configuration from a dictionary, as transformers does, but only from one of this type.

        Raises:
            ValueError: If `model_type` names another model. A plain model would load with half of its layers taken for
                copies of the other half.
        """
        cls.check_type(config_dict.get("model_type", cls.model_type))
        return super().from_dict(config_dict, **kwargs)

    @classmethod
    def check_type(cls, model_type: str):
        """Raise ValueError if `model_type` is not that of this expanded model."""
        if model_type != cls.model_type:
            raise ValueError(
                f"A configuration of model type {model_type!r} does not describe an expanded model "
                f"({cls.model_type!r}). Expand a plain checkpoint with ser_trainer.models.expand(source, "
                "num_copies=1), save the result, and load that."
            )

    @property
    def num_original_layers(self) -> int:
        """Number of encoder layers of the model that was expanded."""
        return self.num_hidden_layers // (1 + self.num_copies)

    def is_copy(self, layer: int) -> bool:
        """Whether encoder layer `layer` (from 0) is a gated copy rather than an original."""
        return layer % (1 + self.num_copies) != 0


class ExHubertConfig(ExpandedConfig, HubertConfig):
    """Configuration of an expanded HuBERT: fields of `HubertConfig` and of `ExpandedConfig`."""

    model_type = "exhubert"


class ExWav2Vec2Config(ExpandedConfig, Wav2Vec2Config):
    """Configuration of an expanded wav2vec 2.0 (XLS-R and MMS too): `Wav2Vec2Config` and `ExpandedConfig`."""

    model_type = "exwav2vec2"


class ExWavLMConfig(ExpandedConfig, WavLMConfig):
    """Configuration of an expanded WavLM: fields of `WavLMConfig` and of `ExpandedConfig`."""

    model_type = "exwavlm"


class ExData2VecAudioConfig(ExpandedConfig, Data2VecAudioConfig):
    """Configuration of an expanded data2vec-audio (version 1): `Data2VecAudioConfig` and `ExpandedConfig`."""

    model_type = "exdata2vec-audio"


class ExWhisperConfig(ExpandedConfig, WhisperConfig):
    """Configuration of an expanded Whisper encoder: fields of `WhisperConfig` and of `ExpandedConfig`.

    `encoder_layers`, alias `num_hidden_layers`, counts originals and copies. `layerdrop` is an alias of
    `encoder_layerdrop`. There is no decoder; its fields say what the checkpoint had.
    """

    model_type = "exwhisper"
    attribute_map = WhisperConfig.attribute_map | {"layerdrop": "encoder_layerdrop"}


__all__ = [
    "ExData2VecAudioConfig",
    "ExHubertConfig",
    "ExWav2Vec2Config",
    "ExWavLMConfig",
    "ExWhisperConfig",
]
