"""Convert a fairseq or FunASR checkpoint of data2vec 2.0 or emotion2vec to safetensors and config.json.

    python -m ser_trainer.encoders.convert_data2vec2 base_libri.pt data2vec2_base --trust

A fairseq file is a pickle of everything that training had. What torch reads with weights_only=True needs no word from
the user; a file that holds objects of other classes does (`trust`). Even then nothing of the file is run: such objects
become inert stand-ins, and neither fairseq nor OmegaConf needs to be installed.
"""

import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from .encoder import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

    from .models.data2vec2 import Data2Vec2, Data2Vec2Config

MODEL_TYPE = "data2vec2"
"""What config.json of a converted checkpoint calls the model."""

_AUDIO = "modality_encoders.AUDIO."

_TRAINING = re.compile(
    r"^_ema(\.|$)|\.decoder\.|^shared_decoder\.|^recon_proj\.|^modality_encoders\.(IMAGE|TEXT)\.|^proj\."
)
"""Keys that no feature needs: teacher, decoders, projections of losses, other modalities, emotion2vec+'s classes."""


class _StandIn:
    """Takes the place of an object whose class must not be imported, and keeps its content."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


def read_checkpoint(path: Path, trust: bool = False) -> "tuple[dict[str, Tensor], dict[str, Any]]":
    """Return the encoder's tensors by fairseq's keys, and the settings of the model.

    The settings are those in the file (`cfg`, or `args` in older ones); for a file without, those of the config.yaml
    beside it, as FunASR publishes it.

    Args:
        path: the file.
        trust: whether a file may be read that holds objects of classes that torch does not know.

    Raises:
        EncoderError: the file cannot be read, needs `trust`, or has no state dict or no settings.
    """
    content = _load(path, trust)
    settings = _settings(content, path)
    state: Any = content
    while inner := [state[key] for key in ("model", "state_dict") if isinstance(state.get(key), Mapping)]:
        state = inner[0]
    state = {re.sub(r"^(module\.|d2v_model\.)+", "", str(key)): value for key, value in state.items()}
    state = {key: value for key, value in state.items() if not _TRAINING.search(key)}
    odd = [key for key, value in state.items() if not hasattr(value, "shape")]
    if not state or odd:
        raise EncoderError(
            f"Checkpoint {path.name}: must hold a state dict, tensors by key; "
            f"{f'{odd[0]} is none' if odd else 'it holds none'}. Name a file that fairseq or FunASR wrote."
        )
    return state, settings


def derive_config(state: "Mapping[str, Tensor]", settings: Mapping[str, Any], what: str) -> "Data2Vec2Config":
    """Return the sizes that the tensors show, after comparing them with the settings.

    Args:
        state: tensors by fairseq's keys.
        settings: the model's settings; `norm_eps` must be among them, no tensor shows it.
        what: names the file in messages.

    Raises:
        EncoderError: a tensor is missing that shows a size, tensors and settings disagree, or the settings ask for
            something that this encoder does not do.
    """
    from .models.data2vec2 import STRIDES, Data2Vec2Config

    def shape(key: str, *axes: int) -> tuple[int, ...]:
        if key not in state:
            raise EncoderError(f"{what}: needs the key {key}; it is missing. Name a checkpoint of data2vec 2.0 audio.")
        found = tuple(state[key].shape)
        if len(found) not in axes:
            raise EncoderError(f"{what}: {key} must have {' or '.join(map(str, axes))} axes; its shape is {found}.")
        return found

    def numbers(pattern: str) -> list[int]:
        return sorted({int(found[1]) for key in state if (found := re.match(pattern, key))})

    audio = (settings.get("modalities") or {}).get("audio") or {}
    stem = numbers(rf"{re.escape(_AUDIO)}local_encoder\.conv_layers\.(\d+)\.")
    kernels = [shape(f"{_AUDIO}local_encoder.conv_layers.{layer}.0.weight", 3) for layer in stem]
    positional_norm = f"{_AUDIO}relative_positional_encoder.0.weight" in state
    positional = f"{_AUDIO}relative_positional_encoder." + ("1." if positional_norm else "")
    width, channels = shape(f"{_AUDIO}project_features.2.weight", 2)
    _, group, kernel = shape(f"{positional}1.0.weight", 3)
    # Older files store (1, heads, 1, 1): one scale for all layers.
    alibi_layers, _, alibi_heads, *_ = (1, *shape(f"{_AUDIO}alibi_scale", 4, 5))[-5:]
    for name in ("norm_eps", "num_heads"):
        if name not in settings:
            raise EncoderError(
                f"{what}: needs {name}, which its tensors do not tell; its settings have none. Put the config.yaml of "
                "the model beside the file."
            )
    spec = str(audio.get("feature_encoder_spec", ""))
    layers = [
        layer
        for *layer, times in re.findall(r"\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)\s*\]?(?:\s*\*\s*(\d+))?", spec)
        for _ in range(int(times or 1))
    ]
    config = Data2Vec2Config(
        width=width,
        heads=int(settings["num_heads"]),
        depth=len(numbers(r"blocks\.(\d+)\.")),
        prenet_depth=len(numbers(rf"{re.escape(_AUDIO)}context_encoder\.blocks\.(\d+)\.")),
        hidden=shape("blocks.0.mlp.fc1.weight", 2)[0],
        extra_tokens=shape(f"{_AUDIO}extra_tokens", 3)[1] if f"{_AUDIO}extra_tokens" in state else 0,
        norm_first="norm.weight" in state,
        norm_eps=float(settings["norm_eps"]),
        channels=channels,
        kernels=tuple(one[2] for one in kernels),
        strides=tuple(int(stride) for _, _, stride in layers) or STRIDES,
        positional_depth=len(numbers(rf"{re.escape(positional)}(\d+)\.0\.")),
        positional_kernel=kernel,
        positional_groups=width // group,
        positional_norm=positional_norm,
        alibi_layers=alibi_layers,
        alibi_heads=alibi_heads,
    )
    total = audio.get("conv_pos_width")  # fairseq shares the width out to the convolutions
    stated = {
        "width": settings.get("embed_dim"),
        "depth": settings.get("depth"),
        "prenet_depth": audio.get("prenet_depth"),
        "extra_tokens": audio.get("num_extra_tokens"),
        "norm_first": settings.get("layer_norm_first"),
        "hidden": int(settings["mlp_ratio"] * width) if settings.get("mlp_ratio") else None,
        "kernels": tuple(int(kernel) for _, kernel, _ in layers) or None,
        "positional_depth": audio.get("conv_pos_depth"),
        "positional_kernel": max(3, total // config.positional_depth) if total else None,
        "positional_groups": audio.get("conv_pos_groups"),
        "positional_norm": audio.get("conv_pos_pre_ln"),
    }
    for name, value in stated.items():
        if value is not None and value != getattr(config, name):
            raise EncoderError(
                f"{what}: tensors and settings must agree; {name} is {getattr(config, name)} by the tensors and "
                f"{value} by the settings. The file is damaged or the settings are another model's."
            )
    if settings.get("normalize") is False:
        raise EncoderError(
            f"{what}: must have been trained on normalized audio, as all published ones; its settings say normalize "
            "false. This encoder cannot open it."
        )
    if width % config.heads or alibi_heads not in (1, config.heads) or alibi_layers not in (1, config.blocks):
        raise EncoderError(
            f"{what}: {config.heads} heads of {config.blocks} blocks share {width} values and need one ALiBi scale, or "
            f"one each; it has {alibi_heads} for heads and {alibi_layers} for blocks. The settings are another model's."
        )
    if len(config.kernels) != len(config.strides):
        raise EncoderError(
            f"{what}: needs a stride for each convolution of the stem; it has {len(config.kernels)} convolutions and "
            f"the strides {config.strides}. The file is damaged or lacks its settings."
        )
    return config


def convert(path: Path, trust: bool = False) -> "Data2Vec2":
    """Return the encoder in a checkpoint, checked key by key, on the CPU.

    Args:
        path: a file that fairseq or FunASR wrote.
        trust: see `read_checkpoint`.

    Raises:
        EncoderError: see `read_checkpoint` and `derive_config`; or a key is missing or left over, or has a wrong shape.
    """
    what = f"Checkpoint {path.name}"
    state, settings = read_checkpoint(path, trust)
    config = derive_config(state, settings, what)
    scale = state[f"{_AUDIO}alibi_scale"]
    state[f"{_AUDIO}alibi_scale"] = scale[None] if scale.dim() == 4 else scale
    return assemble(config, state, what)


def assemble(config: "Data2Vec2Config", state: "Mapping[str, Tensor]", what: str) -> "Data2Vec2":
    """Return the encoder of these sizes and tensors, float32, on the CPU, in evaluation mode.

    Raises:
        EncoderError: a key is missing or left over, or has a wrong shape.
    """
    import torch

    from .models.data2vec2 import Data2Vec2
    from .weights import load_strictly

    with torch.device("meta"):
        model = Data2Vec2(config)
    model.to_empty(device="cpu")
    load_strictly(model, state, what)
    return model.eval()


def _load(path: Path, trust: bool) -> dict[str, Any]:
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise EncoderError(f"Checkpoint {path.name}: does not exist in {path.parent}. Check the path.") from error
    except Exception as refused:  # a pickle of other classes, or no checkpoint at all
        try:
            strangers = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        except Exception as error:
            raise EncoderError(
                f"Checkpoint {path.name}: must be a file that torch.save wrote, in its zip form; {refused}. Fetch it "
                "again; or load and save it with the torch that wrote it."
            ) from error
        if strangers and not trust:
            raise EncoderError(
                f"Checkpoint {path.name}: holds objects that are no tensors ({', '.join(sorted(strangers)[:3])}), as "
                "fairseq's do, and is only read when you say that you trust it. Convert it once: python -m "
                f"ser_trainer.encoders.convert_data2vec2 {path} FOLDER --trust; then name FOLDER, for "
                "a record as id=FOLDER."
            ) from refused
        known = {"argparse.Namespace": Namespace}  # holds nothing but attributes
        allowed = [(known.get(name) or type(name.rpartition(".")[2], (_StandIn,), {}), name) for name in strangers]
        try:
            with torch.serialization.safe_globals(allowed):
                content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise EncoderError(f"Checkpoint {path.name}: cannot be read: {error}. Fetch it again.") from error
    if not isinstance(content, Mapping):
        raise EncoderError(
            f"Checkpoint {path.name}: must hold a dict; it holds {type(content).__name__}. Check the file."
        )
    return content


def _settings(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the model's settings as plain dicts, with `normalize` of the task."""
    beside = path.with_name("config.yaml")
    if isinstance(cfg := _plain(content.get("cfg")), dict):
        model, task = cfg.get("model"), cfg.get("task")
    elif isinstance(args := _plain(content.get("args")), dict):
        model = task = args
    else:
        told = yaml.safe_load(beside.read_text(encoding="utf-8")) if beside.is_file() else None
        model = task = told.get("model_conf") if isinstance(told, dict) else None
    if not isinstance(model, dict):
        raise EncoderError(
            f"Checkpoint {path.name}: needs the model's settings, as cfg in the file or as config.yaml beside it; "
            "there are none. Put the config.yaml that is published with it into its folder."
        )
    return {**model, "normalize": (task or {}).get("normalize")}


