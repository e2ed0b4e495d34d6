"""Convert the published checkpoint huggingface.co/amiriparian/ExHuBERT into an ExHuBERT of this package.

    python -m ser_trainer.models.exhubert.official pytorch_model.bin OUT [--config config.json]

The code published with it cannot be imported by transformers 5. This converter was written without the file: that it
has 906 tensors follows from its size, the paper's parameter counts and its configuration, but neither the names of its
gates nor the order of originals and copies, so they are found out from the tensors. What does not fit is refused. The
published code may still use the tensors in another way than section 3.2 of the paper says: compare logits before you
rely on the result.
"""

import argparse
import hashlib
import json
import math
import pickle
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file
from transformers import HubertConfig, Wav2Vec2FeatureExtractor

from loading_scripts.errors import SerbenchError

from .configuration_expanded import ExHubertConfig
from .conversion import expanded_config
from .modeling_exhubert import ExHubertForSequenceClassification

# The model card's order: index = 3 * arousal + valence.
EMOTIONS = [f"{arousal}_{valence}" for arousal in ("low", "high") for valence in ("negative", "neutral", "positive")]

# config.json of the published HuBERT-Large (commit e95012d), which is that of facebook/hubert-large-ls960-ft; 24 layers
# before expansion, section 3.2 of the paper.
HUBERT_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "feat_proj_dropout": 0.1,
    "do_stable_layer_norm": True,
}

# Relative distance of two layers below which one is taken for the copy of the other. Fine-tuning with a learning rate
# of 1e-5 leaves a copy near its original; layers of independent weights are about sqrt(2) apart.
NEAR = 0.5

_LAYER = re.compile(r"hubert\.encoder\.layers\.(\d+)\.(.+)")
_WEIGHT_NORM = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}


class OfficialCheckpointError(SerbenchError, ValueError):
    """A file is not the published ExHuBERT checkpoint, or uses its gates in a way that is not known."""


def convert(checkpoint: str | Path, out: str | Path, config: str | Path | None = None) -> list[tuple[int, int]]:
    """Write the published checkpoint as a folder of an `ExHubertForSequenceClassification`.

    The folder gets the weights as safetensors, configuration, code, preprocessor configuration and a README.md with the
    licence of the weights, cc-by-nc-sa-4.0. The zero gates of originals are left out: what they multiply is zero.

    Args:
        checkpoint: `pytorch_model.bin` or a safetensors file.
        out: Folder to write.
        config: The `config.json` beside the checkpoint; that of HuBERT-Large if None.

    Returns:
        For each original layer its index and that of its copy in the checkpoint.

    Raises:
        OfficialCheckpointError: The file cannot be read without running code, has missing or unexpected tensors, does
            not tell originals from copies, or has an original whose gate is not zero.
    """
    checkpoint = Path(checkpoint)
    plain = HubertConfig(**HUBERT_LARGE) if config is None else _plain_config(Path(config))
    settings = expanded_config(plain, id2label=dict(enumerate(EMOTIONS)))
    tensors = {new_name(name): tensor for name, tensor in _read(checkpoint).items()}
    gates = find_gates({name: tensor.shape for name, tensor in tensors.items()}, settings)
    pairs = find_copies(tensors, settings.num_hidden_layers)
    for original, _ in pairs:
        largest = max(tensors[f"{gates[original]}.{kind}"].abs().max().item() for kind in ("weight", "bias"))
        if largest != 0:
            raise OfficialCheckpointError(
                f"{checkpoint}: {gates[original]!r} is the gate of original layer {original} and must be zero, but its "
                f"largest magnitude is {largest:.3g}. How the published code uses it is not known, and without it "
                "the function would change. Ask the authors, or load the checkpoint with their code."
            )
    state = {name: tensors[source] for source, name in our_names(tensors, gates, pairs).items()}
    model = ExHubertForSequenceClassification.from_pretrained(
        None, config=settings, state_dict=state, dtype=state["projector.weight"].dtype
    )
    out = Path(out)
    model.save_pretrained(out)
    Wav2Vec2FeatureExtractor(sampling_rate=16_000, do_normalize=True, return_attention_mask=True).save_pretrained(out)
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    (out / "README.md").write_text(_readme(checkpoint.name, digest, model), encoding="utf-8")
    return pairs


