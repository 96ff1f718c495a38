"""Layers of the variational networks: tokens that mix, and images that grow.

Tokens are mixed across places and across channels in turn (MLP-Mixer, Tolstikhin et
al., 2021): at 8 x 8 that sees the whole face for a hundredth of a dense layer's
weights. Images grow by turning channels into pixels.
"""

import math
from itertools import pairwise

import keras
import numpy as np
from keras import ops

from generators.layers import GAIN, Affine, Convolution

# --- layers -------------------------------------------------------------------


class Mixer(keras.layers.Layer):
    """Mixes tokens (N, T, C): across places, then across channels."""

    def __init__(self, tokens: int, channels: int, **kw):
        super().__init__(**kw)
        name = self.name
        self.gather = Affine(tokens, tokens, activate=True, name=f"{name}.gather")
        self.spread = Affine(tokens, tokens, name=f"{name}.spread")
        self.widen = Affine(channels, channels, activate=True, name=f"{name}.widen")
        self.narrow = Affine(channels, channels, name=f"{name}.narrow")
        self.built = True

    def call(self, tokens):
        across = self.spread(self.gather(ops.swapaxes(tokens, 1, 2)))
        tokens = (tokens + ops.swapaxes(across, 1, 2)) / GAIN
        return (tokens + self.narrow(self.widen(tokens))) / GAIN


class Exchange(keras.layers.Layer):
    """Turns some tokens of some channels into others of others, linearly."""

    def __init__(self, ends: tuple[int, int], widths: tuple[int, int], **kw):
        super().__init__(**kw)
        self.channels = Affine(*widths, name=f"{self.name}.channels")
        self.places = Affine(*ends, name=f"{self.name}.places")
        self.built = True

    def call(self, tokens):
        tokens = ops.swapaxes(self.channels(tokens), 1, 2)
        return ops.swapaxes(self.places(tokens), 1, 2)


class Residual(keras.layers.Layer):
    """Two convolutions around which the image passes."""

    def __init__(self, channels: int, **kw):
        super().__init__(**kw)
        self.first = Convolution(channels, channels, name=f"{self.name}.first")
        self.second = Convolution(channels, channels, name=f"{self.name}.second")
        self.built = True

    def call(self, images):
        return (images + self.second(self.first(images))) / GAIN


class Doubling(keras.layers.Layer):
    """Mixes the channels of images into four times as many, and unfolds them."""

    def __init__(self, inputs: int, outputs: int, size=1, *, activate=True, **kw):
        super().__init__(**kw)
        name = f"{self.name}.mix"
        self.mix = Convolution(inputs, 4 * outputs, size, activate=activate, name=name)
        self.built = True

    def call(self, images):
        images = self.mix(images)
        h, w, c = images.shape[1:]
        images = ops.reshape(images, (-1, h, w, 2, 2, c // 4))
        images = ops.transpose(images, (0, 1, 3, 2, 4, 5))
        return ops.reshape(images, (-1, 2 * h, 2 * w, c // 4))


class Canvas(keras.layers.Layer):
    """Paints tokens (N, side * side, C) as images of 2 ** len(channels) the side."""

    def __init__(self, channels: tuple[int, ...], side: int, mixers: int, **kw):
        super().__init__(**kw)
        tokens, self.side = side**2, side
        self.mixers = [
            Mixer(tokens, channels[0], name=f"mixer{i}") for i in range(mixers)
        ]
        self.stages = []
        for i, (a, b) in enumerate(pairwise(channels)):
            self.stages.append(Doubling(a, b, name=f"double{i}"))
            self.stages.append(Residual(b, name=f"residual{i}"))
        self.last = Doubling(channels[-1], 3, 3, activate=False, name="last")
        self.built = True

    def call(self, tokens):
        for mixer in self.mixers:
            tokens = mixer(tokens)
        images = ops.reshape(tokens, (-1, self.side, self.side, tokens.shape[-1]))
        for stage in self.stages:
            images = stage(images)
        return self.last(images)


def furnish(model: keras.Model, config) -> None:
    """Give a decoder of tokens its canvas, and where its samples lie."""
    model.config = config
    model.resolution, model.crop = config.resolution, config.crop
    model.latent_shape = (config.size,)
    model.canvas = Canvas(config.channels, config.side, config.mixers, name="canvas")
    model.mean_latent = model.add_weight(
        model.latent_shape, "zeros", trainable=False, name="mean_latent"
    )
    if config.axes:
        # Where the encoder puts faces is a thin part of where the prior would.
        model.spread = model.add_weight(
            (config.axes, config.size), "zeros", trainable=False, name="spread"
        )


# --- latents ------------------------------------------------------------------


def checked(latents, size: int, name: str):
    """Return latents (N, size) if that is their shape."""
    if len(latents.shape) != 2 or latents.shape[1] != size:
        raise ValueError(
            f"Latents of {name} have the shape (N, {size}); got {tuple(latents.shape)}."
            " Use latents that were encoded by the same network."
        )
    return latents


def flat(tokens):
    """Return tokens (N, T, C) or images as rows (N, size)."""
    return ops.reshape(tokens, (-1, math.prod(tokens.shape[1:])))


def drawn(model, count: int, seed: int):
    """Draw latents of a model: of the unit normal, or along its own axes."""
    rng = np.random.default_rng(seed)
    if not model.config.axes:
        noise = rng.standard_normal((count, *model.latent_shape), np.float32)
        return ops.convert_to_tensor(noise)
    noise = rng.standard_normal((count, model.config.axes), np.float32)
    return model.mean_latent + ops.matmul(ops.convert_to_tensor(noise), model.spread)
