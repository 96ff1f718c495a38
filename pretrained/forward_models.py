"""Networks that play their roles forwards alone: arrays in, arrays out, no Keras.

Each knows how to become the network with slopes that it stands for, which loads Keras.
"""

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders import compact_graph
from generators import expression_mask_graph, finisher_graph, stylegan2_graph
from generators.expression_lines import POINTS, person
from pretrained import backend, dlib_files
from pretrained.forward import Running
from pretrained.loading import load as load_in_keras
from pretrained.loading import refusing
from pretrained.registry import Library, Row
from scorers import identity_graph
from scorers.dlib_layout import WINDOWS, resampling

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]
Run = Callable[[Floats], Floats]


class Stands:
    """Stands for a network with slopes, which is made when it is asked for."""

    def __init__(self, network: Callable[[], Any]) -> None:
        self._network = network

    @cached_property
    def differentiable(self) -> Any:
        """The network of the same weights in Keras."""
        backend.start()
        return self._network()


def with_slopes(network: Any) -> Any:
    """Return the network in Keras that one stands for, or the one itself."""
    return network.differentiable if isinstance(network, Stands) else network


def on_arrays(network: Any, verb: str) -> Run:
    """Return what a network does as a function of arrays, compiled if it is Keras'."""
    run = getattr(network, verb)
    if isinstance(network, Stands):
        return run
    from keras import ops

    from generators.gradients import compiled

    fast = compiled(run)

    def given_arrays(values: Floats) -> Floats:
        values = np.asarray(values, np.float32)
        return ops.convert_to_numpy(fast(ops.convert_to_tensor(values)))

    return given_arrays


def as_array(values: Any) -> Floats:
    """Return an array as it is, and a tensor as an array."""
    if isinstance(values, np.ndarray):
        return values
    from keras import ops

    return ops.convert_to_numpy(values)


class Generator(Stands):
    """Turns latents (N, rows, width) into images."""

    def __init__(self, row: Row, weights: Weights, network: Callable[[], Any]) -> None:
        super().__init__(network)
        self.resolution, self.crop = row.config["resolution"], row.config["crop"]
        self.mean_latent, self.spread = weights["mean_latent"], weights["spread"]
        self.latent_shape, self.weights = self.mean_latent.shape, weights
        self._axes = weights.get("axes")
        self._styles = 2 * len(row.config["channels"])
        self._decode = Running(stylegan2_graph.network, weights, rank=3)

    def decode(self, latents: Floats) -> Floats:
        """Return images, (N, R, R, 3) in [-1, 1]."""
        return self._decode(latents)

    def sample(self, count: int, *, seed: int) -> Floats:
        """Draw latents from the prior."""
        rng = np.random.default_rng(seed)
        if self._axes is not None:
            noise = rng.standard_normal((count, len(self._axes)), np.float32)
            return self.mean_latent + np.tensordot(noise, self._axes, 1)
        noise = rng.standard_normal((count, *self.latent_shape), np.float32)
        return self.mean_latent + self.spread * noise

    def penalty(self, latents: Floats) -> Floats:
        """Return the mean squared distance from the prior's mean in its own units."""
        offset = (latents - self.mean_latent) / self.spread
        return np.square(offset).mean((1, 2))

    def tied(self, latents: Floats) -> Floats:
        """Return latents whose styles are all one, their mean."""
        tied = latents.copy()
        styles = tied[:, : self._styles]
        styles[:] = styles.mean(1, keepdims=True)
        return tied


class Encoder(Stands):
    """Turns images into latents."""

    looks = 3  # as `encoders.compact.Compact` takes them

    def __init__(self, row: Row, weights: Weights, network: Callable[[], Any]) -> None:
        super().__init__(network)
        self.resolution = row.config["resolution"]
        self._encode = Running(compact_graph.network, weights)

    def encode(self, images: Floats) -> Floats:
        """Return the latents of images; larger ones are shrunk."""
        return self._encode(_shrunk(images, self.resolution))