def find_gates(shapes: Mapping[str, Sequence[int]], config: ExHubertConfig) -> dict[int, str]:
    """Return the name of the gate of each layer, without its ending ".weight" or ".bias".

    Args:
        shapes: Shape of each tensor of the checkpoint, under its new name.
        config: Configuration of the expanded model.

    Raises:
        OfficialCheckpointError: A tensor is missing, is of another shape, or is neither part of a HuBERT nor a gate.
    """
    with torch.device("meta"):
        expected = {
            name: tuple(tensor.shape)
            for name, tensor in ExHubertForSequenceClassification(config).state_dict().items()
            if ".gate." not in name
        }
    size, layers = config.hidden_size, config.num_hidden_layers
    extra = {name: tuple(shape) for name, shape in shapes.items() if name not in expected}
    candidates = (name.removesuffix(".bias") for name, shape in extra.items() if shape == (size,))
    stems = [stem for stem in candidates if f"{stem}.bias" in extra and extra.get(f"{stem}.weight") == (size, size)]
    faults = {
        "missing": [name for name in expected if name not in shapes],
        "of another shape": [
            f"{name} {tuple(shapes[name])} instead of {shape}"
            for name, shape in expected.items()
            if name in shapes and tuple(shapes[name]) != shape
        ],
        "unexpected": sorted(extra.keys() - {f"{stem}.{kind}" for stem in stems for kind in ("weight", "bias")}),
    }
    gates = _by_layer(stems, layers)
    if gates is None:
        faults["like gates, but not one for each layer"] = sorted(stems) or ["no square weight with a bias"]
    found = [
        f"{fault} ({len(listed)}): {', '.join(listed[:10])}{', ...' if len(listed) > 10 else ''}"
        for fault, listed in faults.items()
        if listed
    ]
    if found:
        raise OfficialCheckpointError(
            f"The tensors are not those of the published ExHuBERT with {layers} layers of {size}, each with a gate: "
            f"{'; '.join(found)}. Give its own pytorch_model.bin, and with --config its config.json."
        )
    return gates


def find_copies(tensors: Mapping[str, torch.Tensor], layers: int) -> list[tuple[int, int]]:
    """Return (original, copy) layer indices of a checkpoint: in turn or in halves, whichever are near each other.

    Args:
        tensors: The checkpoint under its new names.
        layers: Number of its encoder layers.

    Raises:
        OfficialCheckpointError: Neither order, or both, put a near copy beside every original.
    """
    half = layers // 2
    orders = {
        "in turn": tuple((2 * index, 2 * index + 1) for index in range(half)),
        "in halves": tuple((index, half + index) for index in range(half)),
    }
    distances = {order: max(_distance(tensors, *pair) for pair in pairs) for order, pairs in orders.items()}
    near = {orders[order] for order, distance in distances.items() if distance < NEAR}
    if len(near) != 1:
        found = ", ".join(f"{order} {distance:.2f}" for order, distance in distances.items())
        raise OfficialCheckpointError(
            f"Which layers are copies cannot be told from the tensors: exactly one order should put every copy within "
            f"a relative distance of {NEAR} of its original; the largest distances are {found}."
        )
    return list(near.pop())


