"""Ways of latents: where edits lead, gone in part, and within a budget of identity."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.manner import BROAD, GLASSES, NOTHING, WHOLE, Manner
from scorers.moves import Moves

Floats = NDArray[np.float32]
LEAST_SHARE = 1 / 64  # of an edit; what needs a smaller one is left alone
LOOKS = 6  # at how far an edit has strayed, at most
NEARLY, AIM = 0.93, 0.97  # of the budget: near enough to it, and what is aimed at
NEXT_TO_NOTHING = 1e-6  # a share by which it can be divided
SHORTER = 0.95  # of the way that would just keep to it; more each time
APART = "apart."  # before the names of what is drawn so, where ways are kept


@dataclass(frozen=True, eq=False)
class Way:
    """From latents in a straight line, as people change, or both; ways add up."""

    start: Floats  # (N, *latent_shape)
    offset: Floats  # what is added to them, straight
    change: Floats | None = None  # (N, traits): how people's traits change, if they do
    moves: Moves | None = None  # which know what that does to latents
    manner: Manner = WHOLE  # how a photo shows it
    # How much of what no generator draws the photo is to show, (N,) each.
    apart: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def none(cls, start: Floats) -> "Way":
        """Return the way that leads nowhere, and to which others are added."""
        return cls(start, np.zeros_like(start), manner=NOTHING)

    @classmethod
    def straight(cls, start: Floats, end: Floats) -> "Way":
        """Return the straight way to an end."""
        return cls(start, end - start)

    @classmethod
    def learnt(cls, start: Floats, change: Floats, moves: Moves) -> "Way":
        """Return the way of people whose traits change by so much, in broad light."""
        return cls(start, np.zeros_like(start), change, moves, BROAD)

    @classmethod
    def joined(cls, ways: Sequence["Way"]) -> "Way":
        """Return the ways of several faces in one."""
        start, offset = (
            np.concatenate([getattr(way, name) for way in ways])
            for name in ("start", "offset")
        )
        moves = next((way.moves for way in ways if way.moves), None)
        changes = [way._changes(moves) for way in ways] if moves else []
        change = np.concatenate(changes) if changes else None
        manner = Manner.joined(way.manner for way in ways)
        names = {name for way in ways for name in way.apart}
        apart = {n: np.concatenate([way._apart(n) for way in ways]) for n in names}
        return cls(start, offset, change, moves, manner, apart)

    def _changes(self, moves: Moves) -> Floats:
        """Return how traits change, by nothing where they need not."""
        if self.change is not None:
            return self.change
        return np.zeros((len(self), len(moves.names)), np.float32)

    def _apart(self, name: str) -> Floats:
        """Return how much of something is drawn apart, (N,)."""
        return self.apart.get(name, np.zeros(len(self), np.float32))

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: slice | list[int]) -> "Way":
        """Return the ways of some of the faces."""
        change = None if self.change is None else self.change[rows]
        apart = {name: much[rows] for name, much in self.apart.items()}
        start, offset = self.start[rows], self.offset[rows]
        return replace(self, start=start, offset=offset, change=change, apart=apart)

    def __add__(self, other: "Way") -> "Way":
        change, moves = self.change, self.moves or other.moves
        if other.change is not None:
            change = other.change if change is None else change + other.change
        offset, manner = self.offset + other.offset, self.manner | other.manner
        names = {*self.apart, *other.apart}
        apart = {name: self._apart(name) + other._apart(name) for name in names}
        return Way(self.start, offset, change, moves, manner, apart)

    def __mul__(self, shares: float | Floats) -> "Way":
        """Return so much of the way, of all or of each face (N,)."""
        part = np.broadcast_to(np.asarray(shares, np.float32), len(self))
        change = None if self.change is None else part[:, None] * self.change
        apart = {name: part * much for name, much in self.apart.items()}
        offset = wide(part, self.offset) * self.offset
        return replace(self, offset=offset, change=change, apart=apart)

    def changes(self, names: Sequence[str], *, more: bool = False) -> bool:
        """Say whether one of some traits may change; on a straight way all may.

        Args:
            more: whether one may grow.
        """
        if self.offset.any() or self.change is None:
            return bool(self.offset.any())
        change = self.change[:, self._places(names)]
        return bool((change > 0 if more else change).any())

    def asked(self, name: str) -> float:
        """Return how much more of something the first face is to show."""
        if name in self.apart:
            return float(self.apart[name][0])
        places = self._places([name])
        if self.change is None or not places:
            return 0.0
        return float(self.change[0, places[0]])

    def _places(self, names: Sequence[str]) -> list[int]:
        """Return where in a change some traits stand, those that are known."""
        known = self.moves.names if self.moves is not None else ()
        return [known.index(name) for name in names if name in known]

    def beginning(self, start: Floats) -> "Way":
        """Return the same way from other latents."""
        return replace(self, start=start)

    @property
    def bare(self) -> "Way":
        """The same way without what is worn: by that nobody becomes somebody else."""
        things = self.manner.things - {GLASSES}
        return replace(self, manner=replace(self.manner, things=things))

    @property
    def end(self) -> Floats:
        """The latents that it leads to; the start itself if it leads nowhere."""
        latents = self.start
        if self.change is not None and self.moves is not None:
            latents = self.moves.moved(latents, self.change)
        return latents + self.offset

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `of` makes the same way of, for the same moves."""
        own = {"start": self.start, "offset": self.offset} | self.manner.arrays
        own |= {APART + name: much for name, much in self.apart.items()}
        return own if self.change is None else own | {"change": self.change}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], moves: Moves | None) -> "Way":
        """Return the way whose arrays these are."""
        start, offset, change = (arrays.get(n) for n in ("start", "offset", "change"))
        assert start is not None and offset is not None
        apart = {n[len(APART) :]: a for n, a in arrays.items() if n.startswith(APART)}
        return cls(start, offset, change, moves, Manner.of(arrays), apart)

    @property
    def leads(self) -> bool:
        """Whether it goes anywhere."""
        changes = self.offset, self.change, *self.apart.values()
        return any(change is not None and change.any() for change in changes)


