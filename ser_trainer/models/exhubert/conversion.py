"""Expand a HuBERT into an ExHuBERT that computes the same function, and back."""

import dataclasses
import difflib
import math
import os
import re
from collections.abc import Iterator

import torch
from transformers import HubertConfig, HubertForSequenceClassification, HubertPreTrainedModel

from .configuration_exhubert import ExHubertConfig
from .modeling_exhubert import ExHubertForSequenceClassification, ExHubertPreTrainedModel

_LAYER = re.compile(r"hubert\.encoder\.layers\.(\d+)\.(.+)")
# Tensors that a source of another task, or with other values of the fields asked for, does not have.
_OF_TASK = re.compile(r"projector\.|classifier\.|layer_weights$|layer_mix\.|hubert\.masked_spec_embed$")
# Entries of a configuration that say what is in a folder, not what the model is.
_OF_FOLDER = ("model_type", "architectures", "auto_map", "transformers_version", "num_feat_extract_layers")
_OF_EXPANSION = ("num_copies", "gate_bias", "freeze_original")


def expanded_config(config: HubertConfig, num_copies: int = 1, **fields) -> ExHubertConfig:
    """Return the configuration of the expansion of a HuBERT.

    Args:
        config: Configuration of the HuBERT.
        num_copies: Copies of each of its layers.
        **fields: Fields of `ExHubertConfig` that get other values than in `config`. `id2label` brings its
            own `label2id`. `layerdrop` is 0 by default where `use_weighted_layer_sum` is set.

    Raises:
        TypeError: If `num_copies` is not an integer.
        ValueError: If `config` is not that of a plain HuBERT, a field does not exist, or a value breaks a rule
            of `ExHubertConfig`.
    """
    known = {field.name for field in dataclasses.fields(ExHubertConfig)} | {"attn_implementation"}
    for name in sorted(fields.keys() - known):
        close = " or ".join(map(repr, difflib.get_close_matches(name, known))) or "one of its fields"
        raise ValueError(
            f"{name!r} is not a field of ExHubertConfig. Did you mean {close}? Labels are given as "
            "id2label={0: 'anger', ...}."
        )
    _check_type(f"This {type(config).__name__}", config.model_type)
    inherited = {key: value for key, value in config.to_dict().items() if key not in _OF_FOLDER}
    if "id2label" in fields:
        fields.setdefault("label2id", {label: int(index) for index, label in fields["id2label"].items()})
    if fields.get("use_weighted_layer_sum", inherited["use_weighted_layer_sum"]):
        inherited["layerdrop"] = 0.0
    if isinstance(num_copies, int):  # the configuration refuses anything else in its own words
        inherited["num_hidden_layers"] *= 1 + num_copies
    return ExHubertConfig(**{**inherited, "num_copies": num_copies, **fields})


def expand(
    source: str | os.PathLike | HubertPreTrainedModel,
    num_copies: int = 1,
    *,
    revision: str | None = None,
    dtype: torch.dtype | None = None,
    **fields,
) -> ExHubertForSequenceClassification:
    """Insert gated copies after every encoder layer of a HuBERT (ExHuBERT paper, section 3.2).

    A copy starts with the weights of its original, as tensors of its own, and its gate with zeros. So in
    eval mode the expanded model equals its source bit for bit, unless a copy overflows: use bfloat16 rather
    than float16. With `use_weighted_layer_sum` it equals it to rounding, since a layer shares its weight in
    the sum with its copies. A classification head is kept, except for the classifier where `id2label`
    changes the labels; a source without one gets a fresh head. The paper expands after fine-tuning on its
    corpora.

    Args:
        source: Folder or Hub id of any HuBERT checkpoint (`HubertModel`, `HubertForCTC` or
            `HubertForSequenceClassification`), or such a model in memory, which is left as it is.
        num_copies: Copies of each layer: 1 in the paper, 2 in its "XLarge".
        revision: Branch, tag or commit, where `source` is a Hub id.
        dtype: Type of the weights, that of the source by default. Train with `torch.float32`.
        **fields: Fields of `ExHubertConfig` to change, e.g. `id2label`, `freeze_original`, `layerdrop`.

    Returns:
        The expanded model on the CPU in eval mode, with frozen originals unless `freeze_original=False`.

    Raises:
        TypeError: If `source` is neither a path nor a HuBERT of transformers, or `num_copies` no integer.
        ValueError: If the source is not a plain HuBERT, if its encoder lacks tensors or has unknown ones
            (as the published ExHuBERT checkpoint does), if a field does not exist, or if a value breaks a
            rule of `ExHubertConfig`.
    """
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        stored, _ = HubertConfig.get_config_dict(name, revision=revision)
        _check_type(name, stored.get("model_type"))
        # Before the weights, so that a wrong field costs no download.
        config = expanded_config(HubertConfig.from_dict(stored), num_copies, **fields)
        source, info = HubertForSequenceClassification.from_pretrained(
            name, revision=revision, output_loading_info=True
        )
        _check_keys(name, info)
    elif isinstance(source, HubertPreTrainedModel) and not isinstance(source, ExHubertPreTrainedModel):
        name = f"This {type(source).__name__}"
        # to_dict leaves out the attention kernel, without which the last bits of the function change.
        kernel = {"attn_implementation": source.config._attn_implementation}
        config = expanded_config(source.config, num_copies, **{**kernel, **fields})
    else:
        raise TypeError(
            "expand takes a folder, a Hub id or a plain HuBERT model of transformers, not "
            f"{type(source).__name__}. Merge peft adapters first, with merge_and_unload()."
        )
    state = dict(_expanded_state(source, num_copies, config.gate_bias))
    if config.id2label != source.config.id2label:
        state = {key: tensor for key, tensor in state.items() if not key.startswith("classifier.")}
    model, info = ExHubertForSequenceClassification.from_pretrained(
        None, config=config, state_dict=state, dtype=dtype or source.dtype, output_loading_info=True
    )
    _check_keys(name, info)
    model.name_or_path = model.config.name_or_path = source.config.name_or_path
    return model