def our_names(
    tensors: Mapping[str, torch.Tensor], gates: Mapping[int, str], pairs: Sequence[tuple[int, int]]
) -> dict[str, str]:
    """Return the name in our model of each tensor that it takes over: all but the gates of originals.

    Args:
        tensors: The checkpoint under its new names.
        gates: Name of the gate of each layer, from `find_gates`.
        pairs: Indices of each original and its copy, from `find_copies`.
    """
    place = {layer: index for index, layer in enumerate(chain.from_iterable(pairs))}
    of_gates = {f"{stem}.{kind}" for stem in gates.values() for kind in ("weight", "bias")}
    ours = {}
    for name in tensors.keys() - of_gates:
        layer = _LAYER.fullmatch(name)
        ours[name] = f"hubert.encoder.layers.{place[int(layer[1])]}.{layer[2]}" if layer else name
    for _, copy in pairs:
        for kind in ("weight", "bias"):
            ours[f"{gates[copy]}.{kind}"] = f"hubert.encoder.layers.{place[copy]}.gate.{kind}"
    return ours


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; errors that a user can mend are printed without a traceback."""
    parser = argparse.ArgumentParser(
        prog="python -m ser_trainer.models.exhubert.official",
        description="Convert the published ExHuBERT checkpoint (huggingface.co/amiriparian/ExHuBERT).",
    )
    parser.add_argument("checkpoint", help="pytorch_model.bin or a safetensors file")
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--config", help="config.json beside the checkpoint; that of HuBERT-Large by default")
    args = parser.parse_args(arguments)
    try:
        pairs = convert(args.checkpoint, args.out, args.config)
    except SerbenchError as error:
        print(f"serbench: {error}", file=sys.stderr)
        sys.exit(2)
    order = ", ".join(f"{original}+{copy}" for original, copy in pairs)
    print(f"Wrote {args.out}, licence cc-by-nc-sa-4.0. Originals and their copies in the checkpoint: {order}.")


def _plain_config(path: Path) -> HubertConfig:
    """Return the configuration of the HuBERT before expansion; the published one counts originals and copies."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        layers = stored["num_hidden_layers"]
        if stored["model_type"] != "hubert" or layers % 2:
            raise ValueError(f"model_type {stored['model_type']!r} with {layers} layers")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise OfficialCheckpointError(
            f"Configuration {path}: it must be the published config.json, of model_type 'hubert' and with an even "
            f"num_hidden_layers; found {type(error).__name__}: {error}."
        ) from error
    stored.pop("auto_map", None)
    return HubertConfig.from_dict(stored | {"num_hidden_layers": layers // 2})


def _read(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict; pickled code is not run."""
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, safetensors.SafetensorError) as error:
        raise OfficialCheckpointError(
            f"Checkpoint {path}: it must be a file of tensors, pytorch_model.bin or safetensors; reading it gave "
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'nothing'}."
        ) from error
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise OfficialCheckpointError(f"Checkpoint {path}: it must map names to tensors and nothing else.")
    return state


def new_name(name: str) -> str:
    """Return the name that the positional convolution's weight norm has today."""
    module, _, last = name.rpartition(".")
    return f"{module}.{_WEIGHT_NORM[last]}" if last in _WEIGHT_NORM else name


def _by_layer(stems: Sequence[str], layers: int) -> dict[int, str] | None:
    """Return {layer: stem} if the stems differ in one number that counts the layers, else None."""
    parts = [stem.split(".") for stem in stems]
    if len(stems) != layers or len({len(one) for one in parts}) != 1:
        return None
    varying = [place for place in zip(*parts, strict=True) if len(set(place)) > 1 or layers == 1]
    if len(varying) != 1 or sorted(varying[0]) != sorted(map(str, range(layers))):
        return None
    return dict(sorted((int(number), stem) for number, stem in zip(varying[0], stems, strict=True)))


def _distance(tensors: Mapping[str, torch.Tensor], one: int, other: int) -> float:
    """Return the relative distance of the matrices of two layers; norms and biases are alike in all layers."""
    difference = size = 0.0
    for name, tensor in tensors.items():
        layer = _LAYER.fullmatch(name)
        if layer and int(layer[1]) == one and re.fullmatch(r"(attention|feed_forward)\..+\.weight", layer[2]):
            counterpart = tensors[f"hubert.encoder.layers.{other}.{layer[2]}"].float()
            difference += (tensor.float() - counterpart).square().sum().item()
            size += tensor.float().square().sum().item()
    return math.sqrt(difference) / (math.sqrt(size) or 1.0)


def _readme(file: str, digest: str, model: ExHubertForSequenceClassification) -> str:
    """Return the README.md of a converted folder."""
    closed = not any(layer.gate.weight.any() for layer in model.encoder_layers if layer.gate is not None)
    gates = (
        "All gates of the copies are zero: the model computes what the HuBERT before expansion computes."
        if closed
        else "The gates of the copies are not zero: the copies were trained."
    )
    classes = "\n".join(f"| {index} | {emotion} |" for index, emotion in enumerate(EMOTIONS))
    return f"""---
license: cc-by-nc-sa-4.0
base_model: amiriparian/ExHuBERT
library_name: transformers
pipeline_tag: audio-classification
tags:
- speech-emotion-recognition
- exhubert
---

# ExHuBERT, converted

Weights: [amiriparian/ExHuBERT](https://huggingface.co/amiriparian/ExHuBERT), `{file}`, SHA-256 `{digest}`, by
Amiriparian, Packan, Gerczuk and Schuller, licence
[CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/), which holds for this folder too.
Paper: "ExHuBERT: Enhancing HuBERT Through Block Extension and Fine-Tuning on 37 Emotion Datasets", Interspeech 2024,
[arXiv 2406.10275](https://arxiv.org/abs/2406.10275).

Changed: tensors are renamed for serbench's `ExHubertForSequenceClassification`, and the zero gates of the original
layers are left out. No value is changed. {gates}
The logits have not been compared with those of the published code.

| output | class (arousal_valence) |
| --- | --- |
{classes}

Input: mono speech at 16 kHz, normalized per recording. The published model was trained on recordings padded to 3 s
without attention mask; `extractor(..., padding="max_length", max_length=48000, return_attention_mask=False)` does the
same. By default the extractor here returns a mask: padding counts neither in the normalization nor in the model.

```python
from transformers import AutoModelForAudioClassification

model = AutoModelForAudioClassification.from_pretrained("this folder", trust_remote_code=True)
```
"""


if __name__ == "__main__":
    main()