def _plain(value: Any) -> Any:
    """Return dicts, lists and values of what OmegaConf and argparse wrap them in."""
    if isinstance(value, Namespace):
        value = vars(value)
    if isinstance(value, _StandIn):
        state = getattr(value, "state", {})
        value = state.get("_content", state.get("_val")) if isinstance(state, Mapping) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


def main(
    checkpoint: Annotated[Path, typer.Argument(help="file that fairseq or FunASR wrote")],
    folder: Annotated[Path, typer.Argument(help="new folder for model.safetensors and config.json")],
    trust: Annotated[bool, typer.Option("--trust", help="read a file that holds more than tensors")] = False,
    licence: Annotated[str, typer.Option(help="licence of the weights, noted beside them")] = "see where it came from",
) -> None:
    """Convert CHECKPOINT into FOLDER, once; encoders are then opened from FOLDER alone."""
    from loading_scripts.errors import SerbenchError

    from .weights import save_converted

    try:
        model = convert(checkpoint, trust)
        config = {"model_type": MODEL_TYPE, **asdict(model.config)}
        save_converted(model.state_dict(), config, folder, source=checkpoint, licence=licence)
    except SerbenchError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{folder}: {sum(one.numel() for one in model.parameters()):,} parameters")


if __name__ == "__main__":
    typer.run(main)
