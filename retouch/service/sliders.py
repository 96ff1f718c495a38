"""The sliders of the page: what each moves, in which group, and how far.

The page is built from this list alone. A direction that ships appears by itself, in
the group that its name is listed in below or else in the last.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import fields
from typing import Any

from pydantic import BaseModel

from retouch.settings import LOOKS, Settings, Skin

AXIS = "axis:"  # latent axes, which the page lists apart
STYLE = "Style"
GROUPS = {
    "Expression": ("smile", "mouth-open", "eyes-open", "brows"),
    "Shape": (
        *("weight", "jaw", "chin", "lips", "nose-width", "nose-length"),
        *("eye-width", "brow-gap"),
    ),
    "Age": ("age",),
    STYLE: ("eye-make-up", "lip-make-up", "well-groomed", "beard", "glasses"),
}
PARTS = {"even": "even tone", "texture": "smooth skin", "circles": "dark circles"}
KEPT = ": all of it at the left end"  # of what is kept where nothing is done
BEAUTY = "beauty"  # the direction that beautify climbs: one slider for both


class Slider(BaseModel):
    """One slider, and where a render's wish has its value."""

    name: str
    group: str
    field: str  # "moves": a name in it; "beautify": itself; and so on
    label: str
    hint: str
    low: float  # the strength at its left end
    high: float  # and at its right one, which of what is kept is less
    start: float = 0.0
    enhance: float | None = None  # where the button Enhance puts it


def sliders(told: Mapping[str, Any]) -> list[Slider]:
    """Return the sliders of what a worker tells of itself."""
    known = {row["name"]: row for row in told["directions"]}
    found = [*([_beautify()] if BEAUTY in known else []), *_skin()]
    found += _directed({name: row for name, row in known.items() if name != BEAUTY})
    return [*found, *_whole(told["verbs"]), _identity()]


def _beautify() -> Slider:
    return Slider(
        name="beautify",
        group="Retouch",
        field="beautify",
        label="Beautify",
        hint="To the right: more attractive, as many people see it",
        low=0,
        high=2,
        enhance=1,
    )


def _skin() -> Iterable[Slider]:
    """Yield what of skin, eyes and teeth is retouched; Enhance does as beautify."""
    left, natural = LOOKS["none"], Skin.beside("natural").filled()
    helped = {entry.name: entry.metadata["help"] for entry in fields(Skin)}
    for name, nothing in left.items():
        wanted = natural[name]
        yield Slider(
            name=name,
            group="Retouch",
            field="skin",
            label=PARTS.get(name, name.replace("_", " ")).capitalize(),
            hint=helped[name].rstrip(".") + (KEPT if nothing else ""),
            low=nothing,
            high=1 - nothing,
            start=nothing,
            enhance=None if wanted == nothing else wanted,
        )


def _directed(known: Mapping[str, Mapping[str, Any]]) -> Iterable[Slider]:
    listed = {name for names in GROUPS.values() for name in names}
    for group, names in GROUPS.items():
        more = [name for name in known if group == STYLE and name not in listed]
        for name in (*(name for name in names if name in known), *more):
            yield _direction(group, known[name])


def _direction(group: str, row: Mapping[str, Any]) -> Slider:
    label = row["name"].replace("-", " ").replace("make up", "make-up").capitalize()
    return Slider(
        name=row["name"],
        group=group,
        field="moves",
        label=label,
        hint=f"To the right: {row['meaning']}",
        low=row["low"],
        high=row["high"],
    )


def _whole(verbs: Container[str]) -> Iterable[Slider]:
    """Yield what works on the whole face: another's expression, another's face."""
    if "transfer" in verbs:
        yield Slider(
            name="transfer",
            group="Transfer",
            field="transfer",
            label="Expression",
            hint="How much of the other's expression is taken over",
            low=0,
            high=1.5,
        )
    if "mask" in verbs:
        yield Slider(
            name="mask",
            group="Mask",
            field="mask",
            label="Person",
            hint="Whose face is laid over this one",
            low=0,
            high=2**31 - 1,
        )


def _identity() -> Slider:
    (option,) = (entry for entry in fields(Settings) if entry.name == "identity")
    return Slider(
        name="identity",
        group="Advanced",
        field="settings",
        label="Identity may move",
        hint="At the right end it is another person",
        low=option.metadata["low"],
        high=option.metadata["high"],
        start=Settings().identity,
    )
