"""What is wished of inverted faces, and the way their latents go for it.

Moves that are learnt from people are found anew for every strength, which takes a
moment. A climb takes seconds, and a preview must not: it is made once, to strength 1,
and its way is then gone in part or beyond, so that a preview needs only decoding and
stitching. The full-size picture goes the same way, so it is what the preview showed.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.directions import trait_of
from retouch.edits.moves import TraitMove
from retouch.edits.registry import Registry
from retouch.edits.straight import unknown
from retouch.edits.way import Moved, Way
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import ADULT, YOUNG, Session
from retouch.errors import SettingsError
from retouch.expressions.transfer import Transfers
from retouch.expressions.transfer_options import Transferring
from retouch.service.inverted import InvertedPhoto
from retouch.service.sliders import AXIS
from retouch.settings import Settings, Skin
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]
BEAUTIFY = "beautify"
BARELY = 1e-4  # of the budget, left for what is rounded when it is measured anew


@dataclass(frozen=True)
class Wish:
    """How far a face shall go which way; all of it is added up."""

    beautify: float = 0.0
    # Along directions, and latent axes: smile, axis:3.
    moves: Mapping[str, float] = field(default_factory=dict)
    # What axes and traits shall be, whatever they are now.
    parameters: Mapping[str, float] = field(default_factory=dict)
    # How much of what skin, eyes and teeth are retouched by.
    skin: Mapping[str, Any] = field(default_factory=dict)
    # Whose expression is taken over, and how much of it: source and alpha.
    transfer: Mapping[str, Any] | None = None
    # Whose face is laid over it in the end: person.
    mask: Mapping[str, int] | None = None

    @property
    def words(self) -> str:
        """What is done, for the provenance."""
        moves = {BEAUTIFY: self.beautify, **self.moves}
        said = [f"{name} {value:+g}" for name, value in moves.items() if value]
        if self.parameters:
            said.append(f"{len(self.parameters)} parameters set")
        if self.skin:
            said.append(f"skin: {Skin(look='none', **self.skin).words}")
        if self.transfer:
            said.append(f"transfer {self.transfer['alpha']:g}")
        if self.mask:
            said.append(f"mask of person {self.mask['person']}")
        return ", ".join(said) or "nothing"

    @property
    def trait(self) -> str:
        """What a report compares: the trait of the first move."""
        if self.beautify:
            return "attractive"
        first = next((name for name, value in self.moves.items() if value), "")
        return trait_of(first)

    def for_adults(self, registry: Registry) -> bool:
        """Say whether this is for adults alone."""
        named = {name for name, value in self.moves.items() if value}
        every = named | self.parameters.keys()
        return bool(self.beautify) or any(map(registry.for_adults, every))


@dataclass(frozen=True)
class Wishes:
    """What is wished of a photo's faces: of everyone, or of one by its number."""

    everyone: Wish
    each: Mapping[int, Wish] = field(default_factory=dict)

    @classmethod
    def told(cls, everyone: Mapping[str, Any], each: Mapping[str, Any]) -> "Wishes":
        """Return the wishes that are told in words."""
        return cls(Wish(**everyone), {int(n): Wish(**own) for n, own in each.items()})

    def of(self, number: int) -> Wish:
        """Return what is wished of a face."""
        return self.each.get(number, self.everyone)

    @property
    def sources(self) -> set[str]:
        """The ids of the inverted faces whose expressions are taken over."""
        every = self.everyone, *self.each.values()
        return {wish.transfer["source"] for wish in every if wish.transfer}

    @property
    def words(self) -> str:
        """What is done, for the provenance."""
        own = [f"face {number}: {wish.words}" for number, wish in self.each.items()]
        return "; ".join([self.everyone.words, *own])


