"""The encoder of the VQ-VAE: an image becomes a coarse and a fine map of vectors."""

import math
from dataclasses import dataclass

import keras
from keras import ops

from encoders.compact import Halving
from generators.layers import Convolution
from generators.mixing import Residual, flat

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int = 128
    channels: tuple[int, ...] = (24, 64, 80)  # from half the resolution down
    width: int = 4


# --- the encoder --------------------------------------------------------------


class Maps(keras.Model):
    """Turns images into latents: both maps before they are quantised, in a row."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config = config
        inputs = (3, *config.channels)
        self.stages = []
        for i, (a, b) in enumerate(zip(inputs, config.channels, strict=False)):
            half = Halving(a, b, name=f"half{i}")
            self.stages.append((half, Residual(b, name=f"residual{i}")))
        _, fine, coarse = config.channels
        kw = {"activate": False}
        self.fine = Convolution(fine, config.width, 3, name="fine", **kw)
        self.coarse = Convolution(coarse, config.width, 3, name="coarse", **kw)
        self.built = True

    def call(self, images):
        return self.encode(images)

    def encode(self, images):
        """Return the latents of images, (N, size)."""
        seen = []
        for half, residual in self.stages:
            images = residual(half(images))
            seen.append(images)
        maps = self.coarse(seen[-1]), self.fine(seen[-2])
        return ops.concatenate([ops.cast(flat(m), "float32") for m in maps], 1)

    @property
    def size(self) -> int:
        """How many numbers a latent has."""
        coarse = self.config.resolution >> len(self.config.channels)
        return 5 * math.prod((coarse, coarse, self.config.width))
