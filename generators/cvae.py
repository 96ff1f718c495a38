"""The decoder of a conditional variational autoencoder (Sohn et al., 2015).

A latent is 256 free numbers followed by named conditions in deviations of the
population: an attribute is a unit vector.
"""

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops

from generators import vae
from generators.layers import Affine
from generators.mixing import Exchange, checked, drawn, furnish

EXTRA = 8  # tokens that hold the conditions

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config(vae.Config):
    """What fixes the shape of every weight, and the names of the conditions."""

    tokens: int = 16
    width: int = 16  # numbers in a token
    conditions: tuple[str, ...] = field(kw_only=True)

    @property
    def free(self) -> int:
        """How many numbers of a latent have no name."""
        return self.tokens * self.width

    @property
    def size(self) -> int:
        return self.free + len(self.conditions)


# --- the decoder --------------------------------------------------------------


class CVAE(keras.Model):
    """Turns latents (N, free + conditions) into images."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.conditions = config.conditions
        count, width = len(config.conditions), config.width
        self.tell = Affine(count, EXTRA * width, name="tell")
        ends = config.tokens + EXTRA, config.side**2
        self.place = Exchange(ends, (width, config.channels[0]), name="place")
        furnish(self, config)
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
