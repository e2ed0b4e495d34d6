"""A HuBERT small enough to be trained from random weights on two CPU cores, for the demo and for trials."""

from collections.abc import Mapping

from transformers import HubertConfig


def tiny_hubert_config(id2label: Mapping[int, str]) -> HubertConfig:
    """Return the configuration of a small HuBERT built like HuBERT-Large: layer-norm stem, pre-norm layers.

    What lets it learn from random weights in a minute: a stem of two convolutions with long kernels (4 and 80 ms; a
    frame every 40 ms), initial weights large enough for 64 channels, and no dropout, layerdrop or SpecAugment. Give it
    input that keeps the level of the recording: the level tells emotions apart.

    Args:
        id2label: Names of the classes by index.

    >>> tiny_hubert_config({0: "anger", 1: "sadness"}).num_labels
    2
    """
    return HubertConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        conv_dim=(32, 64),
        conv_kernel=(64, 40),
        conv_stride=(32, 20),
        conv_bias=True,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        classifier_proj_size=64,
        initializer_range=0.1,
        hidden_dropout=0.0,
        activation_dropout=0.0,
        attention_dropout=0.0,
        final_dropout=0.0,
        layerdrop=0.0,
        apply_spec_augment=False,
        mask_time_prob=0.0,
        id2label=dict(id2label),
        label2id={label: index for index, label in id2label.items()},
    )
