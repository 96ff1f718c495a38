"""An independent judge: traits from dlib's descriptor and the landmarks.

It reads pictures, not latents, and no edit is ever guided by it. Landmarks can be
bent without the face changing its looks, so a second opinion reads the descriptor
alone.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
TELLING = 0.8  # of the skill with landmarks
# How attractive raters find a face, but for skin, gender, age and make-up.
FREED = "attractive-freed"
EYES = slice(36, 42), slice(42, 48)


def shape_of(landmarks: Floats) -> Floats:
    """Return landmarks (N, 68, 2) as shapes free of place, size and turn, (N, 136)."""
    points = np.asarray(landmarks, np.float64)
    left, right = (points[:, eye].mean(1) for eye in EYES)
    middle, across = (left + right) / 2, right - left
    square = (across**2).sum(-1)[:, None, None]
    offsets = points - middle[:, None]
    turned = np.stack([-across[:, 1], across[:, 0]], -1)
    along = (offsets * across[:, None]).sum(-1, keepdims=True)
    down = (offsets * turned[:, None]).sum(-1, keepdims=True)
    shapes = np.concatenate([along, down], -1) / square
    return shapes.reshape(len(points), -1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores faces by what dlib sees of them, in deviations of the population."""

    names: tuple[str, ...]
    slopes: Floats  # (128 + 136, traits)
    offsets: Floats  # (traits,)
    descriptor_slopes: Floats  # (128, traits)
    descriptor_offsets: Floats  # (traits,)
    skill: Floats  # (traits,): correlation with held-out ratings,
    descriptor_skill: Floats  # (traits,): and that of the descriptor alone
    means: Floats  # (traits,) of the ratings,
    deviations: Floats  # (traits,) that a score of 0 and a step of 1 stand for
    reads: str = "images"

    @property
    def arrays(self) -> dict[str, Floats]:
        """What a file holds of a judge, beside the names."""
        others = "names", "reads"
        return {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in others
        }

    @property
    def telling(self) -> NDArray[np.bool_]:
        """Of which traits the descriptor alone tells nearly all there is to tell."""
        return self.descriptor_skill > TELLING * self.skill

    def joined(self, other: "Judge") -> "Judge":
        """Return one judge of what two of them judge."""
        both = {
            name: np.concatenate([own, other.arrays[name]], -1)
            for name, own in self.arrays.items()
        }
        return Judge(self.names + other.names, **both)

    def score(self, descriptors: Floats, landmarks: Floats) -> Floats:
        """Return the traits (N, traits) of descriptors (N, 128) and landmarks."""
        inputs = np.concatenate([descriptors, shape_of(landmarks)], 1)
        return inputs @ self.slopes + self.offsets

    def second_opinion(self, descriptors: Floats) -> Floats:
        """Return the traits (N, traits) by the descriptors alone."""
        return descriptors @ self.descriptor_slopes + self.descriptor_offsets

    def years(self, descriptors: Floats, landmarks: Floats) -> Floats:
        """Return how old the faces look, (N,)."""
        place = self.names.index("age")
        scores = self.score(descriptors, landmarks)[:, place]
        return scores * self.deviations[place] + self.means[place]
