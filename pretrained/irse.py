"""The encoders in the files of pSp and encoder4editing, in the layout of ours."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pretrained.stylegan2 import Imported, Weights
from retouch.errors import WeightsError

LARGEST = 2**29  # numbers in all; the published encoders have half
KINDS = {"Encoder4Editing": "e4e", "GradualStyleEncoder": "psp"}
PREFIX = "encoder."
EPSILON = 1e-5  # of the normalisations
Arrays = dict[str, np.ndarray]


def encoder_kind(data: Mapping[str, Any]) -> str | None:
    """Return of which known kind the encoder in a checkpoint is."""
    settings = data.get("opts")
    if not isinstance(settings, Mapping):
        return None
    if settings.get("input_nc", 3) != 3:
        return None  # ReStyle's read a picture together with its copy
    kind = settings.get("encoder_type")
    return KINDS.get(kind) if isinstance(kind, str) else None


def read_encoder(data: Mapping[str, Any], kind: str) -> Imported | None:
    """Return the encoder within a checkpoint, or None if it holds none."""
    own = {
        str(name).removeprefix(PREFIX): value
        for name, value in data["state_dict"].items()
        if str(name).startswith(PREFIX)
    }
    return convert(own, kind, data.get("latent_avg")) if own else None


def convert(state: Mapping[str, Any], kind: str, mean: Any = None) -> Imported:
    """Return the encoder whose parameters have these names."""
    names = [n for n in state if not n.endswith("num_batches_tracked")]
    weights = Weights({n: state[n] for n in names}, "an encoder of pSp or e4e", LARGEST)
    stem = _folded(weights, "input_layer.0", "input_layer.1", 3)
    found: Arrays = {"stem.kernel": stem[0], "stem.bias": stem[1]}
    found["slopes.slope"] = weights.take("input_layer.2.weight", None)
    shapes = [len(found["slopes.slope"])]
    while f"body.{len(shapes) - 1}.res_layer.0.weight" in weights:
        found |= _unit(weights, len(shapes) - 1, shapes[-1])
        shapes.append(found[f"unit{len(shapes) - 1}.second.kernel"].shape[-1])
    channels = list(dict.fromkeys(shapes))
    units = [shapes[1:].count(c) for c in channels]
    if len(channels) != 4 or min(units) < 1:
        raise WeightsError("its encoder is not made of four sizes of features.")
    width = channels[-1]
    for name, layer, inputs in (("middle", 1, channels[2]), ("fine", 2, channels[1])):
        found |= _plain(weights, f"latlayer{layer}", name, inputs, width, 1)
    rows, halvings = _heads(weights, found, width)
    weights.check_all_taken()
    found["mean"] = _mean(mean, kind, rows, width)
    config = {
        "layers": rows,
        "kind": kind,
        "resolution": 16 << halvings,
        "channels": channels,
        "units": units,
        "squeeze": channels[0] // found["unit0.down.kernel"].shape[-1],
        "width": width,
    }
    return Imported(kind, config, found)


def _unit(weights: Weights, index: int, inputs: int) -> Arrays:
    name, own = f"body.{index}.res_layer", f"unit{index}"
    scale, shift = _norm(weights, f"{name}.0", inputs)
    first = _kernel(weights, f"{name}.1", inputs, None, 3)
    outputs = first.shape[-1]
    second, bias = _folded(weights, f"{name}.3", f"{name}.4", outputs)
    down = _kernel(weights, f"{name}.5.fc1", outputs, None, 1)
    found = {
        "scale": scale,
        "shift": shift,
        "first.kernel": first,
        "slopes.slope": weights.take(f"{name}.2.weight", outputs),
        "second.kernel": second,
        "second.bias": bias,
        "down.kernel": down,
        "up.kernel": _kernel(weights, f"{name}.5.fc2", down.shape[-1], outputs, 1),
    }
    if inputs != outputs:
        short = f"body.{index}.shortcut_layer"
        kernel, bias = _folded(weights, f"{short}.0", f"{short}.1", inputs, 1)
        found |= {"short.kernel": kernel, "short.bias": bias}
    return {f"{own}.{key}": value for key, value in found.items()}


def _heads(weights: Weights, found: Arrays, width: int) -> tuple[int, int]:
    """Take the heads; return how many they are, and how often the first halves."""
    rows = halvings = 0
    while f"styles.{rows}.linear.weight" in weights:
        name, own, count = f"styles.{rows}", f"head{rows}", 0
        while f"{name}.convs.{2 * count}.weight" in weights:
            part = f"{name}.convs.{2 * count}"
            found |= _plain(weights, part, f"{own}.halve{count}", width, width, 3)
            count += 1
        halvings = halvings or count
        kernel = weights.take(f"{name}.linear.weight", width, width).T
        kernel = kernel / np.float32(math.sqrt(width))
        found[f"{own}.last.kernel"] = kernel[None, None]
        found[f"{own}.last.bias"] = weights.take(f"{name}.linear.bias", width)
        rows += 1
    if not rows:
        raise WeightsError("its encoder has no heads.")
    return rows, halvings


def _kernel(
    weights: Weights, name: str, inputs: int, outputs: int | None, side: int
) -> np.ndarray:
    kernel = weights.take(f"{name}.weight", outputs, inputs, side, side)
    return kernel.transpose(2, 3, 1, 0)


def _plain(
    weights: Weights, name: str, own: str, inputs: int, outputs: int, side: int
) -> Arrays:
    kernel = _kernel(weights, name, inputs, outputs, side)
    bias = weights.take(f"{name}.bias", outputs)
    return {f"{own}.kernel": kernel, f"{own}.bias": bias}


def _norm(weights: Weights, name: str, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a normalisation multiplies by and adds."""
    parts = ("weight", "bias", "running_mean", "running_var")
    gain, bias, mean, power = (weights.take(f"{name}.{p}", channels) for p in parts)
    scale = gain / np.sqrt(power + np.float32(EPSILON))
    return scale, bias - scale * mean


def _folded(
    weights: Weights, name: str, norm: str, inputs: int, side: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return a convolution that does what the normalisation after it did too."""
    kernel = _kernel(weights, name, inputs, None, side)
    scale, shift = _norm(weights, norm, kernel.shape[-1])
    return kernel * scale, shift


def _mean(mean: Any, kind: str, rows: int, width: int) -> np.ndarray:
    """Return the latent that the heads' rows are added to."""
    if mean is None:
        return np.zeros((rows, width), np.float32)
    if not isinstance(mean, np.ndarray) or mean.shape not in (
        (width,),
        (1, width),
        (rows, width),
    ):
        raise WeightsError("its average latent does not fit the encoder.")
    taken = Weights({"latent_avg": mean}).take("latent_avg", *mean.shape)
    return np.broadcast_to(taken, (rows, width)).copy()
