"""What edited faces look like: drawn by the generator, laid into photos and crops."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.cores import together
from retouch.edits.manner import BEARD, GLASSES
from retouch.edits.moves import OPENING, teeth
from retouch.edits.way import Way
from retouch.engine.memory import Memory
from retouch.errors import FaceError
from retouch.faces.crop import cut, resized
from retouch.faces.detect import Detector
from retouch.faces.parse import Parts, parser
from retouch.geometry import Face, Points, Similarity
from retouch.models import Model
from retouch.photos.levels import levels_of, pixels_of
from retouch.provenance import watermark
from retouch.settings import OUTLINED, Settings
from retouch.stitching.change import Change, Mouth
from retouch.stitching.layers import Layers
from retouch.stitching.mouths import OPEN, as_open, newness, opening, steadied
from retouch.stitching.stitch import Piece, planned, stitch

Floats = NDArray[np.float32]
AJAR = 0.03  # of a mouth's width: landmarks of lips that touch are less apart
GENTLE = 1.6  # deviations of a smile that keeps lips shut: a slider at a half asks less
BITE = 0.45  # of a mouth that opens and does not smile: teeth fill it from above
ANCHORS = [27, 28, 29, 30, 36, 39, 42, 45]  # the nose's bridge, the eyes' corners
BESIDE = 0.25  # of a crop's side, by which faces may move beyond it
KEPT = 32  # pictures whose landmarks are not looked for anew


class Renderer:
    """Draws faces at both ends of a way and stitches what is between them."""

    def __init__(self, model: Model, detector: Detector):
        self.model, self.detector = model, detector
        self._known: OrderedDict[tuple[bytes, bytes, bool], Drawn] = OrderedDict()
        self._seen = Memory(lambda pixels, face: parser().parts(pixels, face))

    def laid(
        self,
        pixels: NDArray[Any],
        faces: Sequence[Face],
        way: Way,
        settings: Settings,
        finest: int | None = None,
    ) -> NDArray[Any]:
        """Return a photo's pixels (H, W, 3) with its faces gone a way.

        They get the hidden mark, if the settings ask for it.

        Args:
            finest: pixels a side at which changes are worked out, at the most.
        """
        parts = self._parts(pixels, faces, settings.parsed)
        pieces = self._in_photo(faces, parts, way, settings)
        names, method = settings.outlined, settings.stitch
        result = stitch(pixels, pieces, method=method, regions=names, finest=finest)
        for face, seen in zip(faces, parts, strict=True) if settings.marked else ():
            place = watermark.place(face)
            free = seen.free(place, watermark.SIDE, settings.parsed)
            result = watermark.add(result, face, names, free)
        return result

    def planned(
        self, pixels: NDArray[Any], face: Face, way: Way, settings: Settings
    ) -> Layers | None:
        """Return what is to be done to a photo so that a face has gone its way."""
        parts = self._parts(pixels, [face], settings.parsed)
        (piece,) = self._in_photo([face], parts, way, settings)
        how = {"method": settings.stitch, "regions": settings.outlined}
        return planned(pixels, piece.fitted(), **how)  # type: ignore[arg-type]

    def _in_photo(
        self,
        faces: Sequence[Face],
        parts: Sequence[Parts],
        way: Way,
        settings: Settings,
    ) -> list[Piece]:
        """Return faces that have gone a way as pieces of their photo.

        They move beyond their crops, where jaws end; but a climb has seen crops alone,
        and what keeps still needs no more.
        """
        size = self.model.generator.resolution
        placed = [face.transform(self.model.template, size) for face in faces]
        pieces = self._pieces(faces, placed, way, size)
        glasses, beard = (thing in way.manner.things for thing in (GLASSES, BEARD))
        bends = way.manner.bends and not way.manner.even
        beside = int(BESIDE * size) if bends else 0

        def shown(piece: Piece, seen: Parts) -> Piece:
            place, regions = piece.transform, settings.parsed
            around = Similarity.shifting(beside, beside) @ place
            wide = seen.free(around, size + 2 * beside, regions)
            inside = slice(beside, beside + size)
            visible = uncovered = wide[inside, inside]
            if glasses:
                uncovered = seen.free(place, size, regions, held=True)
            hair = flesh = None
            if beard:
                hair, flesh = (
                    seen.in_crop(seen.chance(*names), place, size)
                    for names in (("hair",), ("skin", "nose", "lips"))
                )
            return replace(
                piece,
                visible=visible,
                uncovered=uncovered,
                hair=hair,
                flesh=flesh,
                beyond=wide if beside else None,
            )

        return [shown(*each) for each in zip(pieces, parts, strict=True)]

    def free(
        self,
        pixels: NDArray[Any],
        faces: Sequence[Face],
        size: int,
        settings: Settings,
    ) -> Floats:
        """Return 0 in a photo's crops where faces may not change, else 1, (N, S, S)."""
        parts = self._parts(pixels, faces, settings.parsed)
        placed = [face.transform(self.model.template, size) for face in faces]
        pairs = zip(parts, placed, strict=True)
        free = [seen.free(place, size, settings.parsed) for seen, place in pairs]
        return np.array(free, np.float32).reshape(-1, size, size)

    def shown(
        self,
        images: Floats,
        faces: Sequence[Face],
        free: Floats,
        way: Way,
        settings: Settings,
    ) -> Floats:
        """Return crops (N, S, S, 3) with their faces gone a way.

        Args:
            faces: as they lie in the crops.
            free: 0 where they may not change, (N, S, S).
        """
        crops = pixels_of(images)
        # At once as large as it is shown, which saves moving what is then shrunk.
        size = min(self.model.generator.resolution, crops.shape[1])
        drawn = Similarity.scaling(size / crops.shape[1])
        pieces = self._pieces(faces, [drawn] * len(faces), way, size)
        pieces = [
            replace(piece, visible=own) for piece, own in zip(pieces, free, strict=True)
        ]
        how = {"method": settings.stitch, "regions": settings.outlined}

        def laid(one: tuple[NDArray[Any], Piece]) -> NDArray[Any]:
            return stitch(one[0], [one[1]], **how)  # type: ignore[arg-type]

        done = np.stack(together(laid, zip(crops, pieces, strict=True)))
        return done.astype(np.float32) / np.float32(127.5) - 1

    def settled(self, pixels: NDArray[Any], face: Face) -> Face:
        """Return a photo's face with its lips apart only where they are seen so."""
        if opening(face.landmarks) < AJAR:
            return face
        settled = self._seen(pixels, face).settled(face)
        self._seen.share(pixels, face, settled)
        return settled

    def _parts(
        self, pixels: NDArray[Any], faces: Sequence[Face], regions: Sequence[str]
    ) -> list[Parts]:
        """Return the parts of faces; regions that they are to tell need sure ones."""
        found = [self._seen(pixels, face) for face in faces]
        for number, parts in enumerate(found if regions else ()):
            if not parts.sure:
                raise FaceError(
                    f"The parts of face {number} cannot be told apart. Give"
                    f" --mask-region one of {', '.join(OUTLINED)}."
                )
        return found

    def _pieces(
        self, faces: Sequence[Face], placed: Sequence[Similarity], way: Way, size: int
    ) -> list[Piece]:
        """Return faces that have gone their ways, so many pixels a side."""
        ends = way.end

        def piece(i: int) -> Piece:
            return self._piece(faces[i], placed[i], way[i : i + 1], ends[i], size)

        return together(piece, range(len(faces)))

    def _piece(
        self, face: Face, place: Similarity, way: Way, end: Floats, size: int
    ) -> Piece:
        there, manner = face.moved(place), way.manner
        latents = way.start[0], end
        old, drawn = together(lambda latent: self._drawn(latent, there, size), latents)
        new, bare = drawn.laid_on(old), None
        if manner.fine and not manner.still:
            bare = old.bare, drawn.bare_on(old)
        now = _parted(way, there.landmarks, old.marks, new.marks)
        change = Change(
            old.picture,
            new.picture,
            marks=(old.marks, now),
            manner=manner,
            mouth=self._mouth(way, there, old, now),
            bare=bare,
            asked={thing: way.asked(thing) for thing in manner.things},
        )
        return Piece(face, place, change)

    def _mouth(self, way: Way, face: Face, old: "Drawn", now: Points) -> Mouth | None:
        """Return the finished picture of a mouth that is painted anew."""
        own, was = face.landmarks, old.marks
        new, closes = newness(own, *steadied(own, was, now))
        if not new:
            return None
        latents, size = way.end, len(old.picture)
        if not closes and way.moves is not None and OPENING[0] in way.moves.names:
            latents = teeth(way.moves, way.start)
        drawn = self._drawn(latents[0], face, size, finished=True).laid_on(old)
        return Mouth(drawn.picture, drawn.marks, _bite(way))

    def _drawn(
        self, latent: Floats, face: Face, size: int, *, finished: bool = False
    ) -> "Drawn":
        """Return the picture of a latent, whose landmarks are near those of a face.

        While a budget or a slider is tried the same ones are asked for again.

        Args:
            size: pixels a side of the picture in which the face lies so.
        """
        key = latent.tobytes(), face.landmarks.tobytes(), finished
        drawn = self._known.pop(key, None)
        if drawn is None:
            (picture,) = levels_of(self.model.draw(latent[None], finished=finished))
            whole = Similarity.scaling(len(picture) / size)
            pixels = np.rint(picture).astype(np.uint8)
            found = self.detector.again(pixels, face.moved(whole))
            drawn = Drawn(resized(picture, size), found.moved(whole.inverse))
        self._known[key] = drawn  # as the last one, whoever draws beside this
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return drawn


