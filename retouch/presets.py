"""How long a search for a face's latents goes on, and what it minds."""

import math
from dataclasses import astuple, dataclass, field, replace

SPACES = ("w+", "w")


@dataclass(frozen=True)
class Weights:
    """What counts how much in the distance between a picture and its copy."""

    pixels: float = 1.0
    edges: float = 1.0  # at three scales
    features: float = 0.2  # of the identity network
    identity: float = 0.8  # its descriptor
    prior: float = 0.002  # distance of the latents from the population
    deltas: float = 0.0  # of the rows of a latent from their mean

    @property
    def numbers(self) -> tuple[float, ...]:
        return astuple(self)


@dataclass(frozen=True)
class Schedule:
    """The learning rate over a search: up, level, and down along a cosine."""

    rate: float
    rise: float = 0.05  # parts of the search
    fall: float = 1.0
    least: float = 0.02  # of the rate, at the end

    def at(self, step: int, steps: int) -> float:
        """Return the rate of a step, counted from 0."""
        part = (step + 1) / max(steps, 1)
        up = min(1.0, part / self.rise) if self.rise else 1.0
        left = min(1.0, (1 - part) / self.fall) if self.fall else 1.0
        down = self.least + (1 - self.least) * (1 - math.cos(math.pi * left)) / 2
        return self.rate * up * down


# Of the StyleGAN2 projector (Karras et al., 2020), for a search that begins far away.
PUBLISHED = Schedule(0.1, rise=0.05, fall=0.25, least=0.0)


@dataclass(frozen=True)
class Preset:
    """A search: its steps, its schedule and its weights."""

    steps: int
    schedule: Schedule = field(default_factory=lambda: Schedule(0.03))
    weights: Weights = field(default_factory=Weights)


# From the encoder's guess on, a search that begins slowly gets further.
BALANCED = Preset(30, Schedule(0.16, rise=0.3, least=0.05))
GUESS = replace(BALANCED, steps=0)  # the encoder's alone
PRESETS = {
    "guess": GUESS,
    "fast": Preset(10, Schedule(0.1, rise=0.3)),
    "balanced": BALANCED,
    "faithful": Preset(300, Schedule(0.1)),
}


def chosen(name: str | None, otherwise: Preset = BALANCED) -> Preset:
    """Return the preset of that name, or another if none is named."""
    return otherwise if name is None else PRESETS[name]
