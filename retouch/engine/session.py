"""What the engine's steps hand on: a photo's faces, the task, the result."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retouch.edits.edit import Move
from retouch.engine.report import FaceReport
from retouch.errors import SettingsError
from retouch.geometry import Face
from retouch.photos.photo import Photo, Provenance
from retouch.provenance.seal import Seal
from retouch.settings import Settings

Floats = NDArray[np.float32]
ADULT = 18.0  # years
UNDRAWN = "nothing of it can be drawn on this face"
PAINTED_OVER = "nothing of it lies where the masks let the photo change"
HELD = "the identity budget lets nothing of it be"
YOUNG = "it looks younger than 18 and is left alone"


@dataclass(frozen=True, eq=False)
class Result:
    """A finished photo with the report of its faces."""

    photo: Photo
    before: Photo
    faces: tuple[FaceReport, ...]
    provenance: Provenance
    settings: Settings = field(default_factory=Settings)

    @property
    def seal(self) -> Seal | None:
        """What its file is given besides, if the settings ask for anything."""
        if not (self.settings.sign or self.settings.reversible):
            return None
        return Seal(self.before, self.photo, self.provenance, self.settings)


@dataclass(frozen=True)
class Purpose:
    """What is to come of an edit."""

    name: str  # for the provenance: "beautify", "smile +1.5"
    trait: str = ""  # which the report tells before and after
    adults: bool = False  # whoever looks younger than 18 stays as they are
    look: str = "none"  # to which skin, eyes and teeth are retouched, too
    asks: bool = True  # whether any strength is more than 0


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done to each face, and how its latent goes for it."""

    purpose: Purpose
    move: Move


@dataclass(frozen=True, eq=False)
class KnownFaces:
    """The faces of a photo that are known before it is looked at: none is searched for.

    Whatever takes a photo takes this in its place.
    """

    photo: Photo
    faces: tuple[Face, ...]
    latents: Floats | None = None  # (N, *latent_shape), if they are inverted, too


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
    grown: bool = False  # whether nobody among them looks younger than 18

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
        return self.part([self.chosen.index(number)])

    def part(self, rows: Sequence[int]) -> "Session":
        """Return the session of some of the chosen faces."""
        some = list(rows)
        return dataclasses.replace(
            self,
            chosen=tuple(self.chosen[row] for row in some),
            images=self.images[some],
            masks=self.masks[some],
            latents=None if self.latents is None else self.latents[some],
        )

    def without(self, young: Sequence[int]) -> "Session":
        """Return the session without those rows, who look younger than 18."""
        notes = {self.chosen[row]: YOUNG for row in young}
        rest = [row for row in range(len(self.chosen)) if row not in young]
        told = {**self.notes, **notes}
        return dataclasses.replace(self.part(rest), notes=told, grown=True)

    def reports(self) -> list[FaceReport]:
        """Return a report of every face, as long as nothing was done to any."""
        rows = [FaceReport.of(i, face) for i, face in enumerate(self.found)]
        notes = [self.notes.get(row.index, "") for row in rows]
        return [
            dataclasses.replace(row, note=note)
            for row, note in zip(rows, notes, strict=True)
        ]
