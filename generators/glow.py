"""Glow: a flow of invertible steps between images and noise (Kingma, Dhariwal, 2018).

After each level half of the channels leave as noise, whose mean and spread the
other half foretells. Encoding is exact, so that the generator is its own encoder,
and every image has a likelihood.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from generators.flows import Prior, Step, folded, unfolded

GREYS = 256  # values of an 8-bit channel; none of them is given up
LOG_TAU = math.log(2 * math.pi)

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int
    steps: tuple[int, ...]  # of each level, the largest images first
    hidden: tuple[int, ...]  # channels inside the couplings of each level
    crop: str = "tight"

    def __post_init__(self):
        if not self.steps or len(self.steps) != len(self.hidden):
            raise ValueError("Each level needs its steps and its hidden channels.")
        if self.resolution % (1 << len(self.steps)):
            raise ValueError(
                f"{self.resolution} px cannot be halved {len(self.steps)} times."
            )

    def channels(self, level: int) -> int:
        return 12 << level

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """The parts of the latent, in the order in which they leave."""
        sides = [self.resolution >> (i + 1) for i in range(len(self.steps))]
        parts = [(s, s, self.channels(i) // 2) for i, s in enumerate(sides)]
        *parts, last = parts
        return [*parts, (*last[:2], 2 * last[2])]


# --- the generator ------------------------------------------------------------


class Glow(keras.Model):
    """Turns flat noise (N, R * R * 3) into images, and images into their noise."""

    exact = True  # encoding needs no search after it

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config, self.resolution = config, config.resolution
        self.crop, self.latent_shape = config.crop, (config.resolution**2 * 3,)
        self.levels, self.priors = [], []
        kw = {"dtype": self.dtype_policy}
        for i, hidden in enumerate(config.hidden):
            channels = config.channels(i)
            steps = range(config.steps[i])
            self.levels.append(
                [Step(channels, hidden, n, name=f"l{i}.s{n}", **kw) for n in steps]
            )
            if i < len(config.hidden) - 1:
                self.priors.append(Prior(channels, name=f"l{i}.prior", **kw))
        last, kw = config.shapes[-1], {"dtype": "float32"}
        self.centre = self.add_weight(last, "zeros", name="centre", **kw)
        self.log_spread = self.add_weight(last, "zeros", name="log_spread", **kw)
        self.mean_latent = ops.zeros(self.latent_shape)
        self.built = True

    def call(self, latents):
        return self.decode(latents)

    def encode(self, images):
        """Return the noise that images are made of, exactly."""
        return self.parted(_centred(images))[0]

    def decode(self, latents):
        """Return the images that noise makes."""
        parts = self._parts(latents)
        images = self.centre + parts.pop() * ops.exp(self.log_spread)
        for i in reversed(range(len(self.levels))):
            if i < len(self.priors):
                images = self.priors[i].inverse(images, parts.pop())
            for step in reversed(self.levels[i]):
                images = step.inverse(images)
            images = unfolded(images)
        return ((images + 0.5) * GREYS - 0.5) / 127.5 - 1

    def parted(self, values):
        """Return noise (N, D) of values in [-0.5, 0.5], and log determinants (N,)."""
        images, parts, gain = values, [], 0.0
        for i, level in enumerate(self.levels):
            images = folded(images)
            for step in level:
                images, more = step.forward(images)
                gain = gain + more
            if i < len(self.priors):
                images, noise, more = self.priors[i].forward(images)
                gain = gain + more
                parts.append(noise)
        parts.append((images - self.centre) * ops.exp(-self.log_spread))
        gain = gain - ops.sum(self.log_spread)
        flat = [ops.reshape(p, (-1, math.prod(p.shape[1:]))) for p in parts]
        return ops.concatenate(flat, -1), gain

    def bits(self, images, offsets=None):
        """Return the bits for each channel of a pixel that images take, (N,).

        Args:
            offsets: in [-0.5, 0.5), spread 8-bit values over the steps between them.
        """
        values = _centred(images)
        if offsets is not None:
            values = values + offsets / GREYS
        noise, gain = self.parted(values)
        size = noise.shape[-1]
        likelihood = gain - ops.sum(ops.square(noise) + LOG_TAU, -1) / 2
        return math.log2(GREYS) - likelihood / (size * math.log(2))

    def adapt(self, images):
        """Make every step's output normal on images, before a training."""
        images = _centred(images)
        for i, level in enumerate(self.levels):
            images = folded(images)
            for step in level:
                images = step.adapt(images)
            if i < len(self.priors):
                images = self.priors[i].forward(images)[0]

    def sample(self, count: int, *, seed: int, temperature: float = 0.7):
        """Draw latents from the prior; a low temperature keeps to likely faces."""
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((count, *self.latent_shape), np.float32)
        return ops.convert_to_tensor(np.float32(temperature) * noise)

    def penalty(self, latents):
        """Return the mean square of the noise, (N,): 1 for a likely face."""
        return ops.mean(ops.square(latents), -1)

    def _parts(self, latents):
        shapes = self.config.shapes
        ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
        flat = ops.split(latents, ends.tolist(), -1)
        return [ops.reshape(p, (-1, *s)) for p, s in zip(flat, shapes, strict=True)]


def _centred(images):
    """Return images in [-1, 1] as the middles of their grey steps, in [-0.5, 0.5]."""
    return ((images + 1) * 127.5 + 0.5) / GREYS - 0.5
