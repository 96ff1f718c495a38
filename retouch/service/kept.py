"""Inverted faces between two requests: as bytes in the front, as arrays in a worker."""

import dataclasses
import io
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.errors import SettingsError
from retouch.geometry import Face, Similarity
from retouch.photo import Metadata, Photo
from retouch.settings import Settings
from retouch.sitting import Sitting

Floats = NDArray[np.float32]
PREVIEW = 1024  # pixels of a preview's longer side, at most


@dataclass(eq=False)
class Kept:
    """A sitting with its latents, and what has been found out about it since."""

    sitting: Sitting
    # The way of each face to the end of a climb, by the climb's name and settings.
    ways: dict[Any, Floats] = field(default_factory=dict)
    years: Floats | None = None  # how old the faces look, once it was asked

    @cached_property
    def small(self) -> Sitting:
        """The same sitting in a photo that is small enough for a preview."""
        return reduced(self.sitting, PREVIEW)

    @property
    def size(self) -> int:
        """The bytes this takes, roughly."""
        sitting = self.sitting
        arrays = [sitting.photo.pixels, sitting.images, sitting.masks, sitting.start]
        return sum(a.nbytes for a in arrays) + 3 * PREVIEW**2

    def rows(self, settings: Settings) -> list[int]:
        """Return the places, among the inverted faces, of those that are asked for."""
        inverted = self.sitting.chosen
        if settings.faces == "all":
            return list(range(len(inverted)))
        wanted = settings.chosen(len(self.sitting.found))
        for number in wanted:
            if number not in inverted:
                known = ", ".join(map(str, inverted))
                raise SettingsError(
                    f"Face {number} was not inverted; inverted were {known}. Send the"
                    " photo to /v1/invert again with that face."
                )
        return [inverted.index(number) for number in wanted]


def part(sitting: Sitting, rows: list[int]) -> Sitting:
    """Return the sitting with only some of its inverted faces."""
    return dataclasses.replace(
        sitting,
        chosen=tuple(sitting.chosen[row] for row in rows),
        images=sitting.images[rows],
        masks=sitting.masks[rows],
        latents=sitting.start[rows],
    )


def reduced(sitting: Sitting, side: int) -> Sitting:
    """Return the sitting in a copy of its photo no larger than that, in 8 bits."""
    photo, (height, width) = sitting.photo, sitting.photo.pixels.shape[:2]
    pixels = photo.pixels
    if pixels.dtype != np.uint8:
        pixels = (pixels // 257).astype(np.uint8)
    factor = min(1.0, side / max(height, width))
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        image = Image.fromarray(pixels)
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        pixels = np.asarray(image)
    small = Photo(pixels, metadata=Metadata(icc=photo.metadata.icc))
    scaling = Similarity.scaling(factor)
    found = tuple(face.moved(scaling) for face in sitting.found)
    return dataclasses.replace(sitting, photo=small, found=found)


def packed(sitting: Sitting) -> bytes:
    """Return all of a sitting but its photo."""
    notes = json.dumps({str(i): note for i, note in sitting.notes.items()})
    file = io.BytesIO()
    np.savez(
        file,
        allow_pickle=False,
        landmarks=np.array([face.landmarks for face in sitting.found]),
        boxes=np.array([face.box for face in sitting.found]),
        confidences=np.array([face.confidence for face in sitting.found]),
        chosen=np.array(sitting.chosen, np.int64),
        notes=np.frombuffer(notes.encode(), np.uint8),
        images=sitting.images,
        masks=sitting.masks,
        latents=sitting.start,
    )
    return file.getvalue()


def unpacked(photo: Photo, state: bytes) -> Sitting:
    """Return the sitting that was packed, in its photo."""
    with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
        faces = zip(
            arrays["landmarks"],
            arrays["boxes"].tolist(),
            arrays["confidences"].tolist(),
            strict=True,
        )
        notes = json.loads(arrays["notes"].tobytes())
        return Sitting(
            photo,
            tuple(Face(marks, tuple(box), sure) for marks, box, sure in faces),
            tuple(arrays["chosen"].tolist()),
            {int(i): note for i, note in notes.items()},
            *(arrays[name] for name in ("images", "masks", "latents")),
        )
