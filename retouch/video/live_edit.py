"""An edit before a camera: worked out now and then, and carried along in between.

What an edit does to a face in one frame, its layers, are a key. In the frames that
follow they go where the landmarks go, which costs a tenth of working them out; where
the face does not look any more as it did, behind a hand or with its mouth open, they
are held back. New keys are worked out beside the loop, whenever the face has changed or
some time has passed, and are faded in. So frames depend, unlike those of `EditEffect`,
on how quick the machine is.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.way import Way
from retouch.engine.session import Task
from retouch.faces.crop import Pixels, resized
from retouch.faces.grey import Grey
from retouch.geometry import CropTemplate, Face, Points, Similarity
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.smoothing import ramp, smoothed
from retouch.stitching import flow
from retouch.stitching.layers import Layers
from retouch.video.edit_effect import opened, packed, unpacked, way
from retouch.video.track import Track

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher

SOON, LATE = 0.4, 2.5  # seconds after which a changed face gets a new key, and any
CHANGED = 0.012  # parts of a face by which landmarks go that bend it
FADE = 0.35  # seconds from one key to the next
NEAR = 0.25  # pixels of a key: landmarks that go less are where they were
SEEN = 48  # pixels a side of the faces that are compared
ALIKE, UNLIKE = 22.0, 50.0  # levels of light apart: the same still, and another thing


@dataclass(frozen=True, eq=False)
class Key:
    """What an edit does to a face, as one frame showed it."""

    layers: Layers
    marks: Points  # (68, 2), in the layers' pixels
    seen: Pixels  # (SEEN, SEEN), the face's light

    @property
    def size(self) -> int:
        return len(self.layers.reach) - 2 * self.layers.wider

    def at(self, marks: Points) -> Layers:
        """Return the layers as they lie when the landmarks lie there."""
        if np.abs(marks - self.marks).max() < NEAR:
            return self.layers
        wider = self.layers.wider
        moves = flow.between(self.marks + wider, marks + wider, len(self.layers.reach))
        return carried(self.layers, moves)


@dataclass(eq=False)
class Person:
    """Whose face is edited, and what is known of it."""

    way: Way | None = None  # found with the first key
    known: bool = False  # whether it was looked for
    key: Key | None = None
    last: Layers | None = None  # what the key fades in from, where its landmarks are
    since: float = 0.0  # when the key came
    asked: float = -np.inf  # when the last one was asked for
    job: Future[Key | None] | None = None


class LiveEdit:
    """Edits tracked faces at the rate of a camera.

    Whoever looks younger than 18 when first seen is left alone by tasks for adults.
    """

    def __init__(
        self,
        retoucher: "Retoucher",
        task: Task,
        settings: Settings,
        beside: Executor | None = None,
    ):
        self.retoucher, self.task, self.settings = retoucher, task, settings
        self.name = task.purpose.name
        self.people: dict[int, Person] = {}
        self._beside = beside or ThreadPoolExecutor(1)

    @property
    def template(self) -> CropTemplate:
        return self.retoucher.model.template

    def apply(
        self, pixels: NDArray[Any], tracks: Iterable[Track], time: float
    ) -> NDArray[Any]:
        """Return the frame with the faces edited as far as it is known how."""
        result = pixels.copy()
        for track in tracks:
            person = self.people.setdefault(track.number, Person())
            self._keep_up(person, pixels, track, time)
            if person.key is not None:
                self._lay(person, person.key, result, track.face, time)
        return result

    def _keep_up(
        self, person: Person, pixels: NDArray[Any], track: Track, time: float
    ) -> None:
        """Take up a key that is done, and ask for the next where one is due."""
        if person.job is not None and person.job.done():
            new, person.job = person.job.result(), None
            if new is not None:
                old = person.key
                person.last = _moved_to(old, new) if old else none(new.layers)
                person.key, person.since = new, time
        if person.job is None and self._is_due(person, track.face, time):
            person.asked, now = time, replace(track)  # which goes on meanwhile
            person.job = self._beside.submit(self._found, person, pixels, now)

    def _is_due(self, person: Person, face: Face, time: float) -> bool:
        if person.known and not (person.way and person.way.leads):
            return False
        if time - person.asked < SOON:
            return False
        if person.key is None or time - person.since > LATE:
            return True
        bent = np.hypot(*(self._marks(person.key, face) - person.key.marks).T)
        return bool(bent[17:].mean() > CHANGED * person.key.size)

    def _found(self, person: Person, pixels: NDArray[Any], track: Track) -> Key | None:
        """Return the key of a frame, if the face may be edited; beside the loop."""
        engine, settings = self.retoucher, self.settings
        adults = self.task.purpose.adults and not person.known
        session = opened(engine, Photo(pixels), track, settings, adults=adults)
        if not person.known:
            person.way = way(engine, session, self.task, settings)
            person.known = True
        if person.way is None or not person.way.leads or not session.chosen:
            return None
        going = person.way.beginning(session.start)
        layers = engine.renderer.planned(pixels, track.face, going, settings)
        if layers is None:
            return None
        size = len(layers.reach) - 2 * layers.wider
        place = track.face.transform(self.template, size)
        layers = layers.flat(pixels, place)
        seen = self._seen(pixels, track.face)
        return Key(layers, place(track.face.landmarks), seen)

    def _marks(self, key: Key, face: Face) -> Points:
        return face.transform(self.template, key.size)(face.landmarks)

    def _seen(self, pixels: NDArray[Any], face: Face) -> Pixels:
        """Return the light of a face, (SEEN, SEEN)."""
        place = face.transform(self.template, SEEN)
        grey = Grey.near(pixels, place.inverse @ Similarity.scaling(SEEN))
        return grey.square(place, SEEN).astype(np.float32)

    def _lay(
        self, person: Person, key: Key, frame: NDArray[Any], face: Face, time: float
    ) -> None:
        part = (time - person.since) / FADE
        if part >= 1:
            person.last = None
        if person.last is not None:
            key = replace(key, layers=mixed(person.last, key.layers, part))
        layers = key.at(self._marks(key, face))
        alike = _alike(key.seen, self._seen(frame, face))
        share = resized(alike[..., None], key.size).clip(0, 1)
        beside = [(layers.wider, layers.wider)] * 2 + [(0, 0)]
        share = np.pad(share, beside, mode="edge")
        layers = replace(
            layers,
            moves=layers.moves * share,
            light=layers.light * share,
            cover=layers.cover * share[..., 0],
        )
        layers.lay(frame, face.transform(self.template, key.size), linear=True)

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return each person's way, to go on another time."""
        known = {n: p.way for n, p in self.people.items() if p.known}
        return packed(known)

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Take up such a state."""
        ways = unpacked(kept, self.retoucher.model)
        self.people = {number: Person(found, True) for number, found in ways.items()}


# --- layers -------------------------------------------------------------------


def none(beside: Layers) -> Layers:
    """Return layers that do nothing, as large as others."""
    plane, empty = np.zeros_like(beside.reach), np.zeros_like(beside.light)
    return Layers(plane, empty[..., :2], empty, empty, plane, wider=beside.wider)


def carried(layers: Layers, moves: Pixels) -> Layers:
    """Return layers as a flow moves them; paint takes on no grain."""
    planes = [layers.reach[..., None], layers.moves, layers.light]
    painted = bool(layers.cover.any())
    if painted:
        planes += [layers.cover[..., None], layers.paint]
    gone = flow.fetch(np.concatenate(planes, -1), moves, linear=True)
    reach, own, light = gone[..., 0], gone[..., 1:3], gone[..., 3:6]
    paint = gone[..., 7:] if painted else layers.paint
    cover = gone[..., 6] if painted else layers.cover
    wider, toning = layers.wider, layers.toning
    return Layers(reach, own, light, paint, cover, wider=wider, toning=toning)


def mixed(one: Layers, other: Layers, part: float) -> Layers:
    """Return layers that are so much of the other, and the rest of the one."""
    old, new = np.float32(1 - part), np.float32(part)
    reach = np.maximum(one.reach, other.reach)
    moves = old * one.moves + new * other.moves
    light = old * one.light + new * other.light
    covers = old * one.cover, new * other.cover
    cover = covers[0] + covers[1]
    paint = covers[0][..., None] * one.paint + covers[1][..., None] * other.paint
    paint = paint / np.maximum(cover, 1e-4)[..., None]
    paint = paint.astype(np.float32)
    wider, toning = one.wider, other.toning
    return Layers(reach, moves, light, paint, cover, wider=wider, toning=toning)


def _moved_to(old: Key, new: Key) -> Layers:
    """Return the layers of a key as they lie in another, in its size."""
    layers, wide, wider = old.layers, len(new.layers.reach), new.layers.wider
    if (len(layers.reach), layers.wider) == (wide, wider):
        return old.at(new.marks)
    part = np.float32(wide / len(layers.reach))
    planes: list[Pixels] = [layers.reach[..., None], layers.moves * part]
    planes += [layers.light, layers.paint, layers.cover[..., None]]
    reach, moves, light, paint, cover = (resized(p, wide) for p in planes)
    shown = cover[..., 0].clip(0, 1).astype(np.float32)
    own = Layers(reach[..., 0], moves, light, paint, shown, wider=wider)
    marks = (old.marks + layers.wider) * float(part) - wider
    return Key(own, marks, old.seen).at(new.marks)


# --- what a face looks like ---------------------------------------------------


def _alike(before: Pixels, now: Pixels) -> Pixels:
    """Return 1 where a face looks as it did, 0 where it is another thing."""
    gap = now - before
    gap = np.abs(smoothed(gap - np.median(gap), 1.0))
    return ramp(gap, UNLIKE, ALIKE)
