"""Where a face lies: similarities, landmarks and crop templates, in NumPy alone.

Points are (x, y) and the first pixel's centre is at (0.5, 0.5), so a picture of
width w spans [0, w] and scaling a picture scales its points by the same factor.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]  # (..., 2)

# The iBUG order of the 68 landmarks; "left" and "right" as seen in the picture.
JAW = slice(0, 17)
LEFT_BROW, RIGHT_BROW = slice(17, 22), slice(22, 27)
NOSE, NOSE_BASE = slice(27, 36), 33
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)
UPPER_INSIDE, LOWER_INSIDE = [61, 62, 63], [67, 66, 65]
MOUTH_CORNERS, INNER_CORNERS = [48, 54], [60, 64]
PHILTRUM = [51, 57, 62, 66]  # the lips' middle
# The landmarks' numbers in a mirror.
MIRRORED = np.r_[
    16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47:45:-1, 39:35:-1, 41:39:-1,
    54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1,
]  # fmt: skip


@dataclass(frozen=True)
class Similarity:
    """A rotation, uniform scale and shift: p -> linear @ p + shift."""

    a: float  # scale * cos(angle)
    b: float  # scale * sin(angle)
    x: float
    y: float

    @classmethod
    def fit(cls, source: ArrayLike, target: ArrayLike) -> Self:
        """Return the least-squares similarity that takes source points to target."""
        p, q = np.asarray(source, np.float64), np.asarray(target, np.float64)
        p_mean, q_mean = p.mean(0), q.mean(0)
        p, q = p - p_mean, q - q_mean
        spread = (p**2).sum()
        if spread == 0:
            raise ValueError("A similarity needs at least two different points.")
        a = (p * q).sum() / spread
        b = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / spread
        x = q_mean[0] - a * p_mean[0] + b * p_mean[1]
        y = q_mean[1] - b * p_mean[0] - a * p_mean[1]
        return cls(float(a), float(b), float(x), float(y))

    @classmethod
    def scaling(cls, factor: float) -> Self:
        """Return the pure scaling about the origin."""
        return cls(float(factor), 0.0, 0.0, 0.0)

    @classmethod
    def shifting(cls, x: float, y: float) -> Self:
        """Return the pure shift."""
        return cls(1.0, 0.0, float(x), float(y))

    @classmethod
    def turning(cls, degrees: float) -> Self:
        """Return the pure rotation, clockwise as a picture shows it."""
        angle = np.radians(degrees)
        return cls(float(np.cos(angle)), float(np.sin(angle)), 0.0, 0.0)

    @property
    def linear(self) -> NDArray[np.float64]:
        return np.array([[self.a, -self.b], [self.b, self.a]])

    @property
    def matrix(self) -> NDArray[np.float64]:  # (2, 3)
        return np.array([[self.a, -self.b, self.x], [self.b, self.a, self.y]])

    @property
    def scale(self) -> float:
        return float(np.hypot(self.a, self.b))

    @property
    def angle(self) -> float:
        """The rotation in degrees, clockwise as a picture shows it."""
        return float(np.degrees(np.arctan2(self.b, self.a)))

    @property
    def inverse(self) -> "Similarity":
        square = self.a**2 + self.b**2
        a, b = self.a / square, -self.b / square
        return Similarity(a, b, -a * self.x + b * self.y, -b * self.x - a * self.y)

    def __call__(self, points: ArrayLike) -> Points:
        shift = np.array([self.x, self.y])
        return np.asarray(points, np.float64) @ self.linear.T + shift

    def __matmul__(self, first: "Similarity") -> "Similarity":
        """Return the similarity that applies first, then self."""
        x, y = self((first.x, first.y))
        a = self.a * first.a - self.b * first.b
        b = self.a * first.b + self.b * first.a
        return Similarity(a, b, float(x), float(y))


@dataclass(frozen=True)
class CropTemplate:
    """A framing of the face: how a square is laid through its eyes and mouth.

    The square's side is the larger of `eyes` times the distance of the eyes and
    `mouth` times the distance from eyes to mouth; its centre lies `centre` of the
    way from the eyes to the mouth. Its upper edge follows the eyes if `level`,
    else the mean of the eyes' direction and the perpendicular to the mouth's.
    """

    name: str
    eyes: float
    mouth: float
    centre: float
    level: bool

    def transform(self, landmarks: ArrayLike, size: int) -> Similarity:
        """Return the similarity from the photo to a crop of `size` pixels a side."""
        return self.through(*anchors(landmarks), size)

    def through(
        self, left: Points, right: Points, mouth: Points, size: int
    ) -> Similarity:
        """Return the same of the eyes' and the mouth's centres."""
        middle = (left + right) / 2
        across, down = right - left, mouth - middle
        side = max(self.eyes * np.hypot(*across), self.mouth * np.hypot(*down))
        x = across if self.level else across + np.array([down[1], -down[0]])
        x = x / np.hypot(*x) * side / 2
        y = np.array([-x[1], x[0]])
        centre = middle + self.centre * down
        corners = [centre - x - y, centre + x - y, centre + x + y, centre - x + y]
        return Similarity.fit(corners, [(0, 0), (size, 0), (size, size), (0, size)])


FFHQ = CropTemplate("ffhq", eyes=4.0, mouth=3.6, centre=0.1, level=False)
# Eyes at .30 and .70 of the width, .355 of the height; mouth at .735.
TIGHT = CropTemplate("tight", eyes=2.5, mouth=1 / 0.38, centre=0.145 / 0.38, level=True)
# Room for hair: eyes at .35 and .65 of the width, .43 of the height; mouth at .72.
HEAD = CropTemplate("head", eyes=3.25, mouth=3.42, centre=0.25, level=True)
TEMPLATES = {template.name: template for template in (FFHQ, TIGHT, HEAD)}


def seam(landmarks: Points) -> Points:
    """Return the line where lips would meet, from corner to corner, (5, 2)."""
    left, right = landmarks[INNER_CORNERS]
    inside = (landmarks[UPPER_INSIDE] + landmarks[LOWER_INSIDE]) / 2
    return np.stack([left, *inside, right])


def anchors(landmarks: ArrayLike) -> tuple[Points, Points, Points]:
    """Return the centres of the left eye, the right eye and the mouth's corners."""
    points = np.asarray(landmarks, np.float64)
    return (
        points[LEFT_EYE].mean(0),
        points[RIGHT_EYE].mean(0),
        points[MOUTH_CORNERS].mean(0),
    )


