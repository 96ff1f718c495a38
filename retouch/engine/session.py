"""What the engine's steps hand on: a photo's faces, the task, the result."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retouch.edits.edit import Move
from retouch.engine.report import FaceReport
from retouch.errors import SettingsError
from retouch.geometry import Face
from retouch.photos.photo import Photo, Provenance

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Result:
    """A finished photo with the report of its faces."""

    photo: Photo
    before: Photo
    faces: tuple[FaceReport, ...]
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done to each face."""

    name: str  # for the provenance: "beautify", "smile +1.5"
    move: Move
    trait: str = ""  # which the report tells before and after
    adults: bool = False  # leave faces alone that look younger than 18


@dataclass(frozen=True, eq=False)
class Session:
    """The faces of one photo, cut out and ready for an edit."""

    photo: Photo
    found: tuple[Face, ...]  # the largest first
    chosen: tuple[int, ...]  # the numbers of those that are worked on
    notes: Mapping[int, str]  # why others of the wanted ones are left alone
    images: Floats  # (N, R, R, 3), of the chosen
    masks: Floats  # (N, R, R, 1)
    latents: Floats | None = None  # once they are inverted

    @property
    def start(self) -> Floats:
        """The latents that edits begin at."""
        if self.latents is None:
            raise SettingsError("These faces have no latents yet. Invert them first.")
        return self.latents

    @property
    def faces(self) -> list[Face]:
        """The faces that are worked on."""
        return [self.found[i] for i in self.chosen]

    def only(self, number: int) -> "Session":
        """Return the session of one of the chosen faces alone."""
        row = self.chosen.index(number)
        part = slice(row, row + 1)
        return dataclasses.replace(
            self,
            chosen=(number,),
            images=self.images[part],
            masks=self.masks[part],
            latents=None if self.latents is None else self.latents[part],
        )

    def reports(self) -> list[FaceReport]:
        """Return a report of every face, as long as nothing was done to any."""
        rows = [FaceReport.of(i, face) for i, face in enumerate(self.found)]
        notes = [self.notes.get(row.index, "") for row in rows]
        return [
            dataclasses.replace(row, note=note)
            for row, note in zip(rows, notes, strict=True)
        ]
