"""The decoder of a conditional variational autoencoder (Sohn et al., 2015).

A latent is 256 free numbers followed by named conditions in deviations of the
population: an attribute is a unit vector.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from generators.layers import Affine
from generators.mixing import Canvas, Exchange, checked, drawn

EXTRA = 8  # tokens that hold the conditions

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight, and the names of the conditions."""

    conditions: tuple[str, ...]
    resolution: int = 128
    channels: tuple[int, ...] = (160, 112, 64, 24)  # small images to large
    tokens: int = 16
    width: int = 16  # numbers in a token
    mixers: int = 3
    axes: int = 0  # along which samples are drawn; 0 takes the unit normal
    crop: str = "tight"

    @property
    def free(self) -> int:
        """How many numbers of a latent have no name."""
        return self.tokens * self.width

    @property
    def size(self) -> int:
        return self.free + len(self.conditions)

    @property
    def side(self) -> int:
        return self.resolution >> len(self.channels)


# --- the decoder --------------------------------------------------------------


class CVAE(keras.Model):
    """Turns latents (N, free + conditions) into images."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config, self.conditions = config, config.conditions
        self.resolution, self.crop = config.resolution, config.crop
        self.latent_shape = (config.size,)
        count, width = len(config.conditions), config.width
        self.tell = Affine(count, EXTRA * width, name="tell")
        ends = config.tokens + EXTRA, config.side**2
        self.place = Exchange(ends, (width, config.channels[0]), name="place")
        self.canvas = Canvas(config.channels, config.side, config.mixers, name="canvas")
        self.mean_latent = self.add_weight(
            self.latent_shape, "zeros", trainable=False, name="mean_latent"
        )
        if config.axes:
            # Where the encoder puts faces is a thin part of where the prior would.
            self.spread = self.add_weight(
                (config.axes, config.size), "zeros", trainable=False, name="spread"
            )
        self.built = True

    def call(self, latents):
        return self.decode(latents)

    def decode(self, latents):
        """Return the images (N, R, R, 3) of latents."""
        latents = checked(latents, self.config.size, "a CVAE")
        width = self.config.width
        free = latents[:, : self.config.free]
        told = self.tell(latents[:, self.config.free :])
        parts = ops.cast(free, told.dtype), told
        tokens = [
            ops.reshape(part, (-1, part.shape[1] // width, width)) for part in parts
        ]
        tokens = ops.concatenate(tokens, 1)
        return ops.cast(self.canvas(self.place(tokens)), "float32")

    def sample(self, count: int, *, seed: int, conditions=None):
        """Draw latents from the prior.

        Args:
            conditions: (count, conditions); drawn too if not given.
        """
        latents = drawn(self, count, seed)
        if conditions is None:
            return latents
        told = ops.convert_to_tensor(np.asarray(conditions, np.float32))
        return ops.concatenate([latents[:, : self.config.free], told], 1)

    def penalty(self, latents):
        """Return the mean square of each latent: the prior is the unit normal."""
        return ops.mean(ops.square(latents), 1)
