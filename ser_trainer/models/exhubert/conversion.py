"""Expand a plain model into one with gated copies that computes the same function, and back."""

import dataclasses
import difflib
import os
import re
from collections.abc import Iterator

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from .configuration_expanded import ExpandedConfig
from .families import FAMILIES, Family, family_of
from .modeling_expanded import ExpandedClassifier, ExpandedPreTrained

_LAYER = re.compile(r"((?:\w+\.)?encoder\.layers)\.(\d+)\.(.+)")
# What only the first layer of WavLM has; it computes the position bias that all others take.
_OF_FIRST_LAYER = "attention.rel_attn_embed.weight"
# Tensors that a source of another task, or with other values of the fields asked for, does not have.
_OF_TASK = re.compile(r"projector\.|classifier\.|layer_weights$|layer_mix\.|\w+\.masked_spec_embed$")
# Entries of a configuration that say what is in a folder, not what the model is.
_OF_FOLDER = ("model_type", "architectures", "auto_map", "transformers_version", "num_feat_extract_layers")
_OF_EXPANSION = tuple(field.name for field in dataclasses.fields(ExpandedConfig))


def expanded_config(config: PreTrainedConfig, num_copies: int = 1, **fields) -> ExpandedConfig:
    """Return the configuration of the expansion of a plain model.

    Args:
        config: Configuration of the plain model.
        num_copies: Copies of each of its encoder layers.
        **fields: Fields of the expanded configuration that get other values than in `config`. `id2label` brings its own
            `label2id`. `layerdrop` is 0 by default where `use_weighted_layer_sum` is set.

    Raises:
        TypeError: If `num_copies` is not an integer.
        ValueError: If `config` is of a type that cannot be expanded, a field does not exist, or a value breaks a rule
            of `ExpandedConfig`.
    """
    config_class = family_of(f"This {type(config).__name__}", config.model_type).expanded.config_class
    alias = config_class.attribute_map
    known = {field.name for field in dataclasses.fields(config_class)} | alias.keys() | {"attn_implementation"}
    for name in sorted(fields.keys() - known):
        close = " or ".join(map(repr, difflib.get_close_matches(name, known))) or "one of its fields"
        raise ValueError(
            f"{name!r} is not a field of {config_class.__name__}. Did you mean {close}? Labels are given as "
            "id2label={0: 'anger', ...}."
        )
    fields = {alias.get(name, name): value for name, value in fields.items()}
    inherited = {key: value for key, value in config.to_dict().items() if key not in _OF_FOLDER}
    if "id2label" in fields:
        fields.setdefault("label2id", {label: int(index) for index, label in fields["id2label"].items()})
    if fields.get("use_weighted_layer_sum", inherited["use_weighted_layer_sum"]):
        inherited[alias.get("layerdrop", "layerdrop")] = 0.0
    if isinstance(num_copies, int):  # the configuration refuses anything else in its own words
        inherited[alias.get("num_hidden_layers", "num_hidden_layers")] *= 1 + num_copies
    return config_class(**{**inherited, "num_copies": num_copies, **fields})


def expand(
    source: str | os.PathLike | PreTrainedModel,
    num_copies: int = 1,
    *,
    revision: str | None = None,
    dtype: torch.dtype | None = None,
    **fields,
) -> PreTrainedModel:
    """Insert gated copies after every encoder layer of a plain model (ExHuBERT paper, section 3.2).

    A copy starts with the weights of its original, as tensors of its own, and its gate with zeros. So in eval mode the
    expanded model equals its source bit for bit, unless a copy overflows: use bfloat16 rather than float16. It equals
    it to rounding with `use_weighted_layer_sum`, and for a WavLM that is frozen in one of the two only, because torch
    multiplies by a frozen weight with another kernel there. The head of a classifier is kept, except for its last layer
    where `id2label` changes the labels; any other source gets a fresh head. The paper expands HuBERT after fine-tuning
    on its corpora; expansion of other families is ours. `ser_trainer.models.exhubert.families` says which can be
    expanded.

    Args:
        source: Folder or Hub id of a checkpoint (without head, pre-trained, for CTC, for sequence classification or for
            conditional generation), or such a model in memory, which is left as it is.
        num_copies: Copies of each layer: 1 in the paper, 2 in its "XLarge".
        revision: Branch, tag or commit, where `source` is a Hub id.
        dtype: Type of the weights, that of the source by default. Train with `torch.float32`.
        **fields: Fields of the configuration to change, e.g. `id2label`, `freeze_original`, `layerdrop`.

    Returns:
        The expanded classifier of the family of `source`, on the CPU in eval mode, with frozen originals unless
        `freeze_original=False`.

    Raises:
        TypeError: If `source` is neither a path nor a plain model of transformers, or `num_copies` no integer.
        ValueError: If the source is of a type that cannot be expanded or is expanded already, if its encoder lacks
            tensors or has unknown ones (as the published ExHuBERT checkpoint does), if a field does not exist, or if a
            value breaks a rule of `ExpandedConfig`.
    """
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        stored, _ = PreTrainedConfig.get_config_dict(name, revision=revision)
        family = family_of(name, stored.get("model_type"))
        # Before the weights, so that a wrong field costs no download.
        config = expanded_config(family.plain.config_class.from_dict(stored), num_copies, **fields)
        source, info = family.plain.from_pretrained(name, revision=revision, output_loading_info=True)
        _check_keys(name, info)
    elif isinstance(source, PreTrainedModel) and not isinstance(source, ExpandedPreTrained):
        name = f"This {type(source).__name__}"
        family = family_of(name, source.config.model_type)
        # to_dict leaves out the attention kernel, without which the last bits of the function change.
        kernel = {"attn_implementation": source.config._attn_implementation}
        config = expanded_config(source.config, num_copies, **{**kernel, **fields})
    else:
        raise TypeError(
            f"expand takes a folder, a Hub id or a plain model of transformers, not {type(source).__name__}. "
            "Merge peft adapters first, with merge_and_unload()."
        )
    state = dict(_expanded_state(source, family, config))
    if config.id2label != source.config.id2label:
        state = {key: tensor for key, tensor in state.items() if not key.startswith("classifier.")}
    model, info = family.expanded.from_pretrained(
        None, config=config, state_dict=state, dtype=dtype or source.dtype, output_loading_info=True
    )
    _check_keys(name, info)
    model.name_or_path = model.config.name_or_path = source.config.name_or_path
    return model


