"""Inverted faces between two requests: as bytes in the front, as arrays in a worker."""

import dataclasses
import io
import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.edits.way import Way
from retouch.engine.session import Session
from retouch.errors import SettingsError
from retouch.geometry import Face, Similarity
from retouch.photos.levels import eight_bit
from retouch.photos.photo import Metadata, Photo
from retouch.settings import Settings

Floats = NDArray[np.float32]
PREVIEW = 1024  # pixels of a preview's longer side, at most
DRAFT = 512  # and of a draft's
VIEWS = 4  # previews' photos that are held of one photo

Area = tuple[int, int, int, int]  # of a photo, in its pixels: left, top, right, bottom


@dataclass(eq=False)
class InvertedPhoto:
    """A session with its latents, and what has been found out about it since."""

    session: Session
    # The way of each face to the end of a climb, by the climb's name and settings.
    ways: dict[Any, Way] = field(default_factory=dict)
    years: Floats | None = None  # how old the faces look, once it was asked
    # The last photos whose skin was retouched, by the side of the view they are, and
    # what tells them from others.
    skinned: dict[int, tuple[Hashable, Photo]] = field(default_factory=dict)
    views: dict[tuple[Area | None, int], Session] = field(default_factory=dict)

    def view(self, area: Area | None = None, side: int = PREVIEW) -> Session:
        """Return the session in a photo, or an area of one, that a preview shows."""
        if (area, side) not in self.views:
            session = self.session if area is None else within(self.session, area)
            while len(self.views) >= VIEWS:
                self.views.pop(next(iter(self.views)))
            self.views[area, side] = reduced(session, side)
        return self.views[area, side]

    def reaching(self, rows: list[int], area: Area | None) -> list[int]:
        """Return those of the rows whose faces, with what is around them, reach in."""
        if area is None:
            return rows
        low, high = np.array(area).reshape(2, 2)
        boxes = [self.session.faces[row].box for row in rows]
        corners = np.array(boxes).reshape(-1, 2, 2)  # rows, ends, x and y
        around = (corners[:, 1] - corners[:, 0]) / 2
        inside = (corners[:, 1] + around > low) & (corners[:, 0] - around < high)
        return [row for row, within in zip(rows, inside.all(1), strict=True) if within]

    @property
    def size(self) -> int:
        """The bytes this takes, roughly."""
        session = self.session
        arrays = [session.photo.pixels, session.images, session.masks, session.start]
        return sum(a.nbytes for a in arrays) + 3 * VIEWS * PREVIEW**2

    def rows(self, settings: Settings) -> list[int]:
        """Return the places, among the inverted faces, of those that are asked for."""
        inverted = self.session.chosen
        if settings.faces == "all":
            return list(range(len(inverted)))
        wanted = settings.chosen(len(self.session.found))
        for number in wanted:
            if number not in inverted:
                known = ", ".join(map(str, inverted))
                raise SettingsError(
                    f"Face {number} was not inverted; inverted were {known}. Send the"
                    " photo to /v1/invert again with that face."
                )
        return [inverted.index(number) for number in wanted]


def within(session: Session, area: Area) -> Session:
    """Return the session in an area of its photo; faces may lie outside of it."""
    left, top, right, bottom = area
    photo, part = session.photo, (slice(top, bottom), slice(left, right))
    pixels = photo.pixels[part]
    if not pixels.size:
        height, width = photo.pixels.shape[:2]
        raise SettingsError(
            f"The area {area} is outside of the {width}x{height} photo."
        )
    shift = Similarity.shifting(-left, -top)
    found = tuple(face.moved(shift) for face in session.found)
    alpha = None if photo.alpha is None else photo.alpha[part]
    photo = dataclasses.replace(photo, pixels=pixels, alpha=alpha)
    return dataclasses.replace(session, photo=photo, found=found)


def reduced(session: Session, side: int) -> Session:
    """Return the session in a copy of its photo no larger than that, in 8 bits.

    Its alpha stays if it is transparent anywhere.
    """
    photo, (height, width) = session.photo, session.photo.pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    pixels, alpha = _sized(eight_bit(photo.pixels), size), None
    if photo.alpha is not None and not photo.opaque:
        alpha = _sized(eight_bit(photo.alpha), size)
        # What is clear must not show at the edges of what is not.
        both = np.dstack([eight_bit(photo.pixels), eight_bit(photo.alpha)])
        seen = _sized(both, size)[..., :3]
        pixels = np.where(alpha[..., None] > 0, seen, pixels)
    small = Photo(pixels, alpha, metadata=Metadata(icc=photo.metadata.icc))
    scaling = Similarity.scaling(factor)
    found = tuple(face.moved(scaling) for face in session.found)
    return dataclasses.replace(session, photo=small, found=found)


def _sized(levels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture in another size; Pillow lets what is clear weigh nothing."""
    image = Image.fromarray(levels)
    if image.size == size:
        return levels
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))


def packed(session: Session) -> bytes:
    """Return all of a session but its photo."""
    notes = json.dumps({str(i): note for i, note in session.notes.items()})
    file = io.BytesIO()
    np.savez(
        file,
        allow_pickle=False,
        landmarks=np.array([face.landmarks for face in session.found]),
        boxes=np.array([face.box for face in session.found]),
        confidences=np.array([face.confidence for face in session.found]),
        chosen=np.array(session.chosen, np.int64),
        notes=np.frombuffer(notes.encode(), np.uint8),
        images=session.images,
        masks=session.masks,
        latents=session.start,
    )
    return file.getvalue()


def unpacked(photo: Photo, state: bytes) -> Session:
    """Return the session that was packed, in its photo."""
    with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
        faces = zip(
            arrays["landmarks"],
            arrays["boxes"].tolist(),
            arrays["confidences"].tolist(),
            strict=True,
        )
        notes = json.loads(arrays["notes"].tobytes())
        return Session(
            photo,
            tuple(Face(marks, tuple(box), sure) for marks, box, sure in faces),
            tuple(arrays["chosen"].tolist()),
            {int(i): note for i, note in notes.items()},
            *(arrays[name] for name in ("images", "masks", "latents")),
        )
