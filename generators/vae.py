"""The decoder of a variational autoencoder (Kingma and Welling, 2014).

A latent is 500 numbers whose prior is the unit normal: as a grid of tokens they are
spread over 8 x 8 places, mixed, and painted.
"""

from dataclasses import dataclass

import keras
from keras import ops

from generators.mixing import Exchange, checked, drawn, furnish

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int = 128
    channels: tuple[int, ...] = (160, 112, 64, 24)  # small images to large
    tokens: int = 25
    width: int = 20  # numbers in a token
    mixers: int = 3
    axes: int = 0  # along which samples are drawn; 0 takes the unit normal
    crop: str = "tight"

    @property
    def size(self) -> int:
        """How many numbers a latent has."""
        return self.tokens * self.width

    @property
    def side(self) -> int:
        return self.resolution >> len(self.channels)


# --- the decoder --------------------------------------------------------------


class VAE(keras.Model):
    """Turns latents (N, size) into images."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        ends = config.tokens, config.side**2
        widths = config.width, config.channels[0]
        self.place = Exchange(ends, widths, name="place")
        furnish(self, config)
        self.built = True

    def call(self, latents):
        return self.decode(latents)

    def decode(self, latents):
        """Return the images (N, R, R, 3) of latents."""
        config = self.config
        latents = checked(latents, config.size, "a VAE")
        tokens = ops.reshape(latents, (-1, config.tokens, config.width))
        return ops.cast(self.canvas(self.place(tokens)), "float32")

    def sample(self, count: int, *, seed: int):
        """Draw latents from the prior."""
        return drawn(self, count, seed)

    def penalty(self, latents):
        """Return the mean square of each latent: the prior is the unit normal."""
        return ops.mean(ops.square(latents), 1)