def contract(model: ExHubertForSequenceClassification) -> HubertForSequenceClassification:
    """Undo `expand`: drop the copies of a model whose gates are zero.

    Args:
        model: An expanded model, left as it is.

    Returns:
        The plain HuBERT that computes the same function, on the CPU in eval mode.

    Raises:
        ValueError: If a gate is not zero, since a plain HuBERT cannot compute what its copy then adds.
    """
    step = 1 + model.config.num_copies
    state = {}
    for key, tensor in _detached(model):
        layer = _LAYER.fullmatch(key)
        if layer is None:
            state[key] = tensor
        elif not model.config.is_copy(int(layer[1])):
            state[f"hubert.encoder.layers.{int(layer[1]) // step}.{layer[2]}"] = tensor
        elif layer[2].startswith("gate.") and tensor.any():
            raise ValueError(
                f"{key} is not zero (largest magnitude {tensor.abs().max():.3g}), so its copy takes part in "
                "the function, and no plain HuBERT computes it. Contract only models fresh from expand."
            )
    if "layer_mix.weight" in state:
        logits = state.pop("layer_mix.weight")
        state["layer_weights"] = torch.cat([logits[:1], logits[1:].view(-1, step).logsumexp(dim=1)])

    dropped = _OF_FOLDER + _OF_EXPANSION
    inherited = {key: value for key, value in model.config.to_dict().items() if key not in dropped}
    inherited["num_hidden_layers"] = model.config.num_original_layers
    config = HubertConfig(**inherited, attn_implementation=model.config._attn_implementation)
    plain = HubertForSequenceClassification.from_pretrained(None, config=config, state_dict=state, dtype=model.dtype)
    plain.name_or_path = plain.config.name_or_path = model.config.name_or_path
    return plain


def _check_type(name: str, model_type: str | None) -> None:
    """Refuse to expand anything but a plain HuBERT."""
    if model_type != HubertConfig.model_type:
        hint = " It is expanded already: load it with from_pretrained." if model_type == "exhubert" else ""
        raise ValueError(f"{name}: expand takes model type 'hubert', not {model_type!r}.{hint}")


def _check_keys(name: str, info: dict) -> None:
    """Refuse weights that lack a tensor of the model, or have one in a layer that has no place for it."""
    lacking = sorted(key for key in info["missing_keys"] if not _OF_TASK.match(key))
    unknown = sorted(key for key in info["unexpected_keys"] if "encoder.layers." in key)
    if lacking or unknown:
        fault = f"lack {lacking[0]!r}" if lacking else f"have an unknown {unknown[0]!r}"
        raise ValueError(
            f"{name}: the weights {fault} ({len(lacking or unknown)} such tensors), so they are not those of "
            "the plain HuBERT in the configuration, and expanding them would change the function."
        )


def _detached(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (key, tensor) of a model as copies on the CPU that share no memory with it."""
    for key, tensor in model.state_dict().items():
        yield key, tensor.detach().to("cpu", copy=True)


def _expanded_state(
    source: HubertPreTrainedModel, num_copies: int, gate_bias: bool
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (key, tensor) of the expansion of `source`."""
    step = 1 + num_copies
    prefix = "" if hasattr(source, "hubert") else "hubert."  # the keys of a bare HubertModel lack it
    for key, tensor in _detached(source):
        layer = _LAYER.fullmatch(prefix + key)
        if layer is not None:
            for index in range(int(layer[1]) * step, (int(layer[1]) + 1) * step):
                yield f"hubert.encoder.layers.{index}.{layer[2]}", tensor.clone()
        elif key == "layer_weights":
            # A layer and its copies start with equal outputs, and share the softmax weight of the layer.
            shares = (tensor[1:] - math.log(step)).repeat_interleave(step)
            yield "layer_mix.weight", torch.cat([tensor[:1], shares])
        else:
            yield prefix + key, tensor
    hidden = source.config.hidden_size
    for index in range(source.config.num_hidden_layers * step):
        if index % step:
            gate = f"hubert.encoder.layers.{index}.gate"
            yield f"{gate}.weight", torch.zeros(hidden, hidden, dtype=source.dtype)
            if gate_bias:
                yield f"{gate}.bias", torch.zeros(hidden, dtype=source.dtype)
