"""Everybody's StyleGAN2 weights, turned into the layout of `generators.stylegan2`.

A dialect reads one family of files into `Source`, whose values are those that take
part in the arithmetic: what an implementation multiplies at run time is folded in.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retouch.errors import WeightsError

SAMPLES = 4096  # draws of z that tell the spread of w
LARGEST = 2**27  # numbers in all; the largest published network has a quarter
RESOLUTIONS = tuple(4 << n for n in range(1, 10))  # 8 to 2048
SMOOTH = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


@dataclass(frozen=True)
class Layer:
    """A convolution whose inputs are scaled by a style."""

    kernel: np.ndarray  # (k, k, inputs, outputs)
    bias: np.ndarray  # (outputs,)
    style_kernel: np.ndarray  # (width, inputs)
    style_bias: np.ndarray  # (inputs,)
    noise: np.ndarray | None = None  # (size, size)
    strength: float = 0.0


@dataclass(frozen=True)
class Source:
    """A network as its file has it, in plain terms."""

    dense: list[tuple[np.ndarray, np.ndarray]]  # kernel (in, out) and bias
    constant: np.ndarray  # (4, 4, channels)
    layers: dict[tuple[int, str], Layer]  # (8, "up"), (8, "conv"), (8, "rgb")
    mean: np.ndarray | None  # (width,) or (layers, width)
    clamp: float | None = None

    @property
    def noisy(self) -> bool:
        return any(layer.noise is not None for layer in self.layers.values())


@dataclass(frozen=True)
class Imported:
    """A network in our layout."""

    origin: str
    config: dict[str, Any]
    weights: dict[str, np.ndarray] = field(repr=False)


class Weights:
    """Arrays by name, each taken once, so that what nobody took is noticed."""

    def __init__(
        self, arrays: Mapping[str, Any], what: str = "a StyleGAN2", most: int = 0
    ):
        self.arrays, self.left = arrays, set(arrays)
        self.what, self.most = what, most or LARGEST
        self.room = self.most

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def take(self, name: str, *shape: int | None) -> np.ndarray:
        """Return an array as float32; None in the shape allows any size."""
        value = self.arrays.get(name)
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            raise WeightsError(f"it lacks the weight {name!r} of {self.what}.")
        fits = value.ndim == len(shape) and all(
            wanted in (None, size)
            for wanted, size in zip(shape, value.shape, strict=True)
        )
        steps = zip(value.shape, value.strides, strict=True)
        if not fits or any(size > 1 and step == 0 for size, step in steps):
            raise WeightsError(
                f"its {name!r} has the shape {value.shape} and strides {value.strides}."
            )
        self.left.discard(name)
        self.room -= value.size
        if self.room < 0:
            raise WeightsError(f"it has more than {self.most:,} weights.")
        value = value.astype(np.float32)
        if not np.isfinite(value).all():
            raise WeightsError(f"its {name!r} holds numbers that are not finite.")
        return value

    def take_filter(self, name: str) -> None:
        """Take a resampling filter, if it is there: only the usual one is known."""
        if name in self:
            found = self.take(name, 4, 4)
            if not np.allclose(found, SMOOTH * found.sum(), rtol=1e-4):
                raise WeightsError(f"its {name!r} is another filter than [1, 3, 3, 1].")

    def check_all_taken(self) -> None:
        if self.left:
            raise WeightsError(
                f"it has weights unlike those of {self.what} that is known:"
                f" {min(self.left)[:80]!r} and {len(self.left) - 1} more."
            )


def assemble(source: Source, origin: str, crop: str = "ffhq") -> Imported:
    """Return the network in our layout."""
    sizes = sorted(size for size, kind in source.layers if kind == "rgb")
    channels = [len(source.layers[size, "conv"].bias) for size in sizes]
    width = source.dense[-1][0].shape[1]
    config = {
        "resolution": sizes[-1],
        "channels": channels,
        "width": width,
        "inputs": source.dense[0][0].shape[0],
        "depth": len(source.dense),
        "noise": source.noisy,
        "clamp": source.clamp,
        "crop": crop,
    }
    weights = {"constant": source.constant[None]}
    for size in sizes:
        weights |= _block(source, size)
    weights |= _mapping(source, (2 * len(sizes), width))
    for name, weight in weights.items():
        if not np.isfinite(weight).all():
            raise WeightsError(f"its weights are so large that {name} is infinite.")
    return Imported(origin, config, weights)


def _block(source: Source, size: int) -> dict[str, np.ndarray]:
    weights, prefix = {}, f"b{size}"
    for kind in ("up", "conv", "rgb"):
        if (size, kind) not in source.layers:
            continue
        layer = source.layers[size, kind]
        # A transposed convolution takes (k, k, outputs, inputs).
        kernel = layer.kernel.swapaxes(2, 3) if kind == "up" else layer.kernel
        weights[f"{prefix}.{kind}.kernel"] = kernel
        weights[f"{prefix}.{kind}.bias"] = layer.bias
        weights[f"{prefix}.{kind}.style.kernel"] = layer.style_kernel
        weights[f"{prefix}.{kind}.style.bias"] = layer.style_bias
    return weights | _noise(source, size)


def _noise(source: Source, size: int) -> dict[str, np.ndarray]:
    kinds = [kind for kind in ("up", "conv") if (size, kind) in source.layers]
    layers = [source.layers[size, kind] for kind in kinds]
    fields = [layer.noise for layer in layers if layer.noise is not None]
    if not source.noisy:
        return {}
    if len(fields) != len(layers):
        raise WeightsError(f"its layers of {size} px do not all have noise.")
    strengths = np.array([layer.strength for layer in layers], np.float32)
    return {f"b{size}.noise": np.stack(fields), f"b{size}.strength": strengths}


def _mapping(source: Source, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    weights = {}
    for i, (kernel, bias) in enumerate(source.dense):
        weights[f"mapping.dense{i}.kernel"] = kernel
        weights[f"mapping.dense{i}.bias"] = bias
    draws = _draws(source.dense)
    mean = draws.mean(0) if source.mean is None else source.mean
    weights["mean_latent"] = np.broadcast_to(mean, shape).astype(np.float32)
    weights["spread"] = np.broadcast_to(draws.std(0), shape).astype(np.float32)
    return weights


def _draws(dense: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return w for normal z, (SAMPLES, width); fewer if the mapping is huge."""
    rng = np.random.default_rng(0)
    cost = sum(kernel.size for kernel, _ in dense)
    count = min(SAMPLES, max(2, 2**35 // cost))
    x = rng.standard_normal((count, dense[0][0].shape[0]), np.float32)
    x /= np.sqrt(np.square(x).mean(1, keepdims=True) + 1e-8)
    for kernel, bias in dense:
        x = x @ kernel + bias
        x = np.maximum(x, 0.2 * x) * np.float32(math.sqrt(2))
    return x
