"""YAMNet, with our own network (`models.yamnet`), from the torch port's file or from Google's yamnet.h5."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..encoder import Clip, EncoderError, ExtraError
from ..opening import Opening
from .vggish import ExampleEncoder

if TYPE_CHECKING:
    from torch import Tensor

_KERAS = re.compile(r"(layer\d+)/(conv|depthwise_conv|pointwise_conv)(?:/bn)?/(\w+):0$")
"""The end of a variable's name in yamnet.h5, for example layer2/depthwise_conv/bn/beta:0."""

_NAMES = {
    "kernel": "conv.weight",
    "depthwise_kernel": "conv.weight",
    "beta": "bn.bias",
    "moving_mean": "bn.running_mean",
    "moving_variance": "bn.running_var",
}


def open(opening: Opening) -> ExampleEncoder:  # noqa: A001
    """Open YAMNet.

    Raises:
        EncoderError: the weights cannot be read or do not fit.
        ExtraError: the weights are a Keras file, and h5py is not installed.
    """
    from ..models.vggish import HOP
    from ..models.yamnet import PATCH_HOP, WIDTH, YAMNet
    from ..weights import load_strictly, read_state, revision_of, weights_file

    path = weights_file(opening)
    what = f"Encoder {opening.name} (weights of {path.name})"
    model = YAMNet()
    state = read_keras(path) if path.suffix == ".h5" else without_gain(read_state(path), what)
    load_strictly(model, state, what)
    return ExampleEncoder(
        opening,
        model,
        cut,
        revision=revision_of(path),
        width=WIDTH,
        hop=PATCH_HOP * HOP,
        rest="zeros at the end, to whole hops",
    )


def cut(clip: Clip) -> "Tensor":
    """Return the patches of a clip, float32 (P, 1, 96, 64)."""
    import torch

    from ..models.yamnet import patches

    return patches(torch.from_numpy(clip.wave))


def without_gain(state: "Mapping[str, Tensor]", what: str) -> "dict[str, Tensor]":
    """Return the tensors of the embedding: no classifier, and no gains of norms, which the original does not have.

    Args:
        state: tensors by the keys of the torch port, whose norms have gains, all 1.
        what: names encoder and file in messages.

    Raises:
        EncoderError: a gain is not 1.
    """
    kept = {}
    for key, tensor in state.items():
        if key.endswith("bn.weight"):
            if not (tensor == 1).all():
                raise EncoderError(f"{what}: norms of YAMNet have no gain; {key} is not 1. Name YAMNet's own weights.")
        elif not key.startswith("classifier.") and not key.endswith("num_batches_tracked"):
            kept[key] = tensor
    return kept


def read_keras(path: Path) -> "dict[str, Tensor]":
    """Return the tensors in Google's yamnet.h5 by the keys of the network.

    Kernels are (height, width, in, out) there, depthwise ones (height, width, channel, 1).

    Raises:
        EncoderError: the file is no HDF5.
        ExtraError: h5py is not installed.
    """
    import torch

    try:
        import h5py
    except ImportError as error:
        raise ExtraError(
            f"Weights {path.name}: Keras files need h5py, which is not installed. Run: pip install 'serbench[yamnet]'; "
            "or name yamnet.pth of the torch port, which needs nothing."
        ) from error
    state = {}

    def keep(name: str, entry: object) -> None:
        found = _KERAS.search(name)
        if not isinstance(entry, h5py.Dataset) or not found:
            return
        layer, convolution, variable = found.groups()
        value = torch.from_numpy(entry[()]).float()
        if variable == "depthwise_kernel":
            value = value.permute(2, 3, 0, 1)
        elif variable == "kernel":
            value = value.permute(3, 2, 0, 1)
        part = "fused" if convolution == "conv" else convolution
        state[f"{layer}.{part}.{_NAMES.get(variable, variable)}"] = value.contiguous()

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
    except OSError as error:
        raise EncoderError(f"Weights {path.name}: must be an HDF5 file; {error}. Fetch it again.") from error
    return state
