"""Faces and their 68 landmarks, found with dlib and a small network.

Faces: histograms of oriented gradients (Dalal and Triggs 2005; King 2015); where they
show nobody, BlazeFace. Landmarks: an ensemble of regression trees (Kazemi and Sullivan
2014) trained on iBUG 300-W, whose terms exclude commercial use.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.cores import together
from retouch.errors import DependencyError, FaceError, SettingsError
from retouch.faces.blazeface import BlazeFace, Seen
from retouch.faces.detections import Sighting, best, turned
from retouch.faces.grey import Grey
from retouch.faces.landmarks import Box, LandmarkReader
from retouch.faces.search_copies import (
    BUDGET,
    SEEN,
    SMALLEST,
    Look,
    evened,
    reduced,
    rounds,
)
from retouch.faces.small_faces import WINDOW, Scout, frontal, likeliest
from retouch.geometry import NOSE, TIGHT, Face, Points, Similarity, anchors

THRESHOLD = -0.2  # of the detector's score, below which nothing is looked at
STRONG = 0.8  # a score below this makes a second look, whose score is averaged in
SURE, LIKELY, POSSIBLE = 0.35, 0.27, 0.2  # confidences
FAVOUR = 0.4  # of a face that fills the photo, when all faces are doubtful
DOUBT = 0.3  # by which a turned face must be the more convincing
STEEP = 40  # degrees: faces turned further are rare
ANGLES = (0, 45, -45, 90, -90, 180)  # degrees
LEVEL, LEVELLINGS = 4.0, 5  # degrees, and how often at most
ASTRAY = 0.13  # parts of a face between landmarks and where the network sees them
VISIBLE = 0.75  # part of the landmarks that must lie inside the photo

# The detector's box as a square in the tight crop: the median of 600 faces.
BOX_CENTRE, BOX_SIDE = (0.5, 0.53), 0.88
MARKED, ROOM = 90, 150  # pixels: the box and the patch in which it is looked for
PATCH = 160  # pixels: the box's side where landmarks are read, half the patch's
# Moved and scaled boxes; the mean of their landmarks scatters half as much as one.
Nudges = Sequence[tuple[float, float, float]]
NUDGES = (
    (0.0, 0.0, 1.0),
    (0.04, 0.0, 1.0),
    (-0.04, 0.0, 1.0),
    (0.0, 0.04, 1.0),
    (0.0, -0.04, 1.0),
    (0.0, 0.0, 1.06),
    (0.0, 0.0, 0.94),
)
QUICK = NUDGES[:3]


class Detector:
    """Finds faces; loads its models once and may be shared between threads."""

    def __init__(self, *, scout: bool = True) -> None:
        self._dlib = _dlib()
        self._landmarks = LandmarkReader()
        # dlib's detectors keep state while they run: one for each thread at work.
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._frontal = frontal(self._dlib)
        self._scout = Scout(self._dlib) if scout else None
        self._blazeface = BlazeFace()

    def find(
        self, pixels: NDArray[Any], *, smallest: float | None = None
    ) -> list[Face]:
        """Return the faces in a photo (H, W, 3), the largest first.

        Small and turned faces are searched where quick detectors see something like a
        face. When no face was found yet, a network looks, and then turned copies of the
        photo are searched. The landmarks tell the angle. A face's confidence is dlib's
        score, a low one averaged with that of a second look, or the network's. If no
        face is sure, the likeliest one is returned.

        Args:
            smallest: side in pixels of the smallest face that is searched for
                everywhere. None: 40, or more in a photo of over .7 megapixels, whose
                smaller faces are searched where they seem to be.
        """
        _check(smallest)
        grey = Grey.of(pixels)
        doubtful: list[Face] = []
        for some in self._rounds(grey, pixels, smallest):
            faces = _distinct([face for face in some if _visible(face, grey.size)])
            if any(face.confidence >= SURE for face in faces):
                return [face for face in faces if face.confidence >= _needed(face)]
            doubtful += faces
        doubtful.sort(key=lambda face: _plausibility(face, grey.size))
        return [f for f in doubtful[-1:] if _plausibility(f, grey.size) >= POSSIBLE]

    def present(self, pixels: NDArray[Any]) -> list[Face]:
        """Return the faces in a photo as `find` does; raise if there is none."""
        faces = self.find(pixels)
        if not faces:
            raise FaceError(
                "No face was found in the photo. Faces need some 40 pixels and must"
                " be turned to the camera."
            )
        return faces

    def _rounds(
        self, grey: Grey, pixels: NDArray[Any], smallest: float | None
    ) -> Iterator[list[Face]]:
        """Yield what is found together, the cheapest and likeliest first."""
        first, *others = rounds(*grey.size, smallest)
        read = partial(self._face, grey)
        yield together(read, self._scouted(grey, first, smallest))
        seen = self._blazeface.find(pixels)
        yield [face for s in seen if (face := self._agreed(grey, s))]
        for looks in others:
            yield together(read, self._search(grey, looks))

    def again(self, pixels: NDArray[Any], face: Face) -> Face:
        """Return a known face with its landmarks read anew, as after an edit."""
        frame = _upright(face.landmarks)
        return self._read(Grey.near(pixels, frame), frame, face.confidence)

    def followed(self, pixels: NDArray[Any], face: Face) -> tuple[Face, NDArray[Any]]:
        """Return a face a moment later, and how firmly its landmarks are read.

        They are read from few boxes, which is enough where time smooths them. The
        second is how far the readings of each landmark scatter, (68,), in parts of the
        face: two or three thousandths, and fifteen under a hand.
        """
        frame = _upright(face.landmarks)
        readings = self._readings(Grey.near(pixels, frame), frame, QUICK)
        middle = readings.mean(0)
        scatter = np.hypot(*np.moveaxis(readings - middle, -1, 0)).mean(0)
        return _framed(middle, face.confidence), scatter / frame.scale

    def seen(self, pixels: NDArray[Any], face: Face) -> Seen | None:
        """Return what the network sees where a face is in a video's frame, or was."""
        return self._blazeface.at(pixels, _upright(face.landmarks))

    def watched(
        self,
        pixels: NDArray[Any],
        face: Face,
        seen: Seen | None,
        trusted: bool = False,
    ) -> tuple[Face, bool]:
        """Return a face of a video's frame, and whether its landmarks are trusted.

        They are not on heads that turn away. If they lie elsewhere than the network
        saw eyes, nose and mouth, they are read anew from there.

        Args:
            trusted: whether they were in the frame before.
        """
        if seen is None or seen.turned_away(trusted):
            return face, False
        if _gap(face, seen.points) < ASTRAY:
            return face, True
        again = self._agreed(Grey.of(pixels), seen)
        return again or face, again is not None

    def glance(
        self, pixels: NDArray[Any], *, smallest: float = 2 * SMALLEST
    ) -> list[Face]:
        """Return the upright faces of a video's frame in some milliseconds."""
        grey = Grey.of(pixels)
        look = reduced(*grey.size, SEEN / smallest, BUDGET)
        sightings = [s for s in self._search(grey, [look]) if s.score >= SURE]
        faces = [self._read(grey, s.frame, s.score, QUICK) for s in sightings]
        return _distinct(faces)

    def _search(self, grey: Grey, looks: list[Look]) -> list[Sighting]:
        found = together(partial(self._look, grey), looks)
        return best([sighting for some in found for sighting in some])

    def _look(self, grey: Grey, look: Look) -> list[Sighting]:
        back, marks = look.transform.inverse, self._run_hog(look.copy(grey))
        return [Sighting.of(box, score, back) for box, score in marks]

    def _scouted(
        self, grey: Grey, looks: list[Look], smallest: float | None
    ) -> list[Sighting]:
        """Search beside the scout, and look again where it saw something."""
        if (scout := self._scout) is None:
            return self._search(grey, looks)
        coarse, *fine = scout.searches(grey, WINDOW / (smallest or SMALLEST))
        searching = [partial(self._look, grey, look) for look in looks]
        # What takes longest first, so that no core is left with it at the end.
        jobs: list[Callable[[], Any]] = [coarse, *searching, *fine]
        first, *found = together(lambda job: job(), jobs)
        sightings = best([s for some in found[: len(looks)] for s in some])
        hints = likeliest([first, *found[len(looks) :]])
        return _likely(self._confirmed(grey, sightings, hints))

    def _confirmed(
        self, grey: Grey, sightings: list[Sighting], hints: list[Sighting]
    ) -> list[Sighting]:
        """Add what dlib's detector sees where the scout saw something new.

        That is no part of a face, such as an eye, which is never taken for another.
        """
        strong = [s for s in sightings if s.score >= STRONG]
        new = [h for h in hints if not any(h.is_near(s) for s in sightings)]
        new = [h for h in new if not any(h.is_part_of(s) for s in strong)]
        marks = together(lambda hint: self._mark(grey, hint.frame), new)
        return best([*sightings, *(m for m in marks if m.score >= THRESHOLD)])

    @contextmanager
    def _hog(self) -> Iterator[Any]:
        try:
            detector = self._idle.get_nowait()
        except Empty:
            detector = deepcopy(self._frontal)
        try:
            yield detector
        finally:
            self._idle.put(detector)

    def _run_hog(
        self, copy: NDArray[np.uint8], threshold: float = THRESHOLD
    ) -> list[tuple[Any, float]]:
        with self._hog() as detector:
            boxes, scores, _ = detector.run(copy, 0, threshold)
        return list(zip(boxes, scores, strict=True))

    def _face(self, grey: Grey, sighting: Sighting) -> Face:
        """Read the landmarks with the eyes level; look again at a weak sighting."""
        frame, score = self._level(grey, sighting.frame), sighting.score
        if score < STRONG:
            frame, again = self._look_again(grey, frame)
            score = (score + again) / 2
        return self._read(grey, frame, score)

    def _agreed(self, grey: Grey, seen: Seen) -> Face | None:
        """Read the landmarks of what the network saw; None if they lie elsewhere.

        In profiles they are laid over a cheek, and an edit would paint there.
        """
        left, right, _, mouth = seen.points
        frame = _boxed(TIGHT.through(left, right, mouth, 1))
        face = self._read(grey, frame, seen.score)
        return face if _gap(face, seen.points) < ASTRAY else None

    def _read(
        self,
        grey: Grey,
        frame: Similarity,
        score: float,
        nudges: Nudges = NUDGES,
    ) -> Face:
        return _framed(self._mean(grey, frame, nudges), score)

    def _level(self, grey: Grey, frame: Similarity) -> Similarity:
        """Turn a frame until the eyes that are read in it are level."""
        for count in range(LEVELLINGS):
            before = frame
            frame = _upright(self._mean(grey, frame, NUDGES[:1]))
            if count and abs((before.inverse @ frame).angle) < LEVEL:
                break
        return frame

    def _look_again(self, grey: Grey, frame: Similarity) -> tuple[Similarity, float]:
        """Return the frame, turned if the detector likes that better, and its score."""
        marks = {angle: self._mark(grey, turned(frame, angle)) for angle in ANGLES}
        best = max(ANGLES, key=lambda angle: marks[angle].score)
        if marks[best].score > marks[0].score + DOUBT:
            return self._level(grey, marks[best].frame), marks[best].score
        return frame, marks[0].score

    def _mark(self, grey: Grey, frame: Similarity) -> Sighting:
        """Return what the detector marks in a frame's middle; if nothing, score -1."""
        to_patch = _to_patch(frame, MARKED, ROOM)
        back, found = to_patch.inverse, [Sighting(frame, -1.0)]
        patch = evened(grey.square(to_patch, ROOM))
        for box, score in self._run_hog(patch, -1.0):
            centre = np.array([box.center().x, box.center().y])
            if np.abs(centre - ROOM / 2).max() < MARKED / 3:
                found.append(Sighting.of(box, score, back))
        return max(found, key=lambda sighting: sighting.score)

    def _mean(self, grey: Grey, frame: Similarity, nudges: Nudges) -> Points:
        return self._readings(grey, frame, nudges).mean(0)

    def _readings(self, grey: Grey, frame: Similarity, nudges: Nudges) -> Points:
        """Return the landmarks as each of the moved boxes shows them, (K, 68, 2)."""
        to_patch = _to_patch(frame, PATCH, 2 * PATCH)
        patch = grey.square(to_patch, 2 * PATCH)
        points = self._landmarks.read(patch, [_box(*nudge) for nudge in nudges])
        return to_patch.inverse(points)


