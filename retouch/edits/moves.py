"""Edits that go where people go: a wish for a trait, with what belongs to it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retouch.edits.edit import View
from retouch.edits.manner import BEARD, GAZE, GLASSES, MAKE_UP
from retouch.edits.way import Way
from scorers.moves import Moves

Floats = NDArray[np.float32]
EXPRESSION = (
    *("happy", "mouth-open", "mouth-width", "corners-up"),
    *("eyes-open", "brow-height", "brow-gap", "lip-thickness"),
)
OPENING = ("happy", "mouth-open")  # which mouths open and close by
SHAPES = (
    *("eyes-open", "eye-width", "brow-height", "brow-gap", "lip-thickness"),
    *("jaw-width", "chin-length", "nose-width", "nose-length"),
)
# Who is older is heavier, too, and has a wider nose: neither is asked for with years.
AGING = tuple(name for name in SHAPES if name != "nose-width")
GENDERED = tuple(name for name in SHAPES if name != "jaw-width")  # nor are other jaws
# What goes along with a trait in people goes along with a wish for it. By themselves
# labels act on one another: a smile stays half, years draw glasses, and who shall look
# more feminine without make-up gets a stranger's brows.
# A mouth may open without smiling.
ALONG = {name: EXPRESSION for name in ("happy", "corners-up")} | {
    "age": ("glasses", "attractive", "saturation", "corners-up", *AGING),
    "gender": ("eye_makeup", "lip_makeup", *GENDERED),
    "weight": ("jaw-width", "chin-length"),
}
# A smile that shows whole teeth, in deviations; what it keeps of a person's own, such
# as the shadows of shut lips, which break them.
BROADEST, PLAIN = 3.0, 0.4
# Jaws are drawn less wide than that, for they lie at the rim of what is drawn.
WEIGHT, JAW, WIDER = "weight", "jaw-width", 0.7
# Who reads lower than that has nothing left to take away: no beard, no make-up.
BARE = {"beard": -0.8, "eye_makeup": -0.9, "lip_makeup": -0.9}
SHAVEN = -2.0  # deviations of a beard: of its skin nothing is dark by then
# Who reads higher wears some: all but 3 in 100 of 155 people do, and 1 in 100 others.
WEARS = 0.8


@dataclass(frozen=True, eq=False)
class TraitMove:
    """More of a trait, or less, as people have it; 1 is one deviation as it is read."""

    moves: Moves
    name: str

    @property
    def change(self) -> Floats:
        """What one deviation asks of all traits, (traits,)."""
        return self.moves.wish(self.name, ALONG.get(self.name, ()))

    def way(self, view: View, strength: float | Floats) -> Way:
        """Return the ways on which the trait is read to change by strength.

        Args:
            strength: in deviations, of all faces or of each (N,).
        """
        goals = np.broadcast_to(np.asarray(strength, np.float32), len(view.latents))
        if self.name in (GAZE, *SHAPES):
            return self._apart(view, goals)
        if self.name == GLASSES:  # on who wears none
            own = self.moves.read(view.latents)
            worn = own[:, self.moves.names.index(GLASSES)] > WEARS
            return self._apart(view, np.where(worn, 0, goals.clip(0)))
        if self.name == BEARD:
            return self._bearded(view, goals)
        if self.name == MAKE_UP:  # a generator takes it off
            put_on, less = self._apart(view, goals.clip(0)), goals.clip(None, 0)
            return self._learnt(view, less) + put_on if less.any() else put_on
        way = self._learnt(view, goals)
        if self.name == WEIGHT:
            way = replace(way, apart={JAW: np.float32(WIDER) * goals})
        return way

    def _apart(self, view: View, much: Floats) -> Way:
        """Return the way of what no generator draws, and the photo is to show."""
        apart = {self.name: np.asarray(much, np.float32)}
        return replace(Way.none(view.latents), apart=apart)

    def _bearded(self, view: View, goals: Floats) -> Way:
        """Return the way of beards: less shows in part what a generator shaves off."""
        own = self.moves.read(view.latents)[:, self.moves.names.index(BEARD)]
        much = np.maximum(goals, np.minimum(BARE[BEARD] - own, 0))
        shown = self._apart(view, much)
        if (much >= 0).all():
            return shown
        return self._learnt(view, np.where(much < 0, SHAVEN, 0)) + shown

    def _learnt(self, view: View, goals: Floats) -> Way:
        """Return the way of people."""
        moves, change = self.moves, self.change
        own = moves.read(view.latents)
        factors = moves.factors(view.latents, change, self.name, goals)
        wished = (np.sign(goals) * factors)[:, None] * change
        for at, name in enumerate(moves.names):
            if name in BARE:
                least = np.minimum(BARE[name] - own[:, at], 0)
                wished[:, at] = np.maximum(wished[:, at], least)
        if GLASSES in moves.names:
            # They go along with age in people, and are put on nobody's nose for that.
            at = moves.names.index(GLASSES)
            wished[:, at] = np.minimum(wished[:, at], 0)
        return Way.learnt(view.latents, wished.astype(np.float32), moves)


def teeth(moves: Moves, latents: Floats) -> Floats:
    """Return latents (N, ...) of people who smile broadly: so are all teeth drawn.

    Half-way between lips and teeth a generator draws both at once, and years and weight
    blur them.
    """
    smile = moves.wish(OPENING[0], EXPRESSION)
    smile *= BROADEST / np.abs(smile).max()
    return moves.moved(moves.plainer(latents, PLAIN), smile[None])