@dataclass(frozen=True, eq=False)
class Drawn:
    """A face that a generator drew."""

    picture: Floats
    face: Face  # as it lies there

    @property
    def marks(self) -> Points:
        return self.face.landmarks

    @cached_property
    def bare(self) -> Floats:
        """Where neither hair nor glasses were drawn in front of it, (R, R)."""
        pixels = np.rint(self.picture).astype(np.uint8)
        parts = parser().parts(pixels, self.face, glance=True)
        return parts.free(Similarity.scaling(1.0), len(pixels))

    def laid_on(self, other: "Drawn") -> "Drawn":
        """Return it with eyes and nose where those of another picture are.

        A generator draws faces as crops show them, laid by eyes and mouth: as a smile
        lifts the mouth, all else grows, and in the photo nothing does.
        """
        if np.array_equal(self.picture, other.picture):
            return self
        back = self._onto(other)
        picture = cut(self.picture, back, len(self.picture))
        return Drawn(picture, self.face.moved(back))

    def bare_on(self, other: "Drawn") -> Floats:
        """Return where it is bare once it is laid on another picture."""
        return cut(self.bare[..., None], self._onto(other), len(self.bare))[..., 0]

    def _onto(self, other: "Drawn") -> Similarity:
        return Similarity.fit(self.marks[ANCHORS], other.marks[ANCHORS])


def _bite(way: Way) -> float:
    """Return which part of a mouth that opens teeth fill: all of it where it smiles.

    A jaw that drops leaves the upper teeth behind, and a smile lifts the lip off them.
    """
    happier, opener = (way.asked(name) for name in OPENING)
    smiles = happier / opener if opener > 0 else 1.0
    return BITE + (1 - BITE) * min(max(smiles, 0.0), 1.0)


def _parted(way: Way, own: Points, was: Points, now: Points) -> Points:
    """Return landmarks now, with lips that part, or close, only where a way says so.

    Closed lips stay closed where somebody smiles a little.
    """
    happier, opener = (way.asked(name) for name in OPENING)
    gentle = opening(own) < OPEN and opener < happier < GENTLE
    parts = way.changes(OPENING, more=True) and not gentle
    closes = way.changes(OPENING) and opening(now) < opening(was)
    return now if parts or closes else as_open(was, now)
