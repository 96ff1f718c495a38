"""A small network that sees the faces which gradients miss: hats, hands, hard light.

BlazeFace (Bazarevsky et al. 2019) with MediaPipe's weights for short range. It reads
128 pixels a side and runs in NumPy, in some 6 ms: finding faces loads no framework.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from pretrained.registry import library
from retouch.faces.crop import cut
from retouch.faces.detections import Sighting, turned
from retouch.geometry import Points, Similarity
from retouch.photos.levels import eight_bit

Values = NDArray[np.float32]

WEIGHTS = "blazeface"
SIDE = 128  # pixels of an image
BLOCKS, HALVING = 16, (2, 5, 11)  # the blocks that halve the side
FINE = 11  # the block whose input shows small faces
STEM, HEADS = 5, ("fine", "coarse")
GRIDS = ((16, 2), (8, 6))  # cells a side, and guesses of a cell, of each head
KEPT = 512  # pixels: the longer side of what is left of a photo
FINER = 2.0  # than an image: a photo that is reduced before it is cut out
ZOOMS = 1.0, 1.6  # sides of the squares, in longer sides of the photo
ANGLES = ((0,), (90, 270, 180))  # degrees by which it is turned
GUESSES, MOST = 8, 12  # of an image, of a photo
LIKELY, SURE = 0.5, 0.68  # of what is looked at again, and of what is a face
# Of the eyes' distance, from an eye to a nose that is not yet before it: of a face that
# was trusted until now, and of another. One bound would part near profiles by chance.
BESIDE = 0.0, 0.05
# The squares in which a face is looked at again: their sides in sides of the face, and
# how they are turned. A mean of six tells faces from things, and one does not; where
# the face lies is told by the first.
AGAIN = ((2.0, 0), (1.6, 0), (2.6, 0), (3.4, 0), (2.0, 25), (2.0, -25))


@dataclass(frozen=True, eq=False)
class Seen(Sighting):
    """A square with a face, turned as the face is; the score is a probability."""

    points: Points  # (4, 2): the eyes, the left of the picture first, nose and mouth

    def turned_away(self, trusted: bool = False) -> bool:
        """Tell whether the nose stands before an eye or beyond, as in near profiles.

        Args:
            trusted: whether it did not a moment ago.
        """
        left, right, nose, _ = self.points
        across = right - left
        place = float((nose - left) @ across / (across @ across))
        least = BESIDE[0] if trusted else BESIDE[1]
        return not least < place < 1 - least

    def moved(self, transform: Similarity) -> "Seen":
        """Return it as it lies after its picture was transformed."""
        return Seen(transform @ self.frame, self.score, transform(self.points))


class BlazeFace:
    """Finds the larger faces of a photo; may be shared between threads."""

    def __init__(self) -> None:
        self._weights = library().weights(WEIGHTS, "detector")
        self._anchors = SIDE * np.concatenate([_centres(*grid) for grid in GRIDS])

    def find(self, photo: NDArray[Any]) -> list[Seen]:
        """Return the faces; quarter turns are searched if nobody is upright."""
        small = _reduced(photo, max(1, max(photo.shape[:2]) // KEPT))
        back = Similarity.scaling(photo.shape[1] / small.shape[1])
        for angles in ANGLES:
            seen = self._likely(small, _squares(small, angles))
            found = [again for s in seen if (again := self._again(small, s))]
            if found:
                return [face.moved(back) for face in _apart(found)]
        return []

    def at(self, photo: NDArray[Any], frame: Similarity) -> Seen | None:
        """Return what is likely a face in a known place, by one look at it."""
        square = _around(frame, AGAIN[0][0])
        factor = max(1, int(1 / (FINER * square.scale)))
        back = Similarity.scaling(factor)
        look = self._look(_reduced(photo, factor), square @ back)
        seen = [guess.moved(back) for guess in look if guess.score > LIKELY]
        return next((s for s in seen if _same(s.frame, frame, 2)), None)

    def _likely(self, photo: NDArray[Any], squares: Iterable[Similarity]) -> list[Seen]:
        seen = [guess for square in squares for guess in self._look(photo, square)]
        return _apart([guess for guess in seen if guess.score > LIKELY])[:MOST]

    def _again(self, photo: NDArray[Any], face: Seen) -> Seen | None:
        """Look at it from other distances and angles; return it if the mean is sure."""
        squares = [_around(turned(face.frame, angle), s) for s, angle in AGAIN]
        looks = [self._look(photo, square) for square in squares]
        near = [[g for g in look if _same(g.frame, face.frame)] for look in looks]
        score = np.mean([some[0].score if some else 0.0 for some in near])
        if score <= SURE:
            return None
        return replace(near[0][0] if near[0] else face, score=float(score))

    def _look(self, photo: NDArray[Any], square: Similarity) -> list[Seen]:
        """Return the best guesses in a square of the photo, the likeliest first."""
        image = cut(photo, square, SIDE, linear=True)
        scores, boxes = self.run(image / 127.5 - 1)
        order = np.argsort(-scores)[:GUESSES]
        chances = 1 / (1 + np.exp(-scores[order].clip(-50, 50)))
        guesses = zip(boxes[order], self._anchors[order], chances, strict=True)
        return [_guess(*guess).moved(square.inverse) for guess in guesses]

    def run(self, image: Values) -> tuple[Values, Values]:
        """Return the scores (896,) and the boxes (896, 16) of an image in [-1, 1]."""
        x = np.maximum(self._stem(image), 0)
        fine = x
        for i in range(BLOCKS):
            fine = x if i == FINE else fine
            x = self._block(f"block{i}", x, 2 if i in HALVING else 1)
        seen = dict(zip(HEADS, (fine, x), strict=True))
        scores = [self._point(f"{h}.scores", seen[h]).ravel() for h in HEADS]
        boxes = [self._point(f"{h}.boxes", seen[h]).reshape(-1, 16) for h in HEADS]
        return np.concatenate(scores), np.concatenate(boxes)

    def _stem(self, image: Values) -> Values:
        padded = np.pad(image, ((1, 2), (1, 2), (0, 0)))
        patches = sliding_window_view(padded, (STEM, STEM), (0, 1))[::2, ::2]
        flat = patches.transpose(0, 1, 3, 4, 2).reshape(SIDE // 2, SIDE // 2, -1)
        return flat @ self._weights["stem.kernel"] + self._weights["stem.bias"]

    def _block(self, name: str, x: Values, stride: int) -> Values:
        y = self._point(f"{name}.point", self._depthwise(f"{name}.depth", x, stride))
        if stride == 2:
            rows, columns, channels = x.shape
            x = x.reshape(rows // 2, 2, columns // 2, 2, channels).max((1, 3))
        y[..., : x.shape[-1]] += x
        return np.maximum(y, 0)

    def _point(self, name: str, x: Values) -> Values:
        return x @ self._weights[f"{name}.kernel"] + self._weights[f"{name}.bias"]

    def _depthwise(self, name: str, x: Values, stride: int) -> Values:
        rows, columns, _ = x.shape
        before = 2 - stride  # a stride of 2 begins at the image's first pixel
        padded = np.pad(x, ((before, 1), (before, 1), (0, 0)))
        kernel, y = self._weights[f"{name}.kernel"], self._weights[f"{name}.bias"]
        for i in range(3):
            for j in range(3):
                y = (
                    y
                    + padded[i : i + rows : stride, j : j + columns : stride]
                    * kernel[i, j]
                )
        return y


def _reduced(photo: NDArray[Any], factor: int) -> NDArray[np.uint8]:
    """Return the photo in 8 bits, with three colours, and so many times smaller."""
    photo = eight_bit(photo if photo.ndim == 3 else photo[..., None])
    colours = photo[..., :3] if photo.shape[2] >= 3 else photo[..., [0, 0, 0]]
    return np.asarray(Image.fromarray(np.ascontiguousarray(colours)).reduce(factor))


def _squares(photo: NDArray[Any], angles: Iterable[int]) -> Iterator[Similarity]:
    """Yield what takes the photo to the squares that are searched."""
    height, width = photo.shape[:2]
    longer = max(width, height)
    whole = Similarity(longer, 0, (width - longer) / 2, (height - longer) / 2)
    for angle in angles:
        for zoom in ZOOMS:
            yield _around(turned(whole, angle), zoom)


def _guess(box: Values, anchor: Points, chance: float) -> Seen:
    """Return what a row of the network's boxes tells, in pixels of its image."""
    points = anchor + box[4:12].reshape(4, 2)
    x, y = points[1] - points[0]
    middle, side = Similarity.shifting(*(anchor + box[:2])), float(box[2])
    turn = Similarity.turning(float(np.degrees(np.arctan2(y, x))))
    square = Similarity(side, 0, -side / 2, -side / 2)
    return Seen(middle @ turn @ square, float(chance), points)


def _apart(sightings: list[Seen]) -> list[Seen]:
    """Keep the best of those that lie on one another."""
    kept: list[Seen] = []
    for sighting in sorted(sightings, key=lambda s: -s.score):
        if not any(_same(sighting.frame, other.frame, 3) for other in kept):
            kept.append(sighting)
    return kept


def _same(frame: Similarity, other: Similarity, ratio: float = 1.6) -> bool:
    low, high = sorted((frame.scale, other.scale))
    gap = np.hypot(*(frame((0.5, 0.5)) - other((0.5, 0.5))))
    return bool(gap < 0.5 * high and high < ratio * low)


def _around(frame: Similarity, sides: float) -> Similarity:
    """Return what takes a square of so many sides around a frame to an image."""
    edge = (1 - sides) / 2
    square = frame @ Similarity(sides, 0, edge, edge)
    return Similarity.scaling(SIDE) @ square.inverse


def _centres(cells: int, guesses: int) -> Points:
    y, x = np.mgrid[:cells, :cells] + 0.5
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1) / cells, guesses, 0)