class Mover:
    """Moves inverted faces as it is wished; what it has learnt of them is kept."""

    def __init__(self, retoucher: Retoucher):
        self.retoucher = retoucher

    def allowed(
        self, inverted: InvertedPhoto, wishes: Wishes, settings: Settings
    ) -> tuple[list[int], dict[int, str]]:
        """Return the rows of the faces to move, and why others asked for are not."""
        rows, numbers = inverted.rows(settings), inverted.session.chosen
        registry = self.retoucher.registry
        adults = [row for row in rows if wishes.of(numbers[row]).for_adults(registry)]
        if not adults:
            return rows, {}
        if inverted.years is None:
            session = inverted.session
            inverted.years = self.retoucher.examiner.years(session.photo, session.faces)
        young = [row for row in adults if inverted.years[row] < ADULT]
        notes = {numbers[row]: YOUNG for row in young}
        return [row for row in rows if row not in young], notes

    def moved(
        self,
        inverted: InvertedPhoto,
        rows: list[int],
        wishes: Wishes,
        settings: Settings,
        sources: Mapping[str, InvertedPhoto],
        *,
        draft: bool = False,
    ) -> Moved:
        """Return the latents after the wishes, within the budget of identity.

        Args:
            sources: inverted faces whose expressions are taken over, by their ids.
            draft: about within the budget is enough.
        """
        session, ways = inverted.session.part(rows), []
        for place, row in enumerate(rows):
            wish = wishes.of(session.chosen[place])
            ways.append(self._way(inverted, row, wish, settings))
            if wish.transfer:
                source = sources[wish.transfer["source"]]
                ways[-1] += self._borrowed(inverted, row, wish, source, settings)
        way = Way.joined(ways) if ways else Way.none(session.start)
        if not way.leads:
            return Moved.whole(way)
        most = max(0.0, settings.identity - BARELY)
        least = dataclasses.replace(settings, identity=most)
        return self.retoucher.hold([session], way, least, glimpse=draft)

    def _way(
        self, inverted: InvertedPhoto, row: int, wish: Wish, settings: Settings
    ) -> Way:
        """Return the way of an inverted face for its wish."""
        start = inverted.session.start[row : row + 1]
        total = Way.none(start)
        for name, strength in {BEAUTIFY: wish.beautify, **wish.moves}.items():
            if strength:
                wanted = strength * settings.strength
                total += self._gone(inverted, row, name, wanted, settings)
        if wish.parameters:
            traits = self.retoucher.model.traits
            if traits is None:
                raise SettingsError(
                    f"The model '{self.retoucher.model.name}' has no reader of traits,"
                    " and so no parameters. Use moves."
                )
            offset = _set(traits, start, wish.parameters)
            total += Way(start, offset) * settings.strength
        return total

    def _gone(
        self,
        inverted: InvertedPhoto,
        row: int,
        name: str,
        strength: float,
        settings: Settings,
    ) -> Way:
        """Return an inverted face's way to a strength; a climb is made once."""
        if self._is_quick(name, settings):
            return self._found(inverted.session.part([row]), name, strength, settings)
        sign = float(np.sign(strength))
        key = name, sign, settings.keep, settings.identity
        if key not in inverted.ways:
            inverted.ways[key] = self._found(inverted.session, name, sign, settings)
        return inverted.ways[key][[row]] * abs(strength)

    def _is_quick(self, name: str, settings: Settings) -> bool:
        """Say whether a way takes but a moment to be found."""
        if name == BEAUTIFY:
            return False
        edit = self.retoucher.registry.edit(name, settings.kept_traits)
        return isinstance(edit, TraitMove)

    def _found(
        self, session: Session, name: str, strength: float, settings: Settings
    ) -> Way:
        once, engine = dataclasses.replace(settings, strength=1.0), self.retoucher
        if name == BEAUTIFY:
            task = engine.beautifying(dataclasses.replace(once, strength=strength))
        else:
            task = engine.editing({name: strength}, once)
        return task.move(engine.view([session], settings))

    def _borrowed(
        self,
        inverted: InvertedPhoto,
        row: int,
        wish: Wish,
        source: InvertedPhoto,
        settings: Settings,
    ) -> Way:
        """Return the way of a face to the expression of the source's largest.

        All of the expression is followed once, and of that way the wished part is gone.
        """
        assert wish.transfer is not None
        key = "transfer", wish.transfer["source"], row
        if key not in inverted.ways:
            target = inverted.session.only(inverted.session.chosen[row])
            giving = source.session.only(source.session.chosen[0])
            task = self._transfers.task(giving, target, [], Transferring(), settings)
            inverted.ways[key] = task.move(self.retoucher.view([target], settings))
        return inverted.ways[key] * (wish.transfer["alpha"] * settings.strength)

    @cached_property
    def _transfers(self) -> Transfers:
        return Transfers(self.retoucher)


def names(traits: LatentTraits) -> list[str]:
    """Return the names of a face's parameters: its traits, then its axes.

    Axes come in the order of how much of people's differences lies along them.
    """
    axes = (f"{AXIS}{i}" for i in range(len(traits.space.deviations)))
    return [*traits.names, *axes]


def values(traits: LatentTraits, latents: Floats) -> Floats:
    """Return the parameters of faces, (N, names), in deviations of the population."""
    parts = traits.score(latents), traits.space.coordinates(latents)
    return np.concatenate([np.asarray(part) for part in parts], 1)


def _set(traits: LatentTraits, latents: Floats, goals: Mapping[str, float]) -> Floats:
    """Return the moves that put axes, and then traits, where they shall be.

    The traits that are named get there together, on the shortest way.
    """
    known, count = names(traits), len(traits.names)
    start = np.asarray(traits.space.coordinates(latents))
    there, wanted = start.copy(), {}
    for name, value in goals.items():
        if name not in known:
            raise unknown("parameter", name[:40], traits.names)
        place = known.index(name)
        if place < count:
            wanted[place] = value
        else:
            there[:, place - count] = value
    if wanted:
        slopes = traits.slopes[:, list(wanted)].astype(np.float64)  # (K, wanted)
        now = there @ slopes + traits.offsets[list(wanted)]
        there = there + (list(wanted.values()) - now) @ np.linalg.pinv(slopes)
    return np.asarray(traits.space.offset((there - start).astype(np.float32)))
