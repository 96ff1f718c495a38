"""Faces over time: who is who from frame to frame, and landmarks that do not tremble.

Faces are looked for every few frames, and in each while there is none; between, the
landmarks are read where the face was last. Landmarks pass the one-euro filter (Casiez
et al., 2012): little moves are smoothed away, quick ones come through. Parts of a face
whose landmarks cannot be read firmly, as under a hand, go where the rest of it goes. A
network that sees where eyes, nose and mouth are tells whether the landmarks are to be
trusted, as they are not on a head that turns away. A face that comes back is known
again by its descriptor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from retouch.cores import together
from retouch.faces.detect import Detector
from retouch.faces.identity import apart, comparable, described
from retouch.geometry import (
    INNER_LIPS,
    LEFT_BROW,
    LEFT_EYE,
    NOSE,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    TIGHT,
    Face,
    Points,
    Similarity,
)

Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]
Describe = Callable[[NDArray[Any], Face], Floats]  # a frame and a face in it

# Frames from a look for further faces to the next: before a camera, and where nobody
# waits and whoever comes is to be seen at once.
EVERY, OFTEN = 8, 2
PATIENCE = 24  # frames in which looks may miss a face before it is given up
SAME = 0.55  # distance of descriptors below which a face that returns is the same
NEAR = 0.35  # face sizes between a track and a face that continues it
JUMP = 0.6  # face sizes or doublings that a face cannot move from frame to frame
SHAPES = 900  # frames after which a person's mean shape moves no slower
# Parts of a face that can be hidden; the eyes carry the others.
EYES = np.r_[LEFT_EYE, RIGHT_EYE]
PARTS = np.r_[LEFT_BROW, RIGHT_BROW], np.r_[NOSE], np.r_[OUTER_LIPS, INNER_LIPS]
GOES, COMES = 0.12, 0.3  # seconds in which trust in a face goes, and comes back
SHAKY = 0.007  # of a face: the scatter of readings above which a part is held


def describe(pixels: NDArray[Any], face: Face) -> Floats:
    """Return the descriptor of a face in a frame, (128,), quickly."""
    return described(comparable(pixels, [face], linear=True))[0]


# --- smoothing ----------------------------------------------------------------


@dataclass
class OneEuro:
    """Smooths points over time; speeds and cutoffs are per second."""

    rest: float = 0.8  # hertz: the cutoff of what stands still
    haste: float = 6.0  # by which the cutoff grows for a speed of one face a second
    slope: float = 1.5  # hertz: the cutoff of the speed itself
    points: NDArray[Any] | None = None
    speed: NDArray[Any] | None = None
    time: float = 0.0

    def __call__(
        self, points: NDArray[Any], time: float, unit: float = 1.0
    ) -> NDArray[Any]:
        """Return the points (..., 2) smoothed; the unit is a length of one face."""
        if self.points is None or self.speed is None:
            self.points, self.time = np.array(points, np.float64), time
            self.speed = np.zeros_like(self.points)
            return self.points.copy()
        step = max(time - self.time, 1e-3)
        speed = (points - self.points) / (step * unit)
        self.speed = self.speed + _share(self.slope, step) * (speed - self.speed)
        # Neighbours go together, so that a face bends no more than it did.
        quick = np.hypot(*np.moveaxis(self.speed, -1, 0))[..., None]
        quick = np.maximum(quick, 0.7 * quick.mean())
        share = _share(self.rest + self.haste * quick, step)
        self.points = self.points + share * (points - self.points)
        self.time = time
        return self.points.copy()


def _share(cutoff: Any, step: float) -> Any:
    turn = 2 * np.pi * cutoff * step
    return turn / (turn + 1)


# --- tracks -------------------------------------------------------------------


@dataclass
class Track:
    """One person over time."""

    number: int
    face: Face  # smoothed
    seen: Face  # as read
    smooth: OneEuro = field(default_factory=OneEuro)
    look: OneEuro = field(default_factory=lambda: OneEuro(rest=1.5))
    missed: int = 0  # frames in a row of which looks told nothing
    descriptor: Floats | None = None
    shape: NDArray[Any] = field(
        default_factory=lambda: np.zeros((68, 2))
    )  # mean, upright
    frames: int = 0
    trust: float = 1.0  # in where the face is: 0 for some time after it was doubtful

    def held(self, seen: Face, scatter: NDArray[Any]) -> Face:
        """Return the face with the parts that shake carried along by the firm ones."""
        if scatter[EYES].mean() > SHAKY:
            return seen
        shaky = [part for part in PARTS if scatter[part].mean() > SHAKY]
        if not shaky:
            return seen
        firm = np.ones(68, bool)
        hidden = np.concatenate(shaky)
        firm[:17] = firm[hidden] = False
        last, landmarks = self.face.landmarks, seen.landmarks.copy()
        carry = Similarity.fit(last[firm], landmarks[firm])
        landmarks[hidden] = carry(last[hidden])
        return Face(landmarks, seen.box, seen.confidence)

    def add(self, seen: Face, time: float) -> None:
        """Take in where the face is in the next frame."""
        self.seen = seen
        landmarks = self.smooth(seen.landmarks, time, seen.size)
        self.face = Face(landmarks, seen.box, seen.confidence)
        upright = TIGHT.transform(landmarks, 1)(landmarks)
        self.frames += 1
        self.shape = self.shape + (upright - self.shape) / min(self.frames, SHAPES)

    def judged(self, sure: bool, time: float) -> None:
        """Take in whether the face is where it was read, before it is added."""
        step = time - self.smooth.time
        if sure and not self.trust:  # it was read elsewhere until now
            self.smooth = OneEuro()
        trust = self.trust + (step / COMES if sure else -step / GOES)
        self.trust = min(1.0, max(0.0, trust))

    def reaches(self, face: Face) -> bool:
        """Tell whether a face may be this one a moment later."""
        gap = np.hypot(*(_centre(self.seen) - _centre(face))) / self.seen.size
        grown = abs(np.log2(face.size / self.seen.size))
        return bool(gap < NEAR and grown < JUMP)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays, to go on with another time."""
        kept = {
            "number": self.number,
            "face": self.face.landmarks,
            "seen": self.seen.landmarks,
            "box": self.seen.box,
            "confidence": self.seen.confidence,
            "missed": self.missed,
            "shape": self.shape,
            "frames": self.frames,
            "trust": self.trust,
        }
        for name in ("smooth", "look"):
            euro: OneEuro = getattr(self, name)
            if euro.points is not None and euro.speed is not None:
                kept |= {f"{name}.points": euro.points, f"{name}.speed": euro.speed}
                kept[f"{name}.time"] = euro.time
        if self.descriptor is not None:
            kept["descriptor"] = self.descriptor
        return {name: np.asarray(value) for name, value in kept.items()}

    @classmethod
    def resumed(cls, kept: Arrays) -> Self:
        """Return the track of such arrays."""
        left, top, right, bottom = kept["box"].tolist()
        beside = (left, top, right, bottom), float(kept["confidence"])
        track = cls(
            int(kept["number"]),
            Face(kept["face"], *beside),
            Face(kept["seen"], *beside),
            missed=int(kept["missed"]),
            descriptor=kept.get("descriptor"),
            shape=kept["shape"],
            frames=int(kept["frames"]),
            trust=float(kept["trust"]),
        )
        for name in ("smooth", "look"):
            if f"{name}.points" in kept:
                euro: OneEuro = getattr(track, name)
                euro.points = kept[f"{name}.points"]
                euro.speed = kept[f"{name}.speed"]
                euro.time = float(kept[f"{name}.time"])
        return track


