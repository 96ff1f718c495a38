"""A small residual encoder: an image becomes styles near one w, and a spatial code.

The styles are a common row plus a deviation for each layer, as encoder4editing
(Tov et al., 2021) has them; the code holds what styles cannot: where things lie.
Generators that start from a constant have none.
"""

import math
from dataclasses import dataclass

import keras
from keras import ops

from generators.layers import Affine, Convolution
from generators.mixing import Residual

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int  # of the pictures that it reads; larger ones are shrunk
    channels: tuple[int, ...]  # from half the resolution down to the code's
    layers: int  # styles to give
    width: int
    code: int  # channels of the spatial code; 0 gives none
    neck: int = 512

    @property
    def side(self) -> int:
        return self.resolution >> len(self.channels)


# --- layers -------------------------------------------------------------------


class Halving(keras.layers.Layer):
    """Folds 2 x 2 pixels into channels, then mixes the channels."""

    def __init__(self, inputs: int, outputs: int, **kw):
        super().__init__(**kw)
        self.mix = Convolution(4 * inputs, outputs, 1, name=f"{self.name}.mix")
        self.built = True

    def call(self, images):
        h, w, c = images.shape[1:]
        images = ops.reshape(images, (-1, h // 2, 2, w // 2, 2, c))
        images = ops.transpose(images, (0, 1, 3, 2, 4, 5))
        return self.mix(ops.reshape(images, (-1, h // 2, w // 2, 4 * c)))


# --- the encoder --------------------------------------------------------------


class Compact(keras.Model):
    """Turns images into latents (N, layers + code rows, width)."""

    looks = 3  # at its own copies: 29.4 dB became 30.1

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config = config
        inputs = (3, *config.channels)
        self.stages = []
        for i, (a, b) in enumerate(zip(inputs, config.channels, strict=False)):
            self.stages.append(Halving(a, b, name=f"half{i}"))
            self.stages.append(Residual(b, name=f"residual{i}"))
        last = config.channels[-1]
        self.place = None
        if config.code:
            self.place = Convolution(last, config.code, 1, activate=False, name="place")
        self.narrow = Halving(last, last // 2, name="narrow")
        flat = (config.side // 2) ** 2 * (last // 2)
        self.dense = Affine(flat, config.neck, activate=True, name="dense")
        self.common = Affine(config.neck, config.width, name="common")
        self.deviation = Affine(
            config.neck, config.layers * config.width, scale=0.1, name="deviation"
        )
        self.built = True

    def call(self, images):
        return self.encode(images)

    def encode(self, images):
        """Return the latents of images."""
        common, deviations, code = self.parts(images)
        return ops.concatenate([common + deviations, code], 1)

    def parts(self, images):
        """Return the common row, the deviations from it and the rows of the code."""
        features = self._shrunk(images)
        for stage in self.stages:
            features = stage(features)
        flat = self.narrow(features)
        flat = ops.reshape(flat, (-1, math.prod(flat.shape[1:])))
        vectors = self.dense(flat)
        common = self.common(vectors)[:, None]
        deviations = self.deviation(vectors)
        rows = (-1, self.config.layers, self.config.width)
        parts = common, ops.reshape(deviations, rows), self._code(features)
        return tuple(ops.cast(part, "float32") for part in parts)

    def _code(self, features):
        width = self.config.width
        rows = self.config.side**2 * self.config.code // width
        cells = self.place(features) if self.place else features[..., :0]
        return ops.reshape(cells, (ops.shape(features)[0], rows, width))

    def _shrunk(self, images):
        times = images.shape[1] // self.config.resolution
        return images if times == 1 else ops.average_pool(images, times)
