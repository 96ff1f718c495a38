"""Which edits a model can be asked for, told by its rows without any weights."""

from collections.abc import Iterable
from itertools import chain

from pretrained.registry import library
from retouch.edits import user_edits
from retouch.edits.directions import UNOFFERED, offered, trait_of
from retouch.edits.manner import GAZE
from retouch.edits.straight import unknown


def traits(model: str) -> list[str]:
    """Return the traits by which a model's faces can be moved."""
    names = {row.name: row.config.get("names", ()) for row in library().rows()}
    learnt = names.get(f"{model}-moves", ())
    sources = learnt, (GAZE,) if learnt else (), names.get(f"{model}-traits", ())
    return [*dict.fromkeys(chain.from_iterable(sources))]


def climbs(model: str) -> bool:
    """Tell whether a model's edits climb: nobody has learnt moves of its latents."""
    return f"{model}-moves" not in {row.name for row in library().rows()}


def check(model: str, names: Iterable[str]) -> None:
    """Refuse names that nothing of a model has, before its networks are loaded.

    Straight moves (axis:3) and models without readers are left to what loads them.
    """
    able = traits(model)
    for name in names:
        if able and ":" not in name:
            refuse_unknown(name, able, user_edits.names(model))


def refuse_unknown(name: str, able: Iterable[str], own: Iterable[str]) -> None:
    """Raise unless a name is the user's own, or moves one of the traits."""
    able, own = list(able), list(own)
    if name not in own and (trait_of(name) not in able or name in UNOFFERED):
        raise unknown("direction", name, [*offered(able), *own])
