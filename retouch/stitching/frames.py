"""Glasses: frames that are laid on a face at the photo's own size.

No generator draws them: half a pair of glasses looks like none. A face's landmarks tell
how a head is turned, by what is known of heads; a frame of fixed shape is put on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.edits.manner import GLASSES
from retouch.faces.crop import Pixels, Window, uncut
from retouch.geometry import Points, Similarity
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.pen import Shape, filled, lay, seen
from retouch.stitching.thing import Thing

# Where landmarks lie on heads: millimetres to the picture's right, down, and forwards.
HEAD = {
    **{27: (0, 0, 0), 28: (0, 12, 6), 29: (0, 24, 12.5), 30: (0, 37, 19)},
    **{31: (-14, 46, 3), 33: (0, 48, 9), 35: (14, 46, 3)},
    **{36: (-45, 3, -22), 39: (-16.5, 4, -14), 42: (16.5, 4, -14), 45: (45, 3, -22)},
}
# The landmarks that arms lead to, if they are seen, but so far above them:
EARS, HIGHER = (0, 16), 11.0
# A frame's shape, in the same millimetres:
ACROSS, DOWN, APART = 50.0, 36.0, 64.0  # a glass; from middle to middle
LOW, ROUND = 6.0, 2.6  # below the nose's root; 2 is an ellipse, more is squarer
NARROWER, LIFTED = 0.06, 0.06  # a glass: below, and towards the ear
FORWARDS, CURVED, TILTED = 8.0, 0.0035, 0.12  # before the nose's root; backwards, below
BRIDGE, ARCHED = (9.0, -1.5), 2.5  # where it ends, and how far it is arched
HINGE, JOINED = (66.0, -8.0), (55.0, -6.0)  # where arms begin; and what holds them,
OVERLAP = 3.0  # by which they lie on it
THIN, THICKER = 0.3, 2.4  # a rim's breadth, and by how much strength 1 adds to it
BROADER, ARM, SLIMMER = 1.15, 0.8, 0.5  # in rims' breadth: a bridge; arms, from and to
# What it does to light:
DARK = (0.15, 0.11, 0.095)  # what is left of that which the face gives back
SHINE, HALF = 0.4, 0.4  # of the face's light on edges from above; shade on those below
AROUND = 8.0  # millimetres: from so far the face's light is taken
SHADOW, BELOW, SOFT = (0.26, 0.3, 0.32), 4.5, 1.8  # how dark; how far off, how soft
GLARE, CLEAR = 0.03, 0.97  # of the glass: what it mirrors, most above; lets through
SHARP, LEAST = 0.22, 0.45  # millimetres by which its edges are soft; pixels, at least
ROOM = 12.0  # millimetres around it that its shadow reaches
HIDDEN = 0.4  # of what is behind the glass: where more of it is hidden, none is put on


@dataclass(frozen=True, eq=False)
class Glasses(Thing):
    """A pair of glasses to be put on a face: rims, arms, and their shadow."""

    marks: Points  # (68, 2), there
    strength: float

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        frame = Frame(transform.inverse(self.marks), THIN + THICKER * self.strength)
        window = frame.window(photo.shape)
        if not min(window.shape):
            return
        shown = uncut(self.where, transform, window, linear=True).clip(0, 1)
        rims, arms, glass = frame.drawn(window)
        if float((glass * shown[..., 1]).sum()) < (1 - HIDDEN) * float(glass.sum()):
            return
        solid = np.maximum(rims * shown[..., 0], arms * shown[..., 1])
        own = seen(photo, window)
        now = _with_glasses(own, solid, glass * shown[..., 1], shown[..., 2], frame)
        now = own + shown[..., :1] * (now - own)
        lay(photo, window, now, shown[..., 0] > 0)


def worn(change: Change, masks: Masks) -> tuple[Glasses, ...]:
    """Return the glasses that are put on, if any are."""
    where = masks.things.get(GLASSES)
    strength = change.asked.get(GLASSES, 0.0)
    if where is None or strength <= 0:
        return ()
    wider = (len(where) - change.size) // 2
    return (Glasses(wider, where, masks.marks + wider, strength),)


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame as it lies in a photo."""

    marks: Points  # (68, 2), of the face that wears it
    breadth: float  # of its rims, in millimetres

    @cached_property
    def camera(self) -> NDArray[np.float64]:
        """What takes a place on a head, (x, y, z, 1), to the photo, (4, 2)."""
        places = np.array([(*place, 1) for place in HEAD.values()], np.float64)
        found = np.linalg.lstsq(places, self.marks[list(HEAD)], rcond=None)[0]
        return np.asarray(found, np.float64)

    @property
    def unit(self) -> float:
        """Photo pixels that are a millimetre."""
        return float(np.sqrt(abs(np.linalg.det(self.camera[:2]))))

    @cached_property
    def outlines(self) -> tuple[list[Shape], list[Shape], list[Shape]]:
        """The outlines of rims, of arms, and of the glasses, cut out of both."""
        rims, arms, glass = [self._seen(_bridge(self.breadth))], [], []
        for side, ear in zip((-1, 1), EARS, strict=True):
            flip = np.array([side, 1])
            wide = self._seen(flip * _glass(2 * self.breadth))
            rims += [wide, self._seen(flip * self._joint)]
            arms += self._arm(side, self.marks[ear])
            glass.append(self._seen(flip * _glass(0)))
        return rims, arms, glass

    @property
    def _joint(self) -> Shape:
        """What holds an arm."""
        (inner, top), (outer, high) = JOINED, HINGE
        deep = ARM * self.breadth + 1
        return np.array(
            [(inner, top), (outer, high), (outer, high + deep), (inner, top + deep)]
        )

    def _arm(self, side: int, ear: Points) -> list[Shape]:
        """Return the arm that leads to an ear, unless the head hides it."""
        begin = self._joint[1:3] - (OVERLAP, 0)
        hinge, below = self._seen(np.array([side, 1]) * begin)
        outwards, down = side * self.camera[0], self.camera[1]
        end = ear - HIGHER * down
        if (end - hinge) @ outwards <= 0:
            return []
        slim = SLIMMER * (below - hinge)
        return [np.array([hinge, end, end + slim, below])]

    def _seen(self, shape: Shape) -> Shape:
        """Return where an outline of a frame lies in the photo."""
        x, y = shape.T
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


