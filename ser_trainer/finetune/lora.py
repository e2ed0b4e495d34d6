"""Low-rank adapters on the encoder of any audio classifier."""

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from loading_scripts.errors import SerbenchError

_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj")
_WAV2VEC = (*_ATTENTION, "intermediate_dense", "output_dense")
# WavLM hands its attention weights to a function of torch and never calls the modules: adapters there learn nothing.
_WAVLM = ("intermediate_dense", "output_dense")
_WHISPER = (*_ATTENTION, "fc1", "fc2")
TARGETS = {
    "wav2vec2": _WAV2VEC,
    "hubert": _WAV2VEC,
    "data2vec-audio": _WAV2VEC,
    "unispeech-sat": _WAV2VEC,
    "exhubert": _WAV2VEC,
    "exwav2vec2": _WAV2VEC,
    "exdata2vec-audio": _WAV2VEC,
    "wavlm": _WAVLM,
    "exwavlm": _WAVLM,
    "whisper": _WHISPER,
    "exwhisper": _WHISPER,
    "wav2vec2-bert": ("linear_q", "linear_k", "linear_v", "linear_out", "intermediate_dense", "output_dense"),
    "audio-spectrogram-transformer": ("q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"),
}
"""Model type -> linear layers of its encoder that get an adapter."""

_WHOLE = ("projector", "classifier", "layer_mix", "gate")
"""Modules that are trained whole: the head, which starts from random weights, and the gates, which start from zeros."""


class AdapterError(SerbenchError, ValueError):
    """Adapters do not fit the model."""


def adapt(model: PreTrainedModel, rank: int, alpha: float | None = None) -> PeftModel:
    """Return the model with adapters: W + alpha / rank * B A with A and B trained (Hu et al., LoRA, ICLR 2022).

    Args:
        model: audio classifier; its encoder is frozen.
        rank: rows of A.
        alpha: scale; twice the rank by default.

    Raises:
        AdapterError: the encoder is of an unknown type, or learns a weighted sum of its layers outside a module.
    """
    names = {name.rpartition(".")[2] for name, one in model.named_modules() if isinstance(one, torch.nn.Linear)}
    targets = sorted(names & set(TARGETS.get(model.config.model_type, ())))
    if not targets:
        raise AdapterError(
            f"--lora_rank: adapters are known for {', '.join(sorted(TARGETS))}; this model is of type "
            f"{model.config.model_type!r}. Leave --lora_rank out."
        )
    if any(name == "layer_weights" for name, _ in model.named_parameters()):
        raise AdapterError(
            "--lora_rank: peft neither trains nor saves `layer_weights`, a bare parameter of this model "
            "(use_weighted_layer_sum). Expand the model, which holds it in a module, or do without the sum."
        )
    whole = [name for name in _WHOLE if any(one.rpartition(".")[2] == name for one, _ in model.named_modules())]
    config = LoraConfig(r=rank, lora_alpha=alpha or 2 * rank, target_modules=targets, modules_to_save=whole)
    return get_peft_model(model, config)


def is_adapted(model: torch.nn.Module) -> bool:
    """Return whether `adapt` made this model."""
    return isinstance(model, PeftModel)