@dataclass(frozen=True, eq=False)
class Moved:
    """How far edits have gone, and how far each face was let go."""

    way: Way
    shares: Floats  # (N,): of the edit's way, at most 1
    distances: Floats  # (N,): of the embedding between before and after

    @classmethod
    def whole(cls, way: Way) -> "Moved":
        """Return those who have gone all of a way; how far is not known."""
        return cls(way, np.ones(len(way), np.float32), np.zeros(len(way), np.float32))

    @property
    def latents(self) -> Floats:
        return self.way.end

    def __mul__(self, less: Floats) -> "Moved":
        """Return so much of where they are, of each face."""
        return Moved(self.way * less, self.shares * less, self.distances)

    def __getitem__(self, rows: slice | list[int]) -> "Moved":
        return Moved(self.way[rows], self.shares[rows], self.distances[rows])


def wide(values: Floats, latents: Floats) -> Floats:
    """Return a value for each latent, (N,), so that it applies to all its numbers."""
    return values.reshape(-1, *[1] * (latents.ndim - 1))


def within_budget(way: Way, budget: float, strayed: Callable[[Way], Floats]) -> Moved:
    """Shorten ways until no face has strayed further than the budget.

    The distance is taken to grow evenly between the longest part that is known to keep
    to the budget and the shortest that is not, which finds the end in two or three
    looks; the last answer kept to it, and an edit that never does is taken back.

    Args:
        strayed: says how far the embeddings have moved at the end of a way, (N,).
    """
    kept, over = np.zeros((2, len(way)), np.float32), np.ones((2, len(way)), np.float32)
    share = np.ones(len(way), np.float32)
    for _ in range(LOOKS):
        seen = np.stack([share, strayed(way * share)])  # of each face: share, distance
        fits = seen[1] <= budget
        kept, over = np.where(fits, seen, kept), np.where(fits, over, seen)
        done = (kept[0] == 1) | (kept[1] >= NEARLY * budget)
        if done.all():
            break
        slope = (AIM * budget - kept[1]) / np.maximum(over[1] - kept[1], 1e-6)
        further = kept[0] + slope.clip(0.1, 0.9) * (over[0] - kept[0])
        share = np.where(done, kept[0], further).astype(np.float32)
    best = np.where(kept[0] < LEAST_SHARE, 0, kept[0]).astype(np.float32)
    return Moved(way * best, best, kept[1].astype(np.float32))


def within_reach(looks: Sequence[tuple[Floats, Floats]], budget: float) -> Floats:
    """Return which part of how far faces have gone keeps to the budget, (N,).

    A face strays as its share says, or as a parabola once two looks tell it: many stray
    fast at first, and then hardly any further. Where less of a way led further, one of
    them is an accident, and shares are trusted again.

    Args:
        looks: the shares, and how far they led, one look after the other.
    """
    share, gone = looks[-1]
    share = np.maximum(share, NEXT_TO_NOTHING)  # of those who go nowhere
    aim = SHORTER ** max(len(looks) - 1, 1) * budget
    slope: NDArray[Any] = gone / share
    bend: NDArray[Any] = np.zeros_like(gone)
    if len(looks) > 1:
        before, went = looks[-2]
        before = np.maximum(before, NEXT_TO_NOTHING)
        shorter = (share < before) & (gone < went)
        steepened = np.where(shorter, went / before - slope, 0)
        bend = steepened / np.where(shorter, before - share, 1)
        slope = slope - bend * share
    root = np.sqrt((slope**2 + 4 * bend * aim).clip(0))
    reach = 2 * aim / np.maximum(slope + root, 1e-6)
    return np.asarray(reach / share, np.float32)
