"""What an edit did to a crop, and where the photo may show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from retouch.edits.manner import WHOLE, Manner
from retouch.faces.crop import Pixels, resized
from retouch.geometry import Points


class Mouth(NamedTuple):
    """A mouth that is painted anew."""

    picture: Pixels  # (R, R, 3)
    marks: Points  # (68, 2); if it opens, further open: there teeth are not half lips
    bite: float = 1.0  # the part of an opening that teeth fill, from above

    def resized(self, size: int) -> "Mouth":
        part = size / len(self.picture)
        return Mouth(resized(self.picture, size), part * self.marks, self.bite)


@dataclass(frozen=True, eq=False)
class Change:
    """What an edit did to a crop: RGB from 0 to 255, any size."""

    before: Pixels  # (R, R, 3)
    after: Pixels  # (R, R, 3)
    marks: tuple[Points, Points]  # (68, 2) each, in crop pixels: where both show them
    manner: Manner = WHOLE  # which of it the photo is to show
    mouth: Mouth | None = None  # if it is painted anew
    # Where both pictures show skin, (R, R) each; not hair or glasses in front of it.
    bare: tuple[Pixels, Pixels] | None = None
    # How much more of some things is asked for, in deviations: 0 and less of glasses.
    asked: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = self.before.shape[0]
        _require("before", self.before, (size, size, 3))
        _require("after", self.after, (size, size, 3))
        for marks in self.marks:
            _require("marks", marks, (68, 2))
        if self.mouth is not None:
            _require("mouth", self.mouth.picture, (size, size, 3))
            _require("mouth", self.mouth.marks, (68, 2))
        for bare in self.bare or ():
            _require("bare", bare, (size, size))

    @property
    def size(self) -> int:
        return self.before.shape[0]

    @property
    def is_none(self) -> bool:
        return not self.is_drawn and not any(self.asked.values())

    @property
    def is_drawn(self) -> bool:
        """Whether a generator drew any of it."""
        return not np.array_equal(self.before, self.after)

    def resized(self, size: int) -> "Change":
        before, after = (resized(c, size) for c in (self.before, self.after))
        part = size / self.size
        marks = self.marks[0] * part, self.marks[1] * part
        mouth = self.mouth and self.mouth.resized(size)
        bare = self.bare
        if bare is not None:
            was, now = (resized(b[..., None], size)[..., 0] for b in bare)
            bare = was, now
        return Change(before, after, marks, self.manner, mouth, bare, self.asked)


def _require(name: str, field: Pixels | Points, shape: tuple[int, ...]) -> None:
    if field.shape != shape or field.dtype.kind != "f":
        got = f"{field.dtype} {field.shape}"
        raise ValueError(f"A change's {name} must be floats {shape}; received {got}.")
    if not np.isfinite(field).all():
        raise ValueError(f"A change's {name} must be finite; received NaN or infinity.")


class Masks(NamedTuple):
    """Where a face may change, and what it shows there; (S, S) each."""

    edit: Pixels
    # Where its pixels may move, on a crop that is as wide, or wider on each side.
    room: Pixels
    surface: Pixels  # of the face, without what lies behind the jaw
    skin: Pixels
    own: Pixels  # eyes within their lids, and teeth in view: no light is theirs
    lashes: Pixels  # around eyes: none of theirs is taken but by make-up
    hair: Pixels  # how surely a pixel shows the head's
    flesh: Pixels  # and skin, or the beard on it
    brows: Pixels  # which are drawn a little elsewhere: they get no fine light
    marks: Points  # (68, 2), the face's landmarks in the crop
    things: Mapping[str, Pixels]  # where those may show that are meant, on crops that
    wider: int  # are by so many pixels wider on each side

    @property
    def beside(self) -> int:
        """By how many pixels the room is wider on each side."""
        return (len(self.room) - len(self.edit)) // 2
