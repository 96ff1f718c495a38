"""What moves a latent, what it looks at, and the straight directions.

Edits look at what the photo will show: the crop plus, inside the mask, what the
generator's picture gains or loses. A gain that would not reach the photo is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retouch.contracts import Generator
from retouch.edits.way import Way, wide
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]
STEPS = 40  # of an ascent; 25 at a rate of 0.03 end a fifth short of these at 0.05


@dataclass(frozen=True, eq=False)
class View:
    """Faces as they are: crops, where they may change, and their latents."""

    images: Floats  # (N, R, R, 3)
    masks: Floats  # (N, R, R, 1)
    latents: Floats  # (N, *latent_shape)
    budget: float = 0.4  # how far the embedding of each may move
    # The crops of one of the faces, by its row, as the photo will show ends of ways.
    show: Callable[[Way, int], Floats] | None = None
    marks: Floats | None = None  # (N, 68, 2), the landmarks in the crops that are shown
    tell: Callable[[float], None] = lambda part: None  # hears how far a move has come


@dataclass(frozen=True, eq=False)
class Direction:
    """A straight move, the same for every face; strength 1 is one deviation."""

    name: str
    offset: Floats  # latent_shape

    @classmethod
    def of(cls, traits: LatentTraits, name: str, keep: tuple[str, ...]) -> "Direction":
        """Return the shortest move that raises a trait and keeps the others."""
        step = traits.step(name, keep)
        return cls(name, np.asarray(traits.space.offset(step[None]))[0])

    def apply(
        self, generator: Generator, view: View, strength: float | Floats
    ) -> Floats:
        """Return the latents moved by strength, of all or of each, times the offset."""
        way = np.asarray(strength, np.float32)
        return (
            view.latents + (wide(way, view.latents) if way.ndim else way) * self.offset
        )


Move = Callable[[View], Way]
