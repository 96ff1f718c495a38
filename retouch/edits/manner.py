"""The manner of an edit: what of a face it is to change in a photo."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FACE, MOUTH = "face", "mouth"
# Things, called as the traits that say how much of them there is:
BEARD, GLASSES, LINES, MAKE_UP = "beard", "glasses", "age", "eye_makeup"
GAZE = "gaze"  # which nothing reads: it is as asked
DRAWN = frozenset({BEARD, GLASSES, LINES, MAKE_UP})  # in ink; the rest is moved


@dataclass(frozen=True)
class Manner:
    """How a photo shows what an edit draws.

    What is typical of a trait is also typical of photographs (the old are grey), so
    that light keeps so much of its own colour and takes the rest from the photo.
    """

    fine: bool = True  # fine light: folds, wrinkles, hair, frames, make-up; else broad
    colour: float = 1.0  # of its own that light keeps
    where: frozenset[str] = frozenset({FACE})  # the regions that it is meant for
    still: bool = False  # no feature moves: hair and paint alone are meant
    even: bool = False  # no cheek or lid gets lighter or darker as a whole
    calm: bool = False  # eyes, brows and lips stay, for no expression is meant
    things: frozenset[str] = frozenset()  # what is drawn apart, at the photo's size

    @property
    def lit(self) -> bool:
        """Whether light is meant: it is not where a part alone is reshaped."""
        painted = self.still and MOUTH in self.where
        return self.fine or painted or FACE in self.where

    @property
    def aging(self) -> bool:
        """Whether years are meant: heads do not turn by them, nor beards get light."""
        return LINES in self.things

    @property
    def bends(self) -> bool:
        """Whether features move, and the face's outline with them."""
        return not self.still or bool(self.things - DRAWN - {GAZE})

    def __or__(self, other: Self) -> "Manner":
        """Return the manner of two edits at once."""
        return Manner(
            self.fine or other.fine,
            max(self.colour, other.colour),
            self.where | other.where,
            self.still and other.still,
            self.even and other.even,
            self.calm and other.calm,
            self.things | other.things,
        )

    @classmethod
    def joined(cls, manners: Iterable["Manner"]) -> "Manner":
        """Return the manner of several edits at once."""
        return reduce(cls.__or__, manners, NOTHING)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `of` makes the same manner of."""
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: _packed(value) for name, value in own.items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "Manner":
        """Return the manner whose arrays these are."""
        own = {entry.name: arrays[entry.name].tolist() for entry in fields(cls)}
        sets = {name: frozenset(own[name]) for name in ("where", "things")}
        return cls(**own | sets)


def _packed(value: Any) -> NDArray[Any]:
    if isinstance(value, frozenset):
        return np.array(sorted(value), np.str_)
    return np.array(value)


WHOLE = Manner()  # all that is drawn
NOTHING = Manner(False, 0.0, frozenset(), still=True, even=True, calm=True)
BROAD = Manner(fine=False, colour=0.0)  # broad light in the photo's own colours
EVEN = Manner(fine=False, colour=0.0, even=True)  # no broader than a feature
FOLDS = Manner(colour=0.0)  # fine light, too: smiles and years fold cheeks
TYPICAL = Manner(colour=0.4)  # of colour the part that may be the trait's