def contract(model: PreTrainedModel) -> PreTrainedModel:
    """Undo `expand`: drop the copies of a model whose gates are zero.

    Args:
        model: An expanded classifier, left as it is.

    Returns:
        The plain classifier that computes the same function, on the CPU in eval mode.

    Raises:
        TypeError: If `model` is not an expanded classifier.
        ValueError: If a gate is not zero, since a plain model cannot compute what its copy then adds.
    """
    if not isinstance(model, ExpandedClassifier):
        raise TypeError(f"contract takes a classifier that expand returned, not {type(model).__name__}.")
    plain = next(family.plain for family in FAMILIES.values() if isinstance(model, family.expanded))
    step = 1 + model.config.num_copies
    state = {}
    for key, tensor in _detached(model):
        layer = _LAYER.fullmatch(key)
        if layer is None:
            state["layer_weights" if key == "layer_mix.weight" else key] = tensor
        elif not model.config.is_copy(int(layer[2])):
            state[f"{layer[1]}.{int(layer[2]) // step}.{layer[3]}"] = tensor
        elif layer[3].startswith("gate.") and tensor.any():
            raise ValueError(
                f"{key} is not zero (largest magnitude {tensor.abs().max():.3g}), so its copy takes part in the "
                "function, and no plain model computes it. Contract only models fresh from expand."
            )

    dropped = _OF_FOLDER + _OF_EXPANSION
    inherited = {key: value for key, value in model.config.to_dict().items() if key not in dropped}
    inherited[model.config.attribute_map.get("num_hidden_layers", "num_hidden_layers")] //= step
    config = plain.config_class(**inherited, attn_implementation=model.config._attn_implementation)
    contracted = plain.from_pretrained(None, config=config, state_dict=state, dtype=model.dtype)
    contracted.name_or_path = contracted.config.name_or_path = model.config.name_or_path
    return contracted


def _check_keys(name: str, info: dict) -> None:
    """Refuse weights that lack a tensor of the model, or have one in a layer that has no place for it."""
    lacking = sorted(key for key in info["missing_keys"] if not _OF_TASK.match(key))
    # A decoder, a quantizer or the head of another task may be left behind; a tensor of an encoder layer may not.
    unknown = sorted(key for key in info["unexpected_keys"] if "encoder.layers." in key)
    if lacking or unknown:
        fault = f"lack {lacking[0]!r}" if lacking else f"have an unknown {unknown[0]!r}"
        raise ValueError(
            f"{name}: the weights {fault} ({len(lacking or unknown)} such tensors), so they are not those of the plain "
            "model in the configuration, and expanding them would change the function. The published ExHuBERT "
            "checkpoint is converted by python -m ser_trainer.models.exhubert.official."
        )


def _detached(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (key, tensor) of a model as copies on the CPU that share no memory with it."""
    for key, tensor in model.state_dict().items():
        yield key, tensor.detach().to("cpu", copy=True)


def _expanded_state(
    source: PreTrainedModel, family: Family, config: ExpandedConfig
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (key, tensor) of the expansion of `source`."""
    step = 1 + config.num_copies
    model = next(module for module in source.modules() if isinstance(module, family.plain_model))
    prefix = family.expanded.base_model_prefix
    for key, tensor in _detached(model):
        layer = _LAYER.fullmatch(f"{prefix}.{key}")
        if layer is None:
            yield f"{prefix}.{key}", tensor
            continue
        first = int(layer[2]) * step
        yield f"{layer[1]}.{first}.{layer[3]}", tensor
        if layer[3] != _OF_FIRST_LAYER:
            for index in range(first + 1, first + step):
                yield f"{layer[1]}.{index}.{layer[3]}", tensor.clone()
    if isinstance(source, family.plain):
        for key, tensor in _detached(source):
            if not key.startswith(f"{prefix}."):
                yield "layer_mix.weight" if key == "layer_weights" else key, tensor
    layers = f"{prefix}.layers" if prefix == "encoder" else f"{prefix}.encoder.layers"
    for index in filter(config.is_copy, range(config.num_hidden_layers)):
        yield f"{layers}.{index}.gate.weight", torch.zeros(config.hidden_size, config.hidden_size, dtype=source.dtype)
        if config.gate_bias:
            yield f"{layers}.{index}.gate.bias", torch.zeros(config.hidden_size, dtype=source.dtype)
