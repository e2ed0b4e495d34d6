"""Expanded Whisper encoder in PyTorch. This file travels to the Hub with every saved model."""

import torch
from torch import nn
from transformers import WhisperForAudioClassification, WhisperPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.whisper.modeling_whisper import WhisperEncoder, WhisperEncoderLayer
from transformers.utils.generic import can_return_tuple

from .configuration_expanded import ExWhisperConfig
from .modeling_expanded import ExpandedClassifier, ExpandedModel, ExpandedPreTrained, GatedCopy


class ExWhisperEncoderLayer(GatedCopy, WhisperEncoderLayer):
    """Pre-norm layer, original or gated copy."""


class ExWhisperPreTrainedModel(ExpandedPreTrained, WhisperPreTrainedModel):
    """What the models of this file share. There is no decoder, so the encoder is the base model."""

    config: ExWhisperConfig
    config_class = ExWhisperConfig
    base_model_prefix = "encoder"
    input_modalities = ("audio",)
    _no_split_modules = ["ExWhisperEncoderLayer"]

    @classmethod
    def from_pretrained(cls, *args, output_loading_info=False, **kwargs):
        """Load a model as all expanded ones, then freeze the sinusoids, which loading makes trainable as well."""
        model, info = super().from_pretrained(*args, output_loading_info=True, **kwargs)
        model.base_model.embed_positions.requires_grad_(False)
        return (model, info) if output_loading_info else model


class ExWhisperEncoder(ExpandedModel, ExWhisperPreTrainedModel, WhisperEncoder):
    """Whisper encoder with gated copies: log-mel (batch, mel, 2 T) to hidden states (batch, T, hidden), T = 1500."""

    @staticmethod
    def make_layer(config: ExWhisperConfig, index: int) -> GatedCopy:
        """Return encoder layer `index` with random weights."""
        return ExWhisperEncoderLayer(config, config.is_copy(index))


class ExWhisperForAudioClassification(ExpandedClassifier, ExWhisperPreTrainedModel, WhisperForAudioClassification):
    """Expanded Whisper encoder with the head of `WhisperForAudioClassification`, pooled without padding.

    The encoder always sees and attends to 30 s. With an attention mask the head takes the mean over the frames of
    speech alone; without one, over all 30 s, as stock Whisper does.
    """

    model_class = ExWhisperEncoder

    @can_return_tuple
    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs,
    ) -> SequenceClassifierOutput:
        """Classify recordings.

        Args:
            input_features: Log-mel spectrograms (batch, mel, 2 T).
            attention_mask: 1 for the recording and 0 for padding, for each mel frame (batch, 2 T) or sample
                (batch, 320 T). `WhisperFeatureExtractor` gives the former where the call has
                `return_attention_mask=True`, and the latter where its configuration has. None averages all frames.
            labels: Indices of the classes (batch,), for the cross-entropy loss.
            **kwargs: `output_hidden_states`, `output_attentions`, `return_dict`.

        Raises:
            ValueError: If the length of `attention_mask` is not a multiple of T.
        """
        frames = self.config.max_source_positions
        if attention_mask is not None and attention_mask.shape[-1] % frames:
            raise ValueError(
                f"attention_mask of shape {tuple(attention_mask.shape)}: its length must be a multiple of the {frames} "
                "frames of the encoder. Take it from WhisperFeatureExtractor, with return_attention_mask=True."
            )
        if self.config.use_weighted_layer_sum:
            kwargs["output_hidden_states"] = True
        outputs = self.encoder(input_features, **kwargs)
        hidden_states = outputs.last_hidden_state
        if self.config.use_weighted_layer_sum:
            weights = self.layer_weights.softmax(dim=-1)
            hidden_states = (torch.stack(outputs.hidden_states, dim=1) * weights.view(-1, 1, 1)).sum(dim=1)
        hidden_states = self.projector(hidden_states)
        if attention_mask is None:
            pooled = hidden_states.mean(dim=1)
        else:
            # A frame counts if the recording reaches the first of the values that it spans.
            valid = attention_mask[:, :: attention_mask.shape[-1] // frames, None].to(hidden_states)
            pooled = (hidden_states * valid).sum(dim=1) / valid.sum(dim=1)
        logits = self.classifier(pooled)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels.to(logits.device).view(-1))
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


__all__ = ["ExWhisperEncoder", "ExWhisperForAudioClassification", "ExWhisperPreTrainedModel"]
