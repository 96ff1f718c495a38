"""A synthetic person's face over each face, which does what the face does."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained.forward_models import Run, load, on_arrays
from pretrained.registry import Library, library
from retouch.contracts import OnStep
from retouch.engine.report import FaceReport
from retouch.engine.session import Result
from retouch.expressions.expression import Shapes, gaze, retargeted, with_irises
from retouch.faces.detect import Detector
from retouch.faces.face_crop import FaceCrop
from retouch.faces.identity import apart, comparable, described
from retouch.geometry import TIGHT, Face, Similarity
from retouch.photos.levels import levels_of
from retouch.photos.photo import Photo, Provenance
from retouch.provenance import seal, watermark
from retouch.settings import Settings
from retouch.stitching.fitting import fitted
from retouch.stitching.stitch import Piece, stitch
from retouch.video.track import Track, describe

PICTURES = 15  # frames of a video that tell as much of a shape as one more picture
MOST_PICTURES = 8.0
APART = 0.65  # of descriptors: what a mask must be off the driver, with a margin
TRIES = 6  # people that are tried for that


class MaskEffect:
    """Paints the faces of people who do not exist; load it once and use it again."""

    name = "mask"

    def __init__(self, generator: Any, person: int = 0):
        self.generator, self.person = generator, person
        self.shapes = Shapes.of(generator.shapes)
        self.people = lru_cache(maxsize=64)(generator.person)
        self.worn: dict[int, int] = {}  # by track: which of a seed's people

    @classmethod
    def load(cls, person: int = 0, weights: Library | None = None) -> "MaskEffect":
        """Return the mask that ships."""
        return cls(load(weights or library(), "mask", "generator"), person)

    # --- frames of a video -----------------------------------------------------

    def apply(
        self, pixels: NDArray[Any], tracks: Iterable[Track], time: float
    ) -> NDArray[Any]:
        """Return the frame with every face masked; each person has an own mask."""
        return stitch(
            pixels, [self._tracked(pixels, t, time) for t in tracks], method="replace"
        )

    def _tracked(self, pixels: NDArray[Any], track: Track, time: float) -> Piece:
        pictures = min(1 + track.frames / PICTURES, MOST_PICTURES)
        own = self.shapes.own(track.shape, pictures)
        shape, look = self._seen(pixels, track.face)
        look = track.look(look, time)
        driver = _Driver(track.face, shape, look, own)
        if track.number not in self.worn:
            self.worn[track.number] = self._choice(pixels, driver, track.number)
        return self._worn(pixels, driver, track.number, self.worn[track.number])[0]

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return who wears what, to go on another time."""
        return {f"{number}": np.array(other) for number, other in self.worn.items()}

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Take up such a state."""
        self.worn = {int(number): int(other) for number, other in kept.items()}

    # --- one photo -------------------------------------------------------------

    def photo(
        self, photo: Photo, settings: Settings, on_step: OnStep | None = None
    ) -> Result:
        """Return the photo with its chosen faces masked, and how far each moved."""
        say = on_step or (lambda what, part: None)
        seal.check(settings)
        say("finding faces", 0.0)
        detector = Detector()
        found = detector.present(photo.pixels)
        chosen = settings.chosen(len(found))
        say("painting", 0.3)
        pixels = self.masked(photo.pixels, [found[i] for i in chosen])
        for i in chosen if settings.marked else ():
            pixels = watermark.add(pixels, found[i])
        done = photo.with_pixels(pixels)
        say("judging", 0.7)
        reports = [FaceReport.of(i, face) for i, face in enumerate(found)]
        faces = [found[i] for i in chosen]
        again = [detector.again(done.pixels, face) for face in faces]
        before, after = comparable(photo.pixels, faces), comparable(done.pixels, again)
        gaps = apart(described(before), described(after)).tolist()
        for i, gap in zip(chosen, gaps, strict=True):
            reports[i] = dataclasses.replace(reports[i], share=1.0, identity=gap)
        name = Provenance("mask", f"person {self.person}", 1.0)
        return Result(done, photo, tuple(reports), name, settings)

    def masked(self, pixels: NDArray[Any], faces: Iterable[Face]) -> NDArray[Any]:
        """Return the photo with the faces masked."""
        return stitch(
            pixels,
            [self.piece(pixels, face, number) for number, face in enumerate(faces)],
            method="replace",
        )

    def piece(self, pixels: NDArray[Any], face: Face, number: int = 0) -> Piece:
        """Return the mask of one face; each number is another person."""
        return self.worn_by(pixels, face, number)[0]

    def worn_by(
        self, pixels: NDArray[Any], face: Face, number: int = 0
    ) -> tuple[Piece, Face]:
        """Return the mask of one face and where its landmarks are meant to lie."""
        shape, look = self._seen(pixels, face)
        driver = _Driver(face, shape, look, self.shapes.own(shape))
        other = self._choice(pixels, driver, number)
        return self._worn(pixels, driver, number, other)

    def _seen(
        self, pixels: NDArray[Any], face: Face
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return a face's shape in the unit square, and where it looks."""
        size = self.generator.resolution
        crop = FaceCrop.of(pixels, face, TIGHT, size, linear=True)
        shape: NDArray[Any] = face.transform(TIGHT, 1)(face.landmarks)
        return shape, gaze(crop.levels[None], shape[None])[0]

    # --- whose face ------------------------------------------------------------

    def _choice(self, pixels: NDArray[Any], driver: "_Driver", number: int) -> int:
        """Return which of a seed's people is the first that is not like the driver.

        If all are, it is the one least alike.
        """
        own, gaps = describe(pixels, driver.face), []
        for other in range(TRIES):
            piece, face = self._worn(pixels, driver, number, other)
            after = stitch(pixels, [piece], method="replace")
            gaps.append(float(apart(describe(after, face), own)))
            if gaps[-1] >= APART:
                break
        return int(np.argmax(gaps))

    def _worn(
        self, pixels: NDArray[Any], driver: "_Driver", number: int, other: int
    ) -> tuple[Piece, Face]:
        """Return a person's face on the driver's, and where its landmarks lie."""
        style, offset = self.people(self.person + number, other)
        wanted = retargeted(driver.shape, driver.own, offset)
        # The person's eyes need not lie where the driver's do: the crop follows them.
        to_own = TIGHT.transform(wanted, 1)
        points = with_irises(to_own(wanted)[None].astype(np.float32), driver.look[None])
        latent = np.concatenate([style, points[0].ravel()]).astype(np.float32)
        image = self._decode(latent[None])
        upright = driver.face.transform(TIGHT, 1)
        transform = Similarity.scaling(self.generator.resolution) @ to_own @ upright
        after = levels_of(image[0])
        face = Face(upright.inverse(wanted), driver.face.box, driver.face.confidence)
        return fitted(pixels, driver.face, transform, after), face

    @cached_property
    def _decode(self) -> Run:
        return on_arrays(self.generator, "decode")


@dataclass(frozen=True, eq=False)
class _Driver:
    """A face, what it does, and what of its shape is its own."""

    face: Face
    shape: NDArray[Any]  # (68, 2) in the unit square
    look: NDArray[Any]  # (2, 2)
    own: NDArray[Any]  # (68, 2)