def _bridge(breadth: float) -> Shape:
    """Return the outline of what joins both glasses."""
    end, high = BRIDGE
    x = np.linspace(-end, end, 15)
    above = np.stack([x, high - ARCHED * np.cos(x / end * np.pi / 2)], -1)
    below = above[::-1] + np.array([0, BROADER * breadth])
    return np.concatenate([above, below])


def _with_glasses(
    own: Pixels, solid: Pixels, glass: Pixels, shaded: Pixels, frame: Frame
) -> Pixels:
    """Return what a window of the photo looks like with glasses on, 0 to 255."""
    height, unit = len(solid), frame.unit
    bright = _wide(own @ flow.LUMINANCE, AROUND * unit)[..., None]
    cast = _wide(solid, SOFT * unit)
    higher = np.clip(np.arange(height) - round(BELOW * unit), 0, None)
    cast = cast[higher] * (1 - solid) * shaded
    shade = cast[..., None] * np.array(SHADOW, np.float32)
    seen = own * (1 - shade) * (1 - (1 - CLEAR) * glass[..., None])
    above = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    seen += (GLARE * 255 * above * glass)[..., None]
    # Edges that look up mirror the sky; those below are in the shade.
    thick = frame.breadth * unit
    steep = np.gradient(smoothed(solid, thick / 2), axis=0)[..., None] * thick
    colour = np.array(DARK, np.float32) * (1 - HALF * (-steep).clip(0, 1))
    colour = bright * (colour + SHINE * steep.clip(0, 1) ** 2)
    return np.asarray(seen + solid[..., None] * (colour - seen), np.float32)


def _wide(plane: Pixels, width: float) -> Pixels:
    """Return a plane smoothed by so many pixels, worked out as coarsely as may be."""
    coarse = max(1.0, width / 2)
    height, across = plane.shape
    size = max(1, round(across / coarse)), max(1, round(height / coarse))
    kind = Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(plane).resize(size, kind))
    again = Image.fromarray(smoothed(small, width / coarse))
    return np.asarray(again.resize((across, height), kind))
