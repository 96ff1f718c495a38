"""The finisher: makes mouths sharp that a generator drew soft.

A residual network of three scales, learnt from pairs of copy and original and from
mouths that moves draw: it adds what tells single teeth apart.
"""

from dataclasses import dataclass

import keras
from keras import ops

from generators.finisher_graph import Window, edges, fading
from generators.layers import Convolution, leaky

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight, and where it is to be used."""

    resolution: int = 256  # of the crops whose mouths it learnt from
    width: int = 32  # channels, twice as many at half the size and thrice at a quarter
    deep: int = 3  # blocks at either
    # Where mouths lie, in parts of a crop: top, bottom, left, right.
    window: Window = (0.46875, 0.984375, 0.21875, 0.78125)


# --- layers -------------------------------------------------------------------


class Halving(keras.layers.Layer):
    """A convolution of four by four that halves the size."""

    def __init__(self, inputs: int, outputs: int, **kw):
        super().__init__(**kw)
        self.kernel = self.add_weight(
            (4, 4, inputs, outputs), "glorot_normal", name="kernel"
        )
        self.bias = self.add_weight((outputs,), "zeros", name="bias")
        self.built = True

    def call(self, images):
        images = ops.conv(images, self.kernel, 2, "same")
        return leaky(images, -self.bias) * 2**0.5


class Doubling(keras.layers.Layer):
    """A convolution whose channels become two by two pixels."""

    def __init__(self, inputs: int, outputs: int, **kw):
        super().__init__(**kw)
        self.mix = Convolution(inputs, 4 * outputs, name=f"{self.name}.mix")
        self.built = True

    def call(self, images):
        images = self.mix(images)
        height, width, channels = images.shape[1:]
        images = ops.reshape(images, (-1, height, width, 2, 2, channels // 4))
        images = ops.transpose(images, (0, 1, 3, 2, 4, 5))
        return ops.reshape(images, (-1, 2 * height, 2 * width, channels // 4))


# --- the finisher -------------------------------------------------------------


class Finisher(keras.Model):
    """Sharpens images (N, H, W, 3) in [-1, 1], H and W multiples of four."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config, width = config, config.width
        self.first = Convolution(3, width, name="first")
        self.second = Convolution(width, width, name="second")
        self.half = Halving(width, 2 * width, name="half")
        self.quarter = Halving(2 * width, 3 * width, name="quarter")
        self.deepest = _blocks(config.deep, 3 * width, "deepest")
        self.up = Doubling(3 * width, 2 * width, name="up")
        self.deep = _blocks(config.deep, 2 * width, "deep")
        self.back = Doubling(2 * width, width, name="back")
        self.last = Convolution(width, width, name="last")
        self.colours = Convolution(width, 3, activate=False, name="colours")
        self.built = True

    def call(self, images):
        fine = self.first(images)
        fine = _both(fine, self.second(fine))
        deep = self.half(fine)
        deepest = self.quarter(deep)
        for block in self.deepest:
            deepest = _both(deepest, block(deepest))
        deep = _both(deep, self.up(deepest))
        for block in self.deep:
            deep = _both(deep, block(deep))
        fine = _both(fine, self.last(_both(fine, self.back(deep))))
        return images + self.colours(fine)

    def finish(self, images):
        """Return crops (N, R, R, 3) with the window of their mouths sharpened."""
        size = images.shape[1]
        top, bottom, left, right = edges(self.config.window, size)
        own = images[:, top:bottom, left:right]
        added = fading(self.config.window, size) * (self(own) - own)
        around = [(0, 0), (top, size - bottom), (left, size - right), (0, 0)]
        return images + ops.pad(added, around)


def _blocks(count: int, width: int, name: str) -> list[Convolution]:
    return [Convolution(width, width, name=f"{name}{i}") for i in range(count)]


def _both(some, more):
    """Return the sum of two images whose variance is nearly that of each."""
    return (some + more) * 0.7
