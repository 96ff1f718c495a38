"""Frames of glasses, as they lie in a photo.

A face's landmarks tell how a head is turned, by what is known of heads; a frame of
fixed shape, as wide as the head, is put on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels, Window
from retouch.geometry import Points
from retouch.smoothing import smoothed
from retouch.stitching.pen import Shape, filled

# Where landmarks lie on heads: millimetres to the picture's right, down, and forwards.
HEAD = {
    **{27: (0, 0, 0), 28: (0, 12, 6), 29: (0, 24, 12.5), 30: (0, 37, 19)},
    **{31: (-14, 46, 3), 33: (0, 48, 9), 35: (14, 46, 3)},
    **{36: (-45, 3, -22), 39: (-16.5, 4, -14), 42: (16.5, 4, -14), 45: (45, 3, -22)},
}
# The landmarks that arms lead to, if they are seen, but so far above them; how far
# behind the nose's root these lie, and from its middle in the head a frame is made for,
EARS, HIGHER, BEHIND, HALF_HEAD = (0, 16), 9.0, 85.0, 70.0
FITS = 0.92, 1.1  # and how much smaller and larger frames there are
# A frame's shape, in the same millimetres:
ACROSS, DOWN, APART = 50.0, 36.0, 64.0  # a glass; from middle to middle
LOW, ROUND = 5.0, 2.6  # below the nose's root; 2 is an ellipse, more is squarer
NARROWER, LIFTED = 0.06, 0.06  # a glass: below, and towards the ear
FORWARDS, CURVED, TILTED = 8.0, 0.0035, 0.12  # before the nose's root; backwards, below
BRIDGE, ARCHED = (9.0, -2.5), 2.5  # where it ends, and how far it is arched
OUTWARDS, UPWARDS = 0.15, 0.35  # in its breadth: by how much a rim is broader there
BROADER = 1.4  # a bridge, in rims' breadth
# What holds arms, from a rim's corner to the hinge: above, and below.
CORNER, HINGE = ((46.0, -14.2), (56.0, -5.5)), ((65.5, -12.5), (65.5, -9.0))
SLIMMER, OVERLAP = 0.6, 1.5  # how high an arm ends; how far it lies on what holds it
BEYOND, STEPS, GONE = 1.15, 16, 0.3  # so far, or until so little of it shows
SHARP, LEAST = 0.22, 0.45  # millimetres by which its edges are soft; pixels, at least
ROOM = 12.0  # millimetres around it that its shadow reaches


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame as it lies in a photo."""

    marks: Points  # (68, 2), of the face that wears it
    breadth: float  # of its rims, in millimetres
    shown: tuple[float, ...] = (1.0, 1.0)  # how much of the way to the ears arms are

    @cached_property
    def camera(self) -> NDArray[np.float64]:
        """What takes a place on a head, (x, y, z, 1), to the photo, (4, 2)."""
        places = np.array([(*place, 1) for place in HEAD.values()], np.float64)
        found = np.linalg.lstsq(places, self.marks[list(HEAD)], rcond=None)[0]
        return np.asarray(found, np.float64)

    @cached_property
    def fit(self) -> float:
        """How large it is, so that it is as wide as the head."""
        ears = self.marks[list(EARS)] - self.camera[3] + BEHIND * self.camera[2]
        sides = np.abs(np.linalg.solve(self.camera[:2].T, ears.T)[0])
        return float(np.clip(sides.min() / HALF_HEAD, *FITS))

    @property
    def unit(self) -> float:
        """Photo pixels that are a millimetre."""
        return float(np.sqrt(abs(np.linalg.det(self.camera[:2]))))

    @cached_property
    def outlines(self) -> tuple[list[Shape], list[Shape], list[Shape]]:
        """The outlines of rims, of arms, and of the glasses, cut out of both."""
        rims, arms, glass = [self._seen(_bridge(self.breadth))], [], []
        (inner, low), (above, below) = CORNER, HINGE
        for side, ear, shown in zip((-1, 1), self._ears, self.shown, strict=True):
            flip = np.array([side, 1])
            rims.append(self._seen(flip * _rim(self.breadth)))
            rims.append(self._seen(flip * np.array([inner, above, below, low])))
            arms += self._arm(side, ear, shown)
            glass.append(self._seen(flip * _glass(0)))
        return rims, arms, glass

    @property
    def _ears(self) -> Points:
        """Where arms end, (2, 2)."""
        ears = self.marks[list(EARS)] - HIGHER * self.camera[1]
        begin = np.stack([self._hinge(side)[0] for side in (-1, 1)])
        return np.asarray(begin + BEYOND * (ears - begin))

    def _hinge(self, side: int) -> Shape:
        """Return where an arm begins, above and below."""
        return self._seen(np.array([side, 1]) * (np.array(HINGE) - (OVERLAP, 0)))

    def _arm(self, side: int, ear: Points, shown: float) -> list[Shape]:
        """Return so much of the arm that leads to an ear, unless the head hides it."""
        above, below = self._hinge(side)
        if (ear - above) @ (side * self.camera[0]) <= 0:
            return []
        end = above + shown * (ear - above)
        slim = (1 - shown * (1 - SLIMMER)) * (below - above)
        return [np.array([above, end, end + slim, below])]

    def seen(self, free: Pixels, window: Window) -> tuple[float, ...]:
        """Return how far arms are seen, given how much of a window nothing hides."""
        steps, far = np.linspace(0, 1, STEPS)[:, None], []
        corner, last = (window.left, window.top), np.array(free.shape)[::-1] - 1
        for side, ear in zip((-1, 1), self._ears, strict=True):
            begin = self._hinge(side).mean(0)
            way = (begin + steps * (ear - begin) - corner).clip(0, last).astype(int)
            hidden = free[way[:, 1], way[:, 0]] < GONE
            far.append(float(steps[np.argmax(hidden), 0]) if hidden.any() else 1.0)
        return tuple(far)

    def _seen(self, shape: Shape) -> Shape:
        """Return where an outline of a frame lies in the photo."""
        x, y = self.fit * shape.T
        z = FORWARDS - CURVED * x**2 - TILTED * y
        return np.asarray(np.stack([x, y, z, np.ones_like(x)], -1) @ self.camera)

    def window(self, shape: tuple[int, ...]) -> Window:
        """Return the part of a photo that it and its shadow can touch."""
        rims, arms, _ = self.outlines
        points, room = np.concatenate([*rims, *arms]), ROOM * self.unit
        left, top = np.floor(points.min(0) - room).astype(int).tolist()
        right, bottom = np.ceil(points.max(0) + room).astype(int).tolist()
        photo = Window(0, 0, shape[1], shape[0])
        return Window(left, top, right, bottom).shared(photo)

    def drawn(self, window: Window) -> tuple[Pixels, Pixels, Pixels]:
        """Return how much of a window's pixels is rim, arm and glass, (h, w) each."""
        rims, arms, glass = self.outlines

        def solid(outlines: Sequence[Shape]) -> Pixels:
            cut_out = filled([(outlines, 255), (glass, 0)], window)
            return smoothed(cut_out, max(SHARP * self.unit, LEAST))

        return solid(rims), solid(arms), filled([(glass, 255)], window)


def _glass(wider: float) -> Shape:
    """Return the outline of the right glass, so much wider and higher."""
    turn = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    square = np.sign(circle) * np.abs(circle) ** (2 / ROUND)
    x, y = (square / 2 * (ACROSS + wider, DOWN + wider)).T
    x = x * (1 - NARROWER * 2 * y / DOWN)
    return np.stack([APART / 2 + x, LOW + y - LIFTED * x], -1)


def _rim(breadth: float) -> Shape:
    """Return the outline of the right rim: broadest above, and towards the ear."""
    return _glass(2 * breadth) + breadth * np.array([OUTWARDS, -UPWARDS])


def _bridge(breadth: float) -> Shape:
    """Return the outline of what joins both glasses."""
    end, high = BRIDGE
    x = np.linspace(-end, end, 15)
    above = np.stack([x, high - ARCHED * np.cos(x / end * np.pi / 2)], -1)
    below = above[::-1] + np.array([0, BROADER * breadth])
    return np.concatenate([above, below])