def _dlib() -> Any:
    try:
        import dlib
    except ImportError as error:
        raise DependencyError(
            f"Finding faces needs dlib ({error}). Run: pip install dlib-bin"
        ) from error
    return dlib


def _check(smallest: float | None) -> None:
    if smallest is not None and not smallest >= SMALLEST:
        raise SettingsError(f"smallest must be at least {SMALLEST}; got {smallest}.")


def _upright(landmarks: Points) -> Similarity:
    """Return the similarity from the unit square to the face's box, eyes level."""
    return _boxed(TIGHT.transform(landmarks, 1))


def _boxed(tight: Similarity) -> Similarity:
    """Return the box of a face whose tight crop is the unit square."""
    low = np.array(BOX_CENTRE) - BOX_SIDE / 2
    return tight.inverse @ Similarity(BOX_SIDE, 0, *low.tolist())


def _gap(face: Face, points: Points) -> float:
    """Return how far eyes, nose and mouth lie from points, in parts of the face."""
    left, right, mouth = anchors(face.landmarks)
    read = np.array([left, right, face.landmarks[NOSE][3], mouth])
    return float(np.hypot(*(read - points).T).max() / face.size)


def _framed(landmarks: Points, score: float) -> Face:
    """Return the face of landmarks, with its box."""
    frame = _upright(landmarks)
    x, y = frame((0.5, 0.5)).tolist()
    half = frame.scale / 2
    return Face(landmarks, (x - half, y - half, x + half, y + half), float(score))


