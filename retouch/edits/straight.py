"""Straight moves that are asked for by name: the same for every face.

`axis:3` is the fourth principal axis of a model's latents, the axes being sorted by
variance; `mean:smiling` is the difference between the means of those who smile and
those who do not; `straight:happy` was fitted to what readers see in pictures. Strength
1 is one deviation, of the axis or of the trait.
"""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from retouch.edits.edit import Direction
from retouch.errors import SettingsError

if TYPE_CHECKING:
    from retouch.models import Model

MOST = 5.0  # deviations: nobody is farther from the middle of the population


def named(model: "Model", name: str) -> Direction | None:
    """Return the straight move of that name; None if the name is of no such kind."""
    kind, colon, rest = name.partition(":")
    kinds = {"axis": _axis, "mean": _mean, "straight": _straight}
    return kinds[kind](model, name, rest) if colon and kind in kinds else None


def bounded(name: str, strength: Any) -> Any:
    """Return a move's strength, one or several, if no face is asked to leave faces."""
    if not (np.abs(strength) <= MOST).all():
        raise SettingsError(
            f"The strength of '{name}' must lie in [-{MOST:g}, {MOST:g}];"
            f" got {strength}."
        )
    return strength


def unknown(what: str, name: str, known: Iterable[str]) -> SettingsError:
    """Return the error of a name that nothing has, with the nearest that is there."""
    every = sorted(known)
    near = get_close_matches(name, every, 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(every) or "none"
    return SettingsError(f"No {what} is called '{name}'.{hint} Known: {listed}.")


def _axis(model: "Model", name: str, number: str) -> Direction:
    if model.traits is None:
        raise SettingsError(
            f"The model '{model.name}' has no reader of its latents, which would know"
            " their axes. Use --model vae."
        )
    space = model.traits.space
    last = len(space.deviations) - 1
    if not number.isascii() or not number.isdigit() or int(number) > last:
        raise SettingsError(
            f"The axes of '{model.name}' are axis:0 to axis:{last}, by their variance;"
            f" got '{name}'."
        )
    place = int(number)
    offset = space.axes[place] * space.deviations[place]
    return Direction(name, offset.reshape(space.mean.shape))


def _mean(model: "Model", name: str, trait: str) -> Direction:
    if not model.means:
        raise SettingsError(
            f"The model '{model.name}' has no differences of means. Use --model vae."
        )
    if trait not in model.means:
        raise unknown("difference of means", trait, model.means)
    return Direction(name, model.means[trait])


def _straight(model: "Model", name: str, trait: str) -> Direction:
    known = model.traits.moved if model.traits else ()
    if model.traits is None or not known:
        raise SettingsError(
            f"The model '{model.name}' has no straight moves. Use --model vae."
        )
    if trait not in known:
        raise unknown("straight move", trait, known)
    return replace(Direction.of(model.traits, trait, ()), name=name)
