"""Beautify: a climb in what people differ in, judged by the picture that it gives.

What is climbed are some numbers of a wish, through the moves learnt from people and
through the generator, so that no face leaves what people look like. Each is tried a
step; the guide says what that does to the picture that the photo will show. A straight
line through all that was seen tells where to go next, to two places at once, and what
is seen there bends it: tries that are near count most, for faces do not answer in
straight lines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retouch.edits.edit import View
from retouch.edits.manner import EVEN
from retouch.edits.way import Way
from retouch.faces.crop import resized
from retouch.faces.identity import COMPARED, looks
from retouch.geometry import LEFT_EYE, MOUTH_CORNERS, OUTER_LIPS, RIGHT_EYE
from scorers.guide import Guide
from scorers.moves import Moves

Floats = NDArray[np.float32]
# What is tried of a face. Some of it may not change, and serves to take back what else
# goes along: what is kept is held by what the guide sees.
FREE = (
    *("attractive", "eyes-open", "eye-width", "brow-height", "brow-gap", "jaw-width"),
    *("nose-width", "nose-length", "mouth-width", "weight", "beard", "skin-color"),
    *("light", "light-side", "age", "gender", "eye_makeup", "lip_makeup"),
)
STAYS = ("beard",)  # whatever is asked to be kept
WISHED = "attractive"
GOAL = 0.7  # deviations that strength 1 wishes for; identity ends the way before
STEP = 0.8  # deviations by which each number is tried
TRIES, BESIDE = 32, 2  # further on, and how many of them at once,
APART = 0.6  # so many deviations from each other
AT_ONCE = 8  # pictures that are drawn together
# How far the descriptor may move in the crop at strength 1, and how that grows.
REACH, GROWTH = 0.185, 0.42
# Deviations by which a kept trait may be seen to drift at strength 1: rested eyes are
# more open, and read as younger.
DRIFTS: Mapping[str, float] = {
    **{"age": 0.35, "eyes-open": 0.35, "glasses": 0.3, "skin-color": 0.25},
    **{"eye_makeup": 0.1, "lip_makeup": 0.1, "weight": 0.17, "beard": 0.25},
}
OTHERS = 0.18
# In hundredths, by how much cheeks, each eye's lids and what is around the mouth may be
# lighter or darker: no lids are shadowed, and no beard turns grey.
TONES = 0.7, 1.0, 1.0, 1.0
# Half as wide and as high, in what eyes are apart:
CHEEK, LIDS, EYE = (0.14, 0.14), (0.36, 0.2), (0.25, 0.1)
BEARD, MOUTH = (0.5, 0.36), (0.34, 0.18)
# What is beyond costs so many times as much as what is missing in gain:
TOO_FAR, DRIFTED = 15.0, 6.0
SHORT = 0.02  # on the square of a change
# Of the line through what was seen: how unsure each picture is, more so from afar; how
# long a change may be, what identity counts, and what drifts do, in several measures.
UNSURE, AFAR = 0.1, 1.0
LENGTH, IDENTITY, HOLDS = 0.03, 10.0, (0.3, 1.0, 3.0, 10.0, 30.0)
SHARES = np.linspace(0.4, 1.3, 10, dtype=np.float32)  # of a way, that are thought of
SAME = 0.05  # deviations: so near is what was tried already
STRAYS = 0.12  # how far the descriptor strays from the line, for one deviation off


@dataclass(frozen=True, eq=False)
class Terms:
    """What is wished of what the guide sees, and what must stay."""

    wished: Floats  # (inputs,): slopes of the gain
    kept: Floats  # (inputs, kept): slopes of what may not drift,
    drifts: Floats  # (kept,): by more than this
    who: int  # how many inputs tell who it is
    goal: float
    reach: float  # how far the descriptor may move

    def costs(self, seen: Floats, strays: float | Floats = 0.0) -> Floats:
        """Return what is amiss in changes of inputs, (K,); less is better.

        Args:
            strays: how much further who it is may have gone than is seen.
        """
        beyond = np.maximum(np.abs(seen @ self.kept) - self.drifts, 0)
        far = np.hypot(np.linalg.norm(seen[:, : self.who], axis=1), strays)
        short = np.maximum(self.goal - seen @ self.wished, 0)
        over = TOO_FAR * np.maximum(far - self.reach, 0)
        return np.asarray(short + over + DRIFTED * beyond.sum(1), np.float32)

    def ways(self, slopes: Floats) -> Floats:
        """Return changes that gain most, if all went straight, (ways, free)."""
        who, same = slopes[:, : self.who], LENGTH * np.eye(len(slopes))
        drifts = slopes @ (self.kept / self.drifts * OTHERS)
        ways = []
        for hold in HOLDS:
            square = IDENTITY * who @ who.T + hold * drifts @ drifts.T + same
            way = np.linalg.solve(square, slopes @ self.wished)
            far = np.maximum(np.linalg.norm(way @ who), 1e-6)
            ways.append(np.asarray(way * self.reach / far, np.float32))
        return np.stack(ways)


@dataclass(frozen=True, eq=False)
class Tried:
    """What was tried of a face, and by what inputs changed there."""

    changes: Floats  # (K, free)
    seen: Floats  # (K, inputs)

    def __add__(self, other: "Tried") -> "Tried":
        changes = np.concatenate([self.changes, other.changes])
        return Tried(changes, np.concatenate([self.seen, other.seen]))

    def best(self, terms: Terms) -> Floats:
        """Return the change with least amiss; none, if that is no worse."""
        seen = np.vstack([0 * self.seen[:1], self.seen])
        changes = np.vstack([0 * self.changes[:1], self.changes])
        return changes[int(np.argmin(terms.costs(seen)))]

    def next(self, terms: Terms, count: int = 1) -> Floats:
        """Return the most promising changes that were not tried yet, (count, free).

        They lie apart: one that turns out ill says little against another.
        """
        slopes, shares = self._slopes(self.best(terms)), SHARES[:, None, None]
        ways = (shares * terms.ways(slopes)).reshape(-1, len(slopes))
        known = (shares * self.changes).reshape(-1, len(slopes))
        seen = (shares * self.seen).reshape(len(known), -1)
        changes = np.concatenate([ways, known])
        seen = np.concatenate([ways @ slopes, seen])
        gaps = np.linalg.norm(changes[:, None] - self.changes, axis=-1).min(1)
        costs = terms.costs(seen, STRAYS * gaps) + SHORT * (changes**2).sum(1)
        found: list[Floats] = []
        for _ in range(count):
            costs += np.where(gaps < SAME, np.inf, 0)
            found.append(changes[int(np.argmin(costs))])
            gaps = np.linalg.norm(changes - found[-1], axis=-1)
            costs += gaps < APART
        return np.stack(found)

    def _slopes(self, around: Floats) -> Floats:
        """Return the straight line through what was seen, (free, inputs)."""
        unsure = UNSURE * (1 + AFAR * ((self.changes - around) ** 2).sum(1))
        square = self.changes @ self.changes.T + np.diag(unsure)
        return np.asarray(self.changes.T @ np.linalg.solve(square, self.seen))


@dataclass(frozen=True, eq=False)
class Beauty:
    """A climb to more of what raters like, while what is kept stays."""

    moves: Moves
    guide: Guide
    keep: tuple[str, ...] = ()

    def way(self, view: View, strengths: Floats, goals: Floats) -> Way:
        """Return the ways of all faces.

        Args:
            strengths: how far each may go, (N,).
            goals: deviations that each shall gain, (N,).
        """
        rows = zip(strengths, goals, strict=True)
        changes = [self._climbed(view, i, *row) for i, row in enumerate(rows)]
        return self._way(view.latents, np.stack(changes))

    def _climbed(self, view: View, row: int, strength: float, goal: float) -> Floats:
        """Return how the traits of one face change, (traits,)."""
        steps = STEP * np.eye(len(self._free), dtype=np.float32)
        reach = min(view.budget, REACH * max(strength, 0) ** GROWTH)
        if reach <= 0 or goal <= 0:
            return self._whole(0 * steps[:1])[0]
        terms, was = self._terms(goal, reach), self._seen(view, row, 0 * steps[:1])
        tried = Tried(steps, self._seen(view, row, steps) - was)
        for first in range(0, TRIES, BESIDE):
            self._tell(view, row, tried)
            steps = tried.next(terms, min(BESIDE, TRIES - first))
            tried += Tried(steps, self._seen(view, row, steps) - was)
        return self._whole(tried.best(terms)[None])[0]

    def _tell(self, view: View, row: int, tried: Tried) -> None:
        """Tell what part of all that is tried is done."""
        part = len(tried.changes) / (len(self._free) + TRIES)
        view.tell((row + part) / len(view.latents))

    def _seen(self, view: View, row: int, changes: Floats) -> Floats:
        """Return what is seen of one face after each change, (K, inputs)."""
        start = np.repeat(view.latents[row : row + 1], len(changes), 0)
        whole = self._way(start, self._whole(changes))
        return np.concatenate(list(self._looks(view, row, whole)))

    def _way(self, start: Floats, changes: Floats) -> Way:
        return replace(Way.learnt(start, changes, self.moves), manner=EVEN)

    def _looks(self, view: View, row: int, whole: Way) -> Iterator[Floats]:
        """Yield the guide's inputs, and after them how light some parts are."""
        assert view.show is not None and view.marks is not None
        marks = view.marks[row]
        for i in range(0, len(whole), AT_ONCE):
            images = view.show(whole[i : i + AT_ONCE], row)
            parts = _toned(marks, images.shape[1])
            tones = [50 * images.mean(-1)[:, part].mean(1) for part in parts]
            yield np.column_stack([self._read(images, marks), *tones])

    def _read(self, images: Floats, marks: Floats) -> Floats:
        """Return what the guide reads of crops, (N, inputs).

        It reads them twice, as models frame faces and as dlib aligns them: what gains
        in one framing alone is gone as soon as somebody looks at the photo.
        """
        finer = np.stack([resized(image, COMPARED) for image in images])
        placed = marks * np.float32(COMPARED / images.shape[1])
        aligned = looks(finer, np.repeat(placed[None], len(images), 0))
        readings = self.guide.sees(images), self.guide.told(*aligned)
        return np.mean([np.asarray(reading) for reading in readings], 0)

    def _terms(self, goal: float, reach: float) -> Terms:
        """Return what is wished; the last of the inputs tell how light parts are."""
        judge = self.guide.judge
        place, who = judge.names.index(WISHED), len(judge.descriptor_slopes)
        seen, tones = len(judge.slopes), len(TONES)
        wished = np.append(judge.slopes[:, place], np.zeros(tones, np.float32))
        wished[:who] += judge.descriptor_slopes[:, place]
        kept = [n for n in dict.fromkeys((*self.keep, *STAYS)) if n in judge.names]
        held = np.zeros((len(wished), len(kept) + tones), np.float32)
        places = [judge.names.index(name) for name in kept]
        held[:seen, : len(kept)] = judge.slopes[:, places]
        held[seen:, len(kept) :] = np.eye(tones)
        drifts = np.array([*(DRIFTS.get(n, OTHERS) for n in kept), *TONES], np.float32)
        drifts *= reach / REACH  # a little of a change changes little besides
        return Terms(np.float32(0.5) * wished, held, drifts, who, goal, reach)

    def _whole(self, changes: Floats) -> Floats:
        """Return what is free as changes of all traits, (K, traits)."""
        whole = np.zeros((len(changes), len(self.moves.names)), np.float32)
        whole[:, self._free] = changes
        return whole

    @cached_property
    def _free(self) -> list[int]:
        return [self.moves.names.index(n) for n in FREE if n in self.moves.names]


def _toned(marks: Floats, size: int) -> list[NDArray[np.bool_]]:
    """Return where in a crop cheeks, each eye's lids and what is around a mouth lie."""
    across, down = (axis + 0.5 for axis in np.mgrid[:size, :size][::-1])
    eyes = [marks[eye].mean(0) for eye in (LEFT_EYE, RIGHT_EYE)]
    unit = np.hypot(*(eyes[1] - eyes[0]))

    def within(middle: Floats, wide: float, high: float) -> NDArray[np.bool_]:
        far = (across - middle[0]) / wide, (down - middle[1]) / high
        return np.asarray(np.hypot(*far) < unit)

    corners = zip(eyes, MOUTH_CORNERS, strict=True)
    spots = [(eye + marks[corner]) / 2 for eye, corner in corners]
    spots.append(1.9 * marks[27] - 0.9 * marks[30])
    cheeks = np.any([within(spot, *CHEEK) for spot in spots], 0)
    lids = [within(eye, *LIDS) & ~within(eye, *EYE) for eye in eyes]
    mouth = marks[OUTER_LIPS].mean(0)
    return [cheeks, *lids, within(mouth, *BEARD) & ~within(mouth, *MOUTH)]