class Finisher(Stands):
    """Sharpens the mouths that a generator draws."""

    def __init__(self, row: Row, weights: Weights, network: Callable[[], Any]) -> None:
        super().__init__(network)
        self._window = tuple(row.config["window"])
        self._sharpened = Running(finisher_graph.network, weights)

    def finish(self, images: Floats) -> Floats:
        """Return crops (N, R, R, 3) with the window of their mouths sharpened."""
        size = images.shape[1]
        top, bottom, left, right = finisher_graph.edges(self._window, size)
        finished = images.copy()
        window = finished[:, top:bottom, left:right]
        fading = finisher_graph.fading(self._window, size)
        window += fading * (self._sharpened(window) - window)
        return finished


class Mask(Stands):
    """Paints faces of a style and points, and knows whose faces there are."""

    def __init__(self, row: Row, weights: Weights, network: Callable[[], Any]) -> None:
        super().__init__(network)
        self.resolution, self.crop = row.config["resolution"], row.config["crop"]
        self.shapes = {n: weights[n] for n in ("shape_mean", "between", "within")}
        known = (weights[name] for name in ("people_mean", "people", "shape_axes"))
        self._known: Any = tuple(known)
        self.latent_shape = (row.config["style"] + 2 * POINTS,)
        self._decode = Running(expression_mask_graph.network, weights, rank=2)

    def decode(self, latents: Floats) -> Floats:
        """Return images, (N, R, R, 3) in [-1, 1]."""
        return self._decode(latents)

    def person(self, seed: int, other: int = 0) -> tuple[Floats, Floats]:
        """Return the style and the shape, off the mean, of one of a seed's people."""
        return person(*self._known, seed, other)


@cache
def weights_of_dlib() -> Weights:
    """Return what the graph of dlib's network is written with."""
    filters, last = dlib_files.filters()
    weights = {"last": last}
    for i, fused in enumerate(filters):
        own = {"kernel": fused.kernel, "bias": fused.bias}
        weights |= {f"filter{i}.{part}": array for part, array in own.items()}
    return weights


@cache
def network_of_dlib() -> Running:
    """Return what sees (N, 128 + 4096) in chips (N, 150, 150, 3) that dlib has cut."""
    return Running(identity_graph.network, weights_of_dlib())


class Embedder(Stands):
    """Turns crops of one framing into dlib's descriptors."""

    def __init__(self, crop: str = "tight") -> None:
        super().__init__(lambda: dlib_files.identity(crop=crop))
        self.crop = crop
        self._window = WINDOWS[crop]

    def embed(self, images: Floats) -> Floats:
        """Return the descriptors of crops, (N, 128)."""
        return self.sees(images)[0]

    def sees(self, images: Floats) -> tuple[Floats, Floats]:
        """Return the descriptors of crops, and what shapes are read of, (N, 4096)."""
        seen = network_of_dlib()(self._chips(images))
        return seen[:, :128], seen[:, 128:]

    def _chips(self, images: Floats) -> Floats:
        """Cut dlib's framing out of crops, (N, 150, 150, 3)."""
        resolution, (left, top, side) = images.shape[1], self._window
        rows = resampling(resolution, top, side)
        columns = resampling(resolution, left, side)
        tall = np.tensordot(rows, images, (1, 1))  # (150, N, R, 3)
        return np.tensordot(columns, tall, (1, 2)).transpose(2, 1, 0, 3)


FORWARD: Mapping[str, Callable[[Row, Weights, Callable[[], Any]], Stands]] = {
    "stylegan2": Generator,
    "compact": Encoder,
    "finisher": Finisher,
    "expression-mask": Mask,
}


def load(library: Library, name: str, kind: str | None = None) -> Any:
    """Return the network of that name: forwards alone, or in Keras where it must be."""
    row = library.row(name, kind)
    if not runs_forwards(row):
        return load_in_keras(library, name, kind)
    weights = library.weights(name)
    with refusing(name):
        role = FORWARD[row.architecture]
        return role(row, weights, lambda: load_in_keras(library, name, kind))


def runs_forwards(row: Row) -> bool:
    """Tell whether a network runs without Keras, and so on the processor alone."""
    if row.architecture == "stylegan2":
        return stylegan2_graph.can_write(row.config)
    return row.architecture in FORWARD


def _shrunk(images: Floats, resolution: int) -> Floats:
    times = images.shape[1] // resolution
    if times == 1:
        return images
    count, shape = len(images), (resolution, times, resolution, times, -1)
    return images.reshape(count, *shape).mean((2, 4))
