"""Whisper as a classifier of whole clips, in PyTorch. This file travels to the Hub with every saved model."""

from itertools import pairwise

import torch
from torch import nn
from transformers import WhisperModel, WhisperPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from .configuration_whisper_embedding import WhisperEmbeddingConfig


class WhisperEmbeddingForSequenceClassification(WhisperPreTrainedModel):
    """Encoder and decoder of Whisper, one vector per clip, and a head of linear layers with ReLU between them.

    The decoder is fed with its start token alone; its last hidden state there is the embedding (Ibrahim et al. 2024,
    see `WhisperEmbeddingConfig`). With the widths of the paper the head of Whisper base has 13,114,880 + 513 C
    parameters.
    """

    config: WhisperEmbeddingConfig
    config_class = WhisperEmbeddingConfig
    input_modalities = ("audio",)
    # The loss is a plain mean over the batch; Trainer would take the `**kwargs` of forward for another promise.
    accepts_loss_kwargs = False

    def __init__(self, config: WhisperEmbeddingConfig):
        super().__init__(config)
        self.model = WhisperModel(config)
        layers: list[nn.Module] = []
        for wide, narrow in pairwise((config.d_model, *config.head_sizes)):
            layers += [nn.Linear(wide, narrow), nn.ReLU()]
        last = (config.d_model, *config.head_sizes)[-1]
        self.classifier = nn.Sequential(*layers, nn.Linear(last, config.num_labels))
        self.post_init()

    @classmethod
    def from_pretrained(cls, *args, output_loading_info=False, **kwargs):
        """Load a model as transformers does, then freeze the sinusoids, which loading makes trainable."""
        model, info = super().from_pretrained(*args, output_loading_info=True, **kwargs)
        model.model.encoder.embed_positions.requires_grad_(False)
        return (model, info) if output_loading_info else model

    def embed(self, input_features: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return one vector per clip.

        Args:
            input_features: log-mel spectra of Whisper's feature extractor, (batch, mel, frames).
            attention_mask: which frames SpecAugment may mask, (batch, frames), where the configuration asks for it.

        Returns:
            (batch, d_model).
        """
        start = torch.full((len(input_features), 1), self.config.decoder_start_token_id, device=input_features.device)
        told = self.model(input_features, attention_mask=attention_mask, decoder_input_ids=start, use_cache=False)
        return told.last_hidden_state[:, 0]

    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs,
    ) -> SequenceClassifierOutput:
        """Return logits, (batch, classes), and the cross-entropy where `labels`, (batch,), are given."""
        logits = self.classifier(self.embed(input_features, attention_mask))
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels.to(logits.device))
        return SequenceClassifierOutput(loss=loss, logits=logits)


__all__ = ["WhisperEmbeddingForSequenceClassification"]
