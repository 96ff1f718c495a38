"""The 68 landmarks of a face in a box: an ensemble of regression trees.

Kazemi and Sullivan (2014), by the trees of dlib (King 2009). From a mean face on,
fifteen forests move the landmarks, each by what the pixels around them show. Places are
complex numbers, so that a turn and a scale are one factor.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pretrained.landmark_trees import Trees, landmark_trees
from retouch.geometry import Points

Places = NDArray[np.complex64]
Box = tuple[float, float, float]  # left, top, side


class LandmarkReader:
    """Reads landmarks; may be shared between threads."""

    @cached_property
    def _trees(self) -> Trees:
        return landmark_trees()

    def read(self, patch: NDArray[np.uint8], boxes: Sequence[Box]) -> Points:
        """Return the landmarks (N, 68, 2) of a face as each box shows them.

        Args:
            patch: grey, (H, W).
        """
        trees = self._trees
        left, top, side = np.array(boxes, np.float64).T[..., None]
        # dlib lays the mean face from the first to the last pixel's centre.
        corner, side = left + 0.5 + (top + 0.5) * 1j, side - 1
        mean = trees.start - trees.start.mean()
        shapes = np.repeat(trees.start[None], len(boxes), 0)
        for anchors, offsets, *forest in zip(*trees[1:], strict=True):
            turns = (shapes @ mean.conj())[:, None] / np.vdot(mean, mean)
            looks = corner + side * (shapes[:, anchors] + turns * offsets)
            shapes = _moved(shapes, _levels(patch, looks), *forest)
        places = corner + side * shapes
        return np.stack([places.real, places.imag], -1).astype(np.float64)


def _levels(patch: NDArray[np.uint8], places: Places) -> NDArray[np.int16]:
    """Return the pixels in which places lie; beyond the patch it is black."""
    across, down = (np.floor(x).astype(np.intp) for x in (places.real, places.imag))
    height, width = patch.shape
    inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
    levels = patch[down.clip(0, height - 1), across.clip(0, width - 1)]
    return np.where(inside, levels, 0).astype(np.int16)


def _moved(
    shapes: Places,
    levels: NDArray[np.int16],
    pairs: NDArray[np.intp],
    limits: NDArray[np.float32],
    leaves: Places,
) -> Places:
    """Return where the trees of a forest move the landmarks, (N, 68)."""
    count, (trees, splits) = len(shapes), limits.shape
    seen = np.ascontiguousarray(levels.T)  # all faces' levels of a place side by side
    first, second = (np.take(seen, pairs[..., i].ravel(), 0) for i in (0, 1))
    right = (first - second <= limits.reshape(-1, 1)).ravel()  # trees, splits, faces
    places = np.arange(trees)[:, None] * splits * count + np.arange(count)
    nodes = np.zeros((trees, count), np.intp)
    while nodes[0, 0] < splits:
        nodes = 2 * nodes + 1 + np.take(right, places + nodes * count)
    moves = leaves[np.arange(trees), nodes.T - splits]
    # One after the other, as dlib adds them: what differs in the last bit soon names
    # other pixels.
    moves[:, 0] += shapes
    return np.asarray(moves.sum(1))
