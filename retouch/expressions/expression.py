"""What a face does, told from who it is: shapes, irises and their retargeting.

Shapes are landmarks in the unit square of the tight crop, so place, size and turn in
the picture's plane are gone. What remains is taken for the sum of a person's own
shape and of what the face does, expression and pose, both normal: `between` and
`within` are their covariances, and the person's shape is the mean of what a number of
pictures leave possible (probabilistic discriminant analysis, Ioffe, 2006).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from retouch.geometry import JAW, MIRRORED

Floats = NDArray[np.float32]

# Each eye's upper lid and lower lid, corners included.
LIDS = np.array(
    [[[36, 37, 38, 39], [36, 41, 40, 39]], [[42, 43, 44, 45], [42, 47, 46, 45]]]
)
# Of landmarks, in hundredths squared; it also outweighs what half precision rounds.
NOISE = 0.25
ACROSS, DOWN = np.linspace(0.08, 0.92, 15), np.linspace(-0.8, 0.8, 5)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# --- irises -------------------------------------------------------------------


def gaze(crops: NDArray[Any], shapes: Floats) -> Floats:
    """Return where in its eye each iris lies, (N, 2, 2): across 0..1, down -1..1.

    Args:
        crops: (N, R, R, 3) of any scale of values.
        shapes: (N, 68, 2) in the unit square.
    """
    size = crops.shape[1]
    grid = np.stack(np.meshgrid(ACROSS, DOWN), -1).reshape(1, 1, -1, 2)
    places = _in_eyes(shapes, grid)  # (N, 2, G, 2)
    x, y = np.moveaxis((places * size).astype(int).clip(0, size - 1), -1, 0)
    rows = np.arange(len(crops))[:, None, None]
    light = crops[rows, y, x] @ LUMA  # (N, 2, G)
    low, high = light.min(-1, keepdims=True), light.max(-1, keepdims=True)
    dark = ((high - light) / np.maximum(high - low, 1e-3)) ** 3 + 1e-3
    dark /= dark.sum(-1, keepdims=True)
    return (dark[..., None] * grid).sum(2).astype(np.float32)


def with_irises(shapes: Floats, looks: Floats) -> Floats:
    """Return shapes (N, 68, 2) with two more points, the irises, (N, 70, 2)."""
    irises = _in_eyes(shapes, np.asarray(looks)[:, :, None])[:, :, 0]
    return np.concatenate([shapes, irises], 1).astype(np.float32)


def mirrored(shapes: Floats, looks: Floats) -> tuple[Floats, Floats]:
    """Return shapes and looks as a mirror shows them."""
    return _flipped(shapes[:, MIRRORED]), _flipped(looks[:, ::-1])


def _flipped(points: Floats) -> Floats:
    return points * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32)


def _in_eyes(shapes: Floats, grid: NDArray[Any]) -> NDArray[Any]:
    """Return the points of each eye, (N, 2, G, 2), at (across, down)."""
    lids = np.asarray(shapes)[:, LIDS]  # (N, eye, lid, 4, 2)
    knots = np.arange(4) / 3
    near = np.clip(1 - 3 * np.abs(grid[..., :1] - knots), 0, 1)  # (N, eye, G, 4)
    upper, lower = (
        np.einsum("negk,nekc->negc", np.broadcast_to(near, _wide(near, lids)), lid)
        for lid in (lids[:, :, 0], lids[:, :, 1])
    )
    return (upper + lower) / 2 + grid[..., 1:] * (lower - upper) / 2


def _wide(near: NDArray[Any], lids: NDArray[Any]) -> tuple[int, ...]:
    return (len(lids), 2, *near.shape[2:])


# --- shapes -------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shapes:
    """How faces' shapes vary between people and within one person."""

    mean: Floats  # (136,)
    between: Floats  # (136, 136), in hundredths
    within: Floats  # (136, 136)
    _gains: dict[float, NDArray[Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, arrays: Mapping[str, Floats]) -> Self:
        """Return what an expression mask knows of shapes."""
        mean, between, within = (
            arrays[name] for name in ("shape_mean", "between", "within")
        )
        return cls(mean[:136], between, within)

    def own(self, shape: NDArray[Any], pictures: float = 1.0) -> NDArray[np.float64]:
        """Return how a person's shape differs from the mean, (68, 2).

        Args:
            shape: (68, 2), the mean over pictures of the person.
            pictures: how many different ones, in effect.
        """
        offset = np.asarray(shape, np.float64).reshape(136) - self.mean
        return (self._gain(round(4 * pictures) / 4) @ offset).reshape(68, 2)

    def _gain(self, pictures: float) -> NDArray[np.float64]:
        """Return what an offset is multiplied by; kept, for every frame asks for it."""
        if pictures not in self._gains:
            total = self.between + self.within / pictures + NOISE * np.eye(136)
            self._gains[pictures] = np.linalg.solve(total.T, self.between.T).T
        return self._gains[pictures]


def retargeted(shape: Floats, driver: Floats, person: Floats) -> Floats:
    """Return the shape with the driver's own features exchanged for the person's.

    The jaw stays the driver's, so that the new face fits where the old one was.
    """
    offset = person - driver
    offset[JAW] = 0
    return (shape + offset).astype(np.float32)