def _centre(face: Face) -> Points:
    left, top, right, bottom = face.box
    return np.array([(left + right) / 2, (top + bottom) / 2])


# --- the tracker --------------------------------------------------------------


class Tracker:
    """Follows the faces of one video, frame by frame."""

    def __init__(
        self,
        detector: Detector,
        *,
        every: int = EVERY,
        smallest: float = 80.0,
        describe: Describe | None = None,
    ):
        self.detector, self.every, self.smallest = detector, every, smallest
        self.describe = describe
        self.tracks: list[Track] = []
        self.gone: list[Track] = []
        self.frame = 0
        self.known = 0

    def follow(self, pixels: NDArray[Any], time: float) -> list[Track]:
        """Return the faces of the next frame (H, W, 3), the largest first."""
        looks = self.frame % self.every == 0 or not self.tracks
        self.frame += 1
        for track in list(self.tracks):
            self._go_on(track, pixels, time)
        if looks:
            self._look(pixels, time)
        self.tracks.sort(key=lambda track: (-round(track.face.size), track.number))
        return list(self.tracks)

    def _go_on(self, track: Track, pixels: NDArray[Any], time: float) -> None:
        """Read the landmarks where the face was last; a network looks there, too."""
        looks: list[Callable[..., Any]] = [self.detector.followed, self.detector.seen]
        (again, scatter), seen = together(lambda look: look(pixels, track.seen), looks)
        again = track.held(again, scatter)
        again, sure = self.detector.watched(pixels, again, seen, track.trust > 0)
        track.judged(sure, time)
        height, width = pixels.shape[:2]
        x, y = _centre(again)
        if track.reaches(again) and 0 < x < width and 0 < y < height:
            track.add(again, time)
        else:
            self._give_up(track)

    def _look(self, pixels: NDArray[Any], time: float) -> None:
        found = self.detector.glance(pixels, smallest=self.smallest)
        for track in list(self.tracks):
            near = [face for face in found if track.reaches(face)]
            found = [face for face in found if not any(face is n for n in near)]
            missed = track.missed + self.every
            track.missed = 0 if near or track.trust == 1 else missed
            if track.missed >= PATIENCE:
                self._give_up(track)
        for face in found:
            self._begin(face, pixels, time)

    def _begin(self, face: Face, pixels: NDArray[Any], time: float) -> None:
        descriptor = self.describe(pixels, face) if self.describe else None
        old = self._known_again(descriptor)
        if old is None:
            track = Track(self.known, face, face, descriptor=descriptor)
            self.known += 1
        else:
            self.gone.remove(old)
            frames, shape = old.frames, old.shape
            track = Track(old.number, face, face, descriptor=old.descriptor)
            track.frames, track.shape = frames, shape
        seen = self.detector.seen(pixels, face)
        face, sure = self.detector.watched(pixels, face, seen)
        track.trust = float(sure)
        track.add(face, time)
        self.tracks.append(track)

    def _known_again(self, descriptor: Floats | None) -> Track | None:
        if descriptor is None:
            return None
        gaps = [
            (float(apart(t.descriptor, descriptor)), t.number, t)
            for t in self.gone
            if t.descriptor is not None
        ]
        nearest = min(gaps, key=lambda gap: gap[:2], default=(np.inf, 0, None))
        return nearest[2] if nearest[0] < SAME else None

    def _give_up(self, track: Track) -> None:
        self.tracks.remove(track)
        self.gone.append(track)

    # --- to go on another time -------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays."""
        kept = {"counts": np.array([self.frame, self.known])}
        for place in ("tracks", "gone"):
            for i, track in enumerate(getattr(self, place)):
                for name, array in track.state().items():
                    kept[f"{place}/{i:04}/{name}"] = array
        return kept

    def resume(self, kept: Arrays) -> None:
        """Take up such a state."""
        self.frame, self.known = (int(n) for n in kept["counts"])
        for place in ("tracks", "gone"):
            groups: dict[str, dict[str, NDArray[Any]]] = {}
            for key, array in kept.items():
                if key.startswith(f"{place}/"):
                    _, number, name = key.split("/")
                    groups.setdefault(number, {})[name] = array
            setattr(self, place, [Track.resumed(groups[n]) for n in sorted(groups)])