def hull(points: ArrayLike) -> Points:
    """Return the corners of the convex hull of points (N, 2), in a ring."""
    ordered = sorted({(float(x), float(y)) for x, y in np.asarray(points)})
    if len(ordered) < 3:
        return np.array(ordered)
    halves = _half(ordered), _half(ordered[::-1])
    return np.array([*halves[0][:-1], *halves[1][:-1]])


def _half(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners from the first point to the last that turn one way."""
    kept: list[tuple[float, float]] = []
    for x, y in ordered:
        while len(kept) > 1:
            (left, top), (right, bottom) = kept[-2:]
            if (right - left) * (y - top) - (bottom - top) * (x - left) > 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept


def planes(corners: ArrayLike) -> NDArray[np.float64]:
    """Return the edges of a convex hull as (N, 3): x, y outwards, and an offset.

    Of a point (x, y) inside, x, y and 1 times an edge is minus its distance from it.
    """
    ring = np.asarray(corners, np.float64)
    along = np.roll(ring, -1, 0) - ring
    outwards = np.stack([along[:, 1], -along[:, 0]], 1)
    outwards /= np.hypot(*along.T)[:, None]
    return np.column_stack([outwards, -(outwards * ring).sum(1)])


def oval(landmarks: NDArray[Any], lift: float) -> Points:
    """Return points around a face: its jaw, and its brows lifted to the forehead.

    Args:
        lift: how far, as a part of the way from the nose's base to the brows.
    """
    brows = landmarks[LEFT_BROW.start : RIGHT_BROW.stop]
    lifted = brows + lift * (brows.mean(0) - landmarks[NOSE_BASE])
    return np.concatenate([landmarks[JAW], lifted])


@dataclass(frozen=True, eq=False)
class Face:
    """One face found in a photo, in the photo's own pixels."""

    landmarks: Points  # (68, 2)
    box: tuple[float, float, float, float]  # left, top, right, bottom
    confidence: float = 0.0

    @property
    def size(self) -> float:
        """The side of the tight crop's square in photo pixels."""
        return 1 / TIGHT.transform(self.landmarks, 1).scale

    @property
    def roll(self) -> float:
        """Degrees by which the head is turned clockwise in the picture's plane."""
        left, right, _ = anchors(self.landmarks)
        return float(np.degrees(np.arctan2(*(right - left)[::-1])))

    @property
    def yaw(self) -> float:
        """Roughly the degrees by which the head looks to the picture's right."""
        left, right, mouth = anchors(self.landmarks)
        nose = np.asarray(self.landmarks)[NOSE][3]
        upright = TIGHT.transform(self.landmarks, 1)
        offset = upright(nose)[0] - upright((left + right) / 4 + mouth / 2)[0]
        return float(np.degrees(np.arcsin(np.clip(offset / 0.25, -1, 1))))

    def transform(self, template: CropTemplate, size: int) -> Similarity:
        return template.transform(self.landmarks, size)

    def shut(self) -> "Face":
        """Return this face with lips that touch, half-way between where they were."""
        marks = self.landmarks.copy()
        marks[UPPER_INSIDE] = marks[LOWER_INSIDE] = seam(marks)[1:-1]
        return replace(self, landmarks=marks)

    def moved(self, transform: Similarity) -> "Face":
        """Return this face as it lies after the picture was transformed."""
        left, top, right, bottom = self.box
        corners = transform(
            [(left, top), (right, top), (right, bottom), (left, bottom)]
        )
        low, high = corners.min(0), corners.max(0)
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return Face(transform(self.landmarks), box, self.confidence)
