"""Directions of the user's own: learnt from ratings, or imported from a file."""

from dataclasses import replace
from typing import TYPE_CHECKING

from pretrained import directions
from pretrained.registry import check_name as check_letters
from pretrained.registry import library
from retouch.edits import learnt as readers
from retouch.edits.directions import DIRECTIONS
from retouch.edits.edit import STEPS, Direction
from retouch.errors import SettingsError

if TYPE_CHECKING:
    from retouch.edits.climb import Ascent
    from retouch.models import Model


def names(model: str) -> list[str]:
    """Return what the user has for the latents of a model."""
    every = library()
    family = _family(model)
    imported = [
        row.name
        for row in every.rows()
        if row.kind == "directions" and row.family == family
    ]
    return [row.name for row in readers.rows(every, model)] + imported


def own(
    model: "Model", name: str, keep: tuple[str, ...], steps: int = STEPS
) -> "Ascent | Direction | None":
    """Return the user's own edit of that name, or None."""
    every = library()
    if name in {row.name for row in readers.rows(every, model.name)}:
        return _climb(model, readers.load(every, name), keep, steps)
    kinds = {row.name: row.kind for row in every.rows()}
    if kinds.get(name.partition("/")[0]) != "directions":
        return None
    found = every.direction(name)
    directions.check_family(found, model.name, _family(model.name))
    offset = directions.fit(found, model.name, tuple(model.generator.latent_shape))
    return Direction(name, offset)


def _climb(
    model: "Model", learnt: readers.Learnt, keep: tuple[str, ...], steps: int
) -> "Ascent":
    sight, traits = model.in_keras.sight, model.traits
    if sight is None or traits is None:
        raise SettingsError(f"The model '{model.name}' has no eyes to climb by.")
    from retouch.edits.climb import Ascent, Climber

    guide = replace(sight, judge=sight.judge.joined(learnt.judge))
    wider = traits.joined(learnt.name, learnt.latent, learnt.skill)
    climber = Climber(model.in_keras.generator, wider, guide)
    return Ascent(climber, learnt.name, keep, steps)


def _family(model: str) -> str:
    rows = {row.name: row for row in library().rows() if row.kind == "generator"}
    return rows[model].family if model in rows else ""


def check_name(model: "Model", name: str) -> None:
    """Refuse a name that something else has."""
    library().check_free(check_letters(name))
    traits = model.traits.names if model.traits else ()
    if name in DIRECTIONS or name in traits:
        raise SettingsError(f"'{name}' ships with retouch. Choose another name.")