def _to_patch(frame: Similarity, side: int, room: int) -> Similarity:
    """Return the similarity that lays the box in the middle of a patch."""
    edge = (room - side) / 2
    return Similarity(side, 0, edge, edge) @ frame.inverse


def _likely(sightings: list[Sighting]) -> list[Sighting]:
    """Leave out weak ones that lie on strong ones, as on a part of a face."""
    strong = [s for s in sightings if s.score >= STRONG]
    return [
        s
        for s in sightings
        if s.score >= POSSIBLE or not any(s.lies_in(other) for other in strong)
    ]


def _box(x: float, y: float, scale: float) -> Box:
    """Return a moved and scaled box in its patch."""
    return PATCH * (1 + x - scale / 2), PATCH * (1 + y - scale / 2), PATCH * scale


def _needed(face: Face) -> float:
    """Return the confidence that a face must have beside a sure one."""
    return SURE + DOUBT / 2 if abs(face.roll) > STEEP else LIKELY


def _plausibility(face: Face, size: tuple[int, int]) -> float:
    """Favour what is large in its photo and stands upright."""
    share = min(1.0, face.size / min(size))
    return face.confidence + FAVOUR * share - (DOUBT if abs(face.roll) > STEEP else 0)


def _visible(face: Face, size: tuple[int, int]) -> bool:
    inside = (face.landmarks >= 0) & (face.landmarks <= size)
    return bool(inside.all(1).mean() >= VISIBLE)


def _distinct(faces: list[Face]) -> list[Face]:
    """Drop doubles and faces inside faces; put the largest first."""
    kept: list[Face] = []
    # A face of twice the size stands against one point of the detector's score.
    for face in sorted(faces, key=lambda f: -np.log2(f.size) - f.confidence):
        if not any(_overlap(face, other) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda f: (-round(f.size), f.box[1], f.box[0]))


def _overlap(face: Face, other: Face) -> bool:
    gap = np.hypot(
        sum(face.box[::2]) - sum(other.box[::2]),
        sum(face.box[1::2]) - sum(other.box[1::2]),
    )
    return bool(gap / 2 < 0.45 * max(face.size, other.size))
