"""An edit for moving pictures: found once for each person, then used frame by frame."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retouch.moving.track import Track
from retouch.photo import Photo
from retouch.settings import Settings
from retouch.sitting import Task

if TYPE_CHECKING:
    from retouch.engine import Retoucher

Floats = NDArray[np.float32]


class Retouching:
    """Edits tracked faces: the encoder's guess plus a way that each person keeps.

    Whoever looks younger than 18 when first seen is left alone by tasks for adults.
    """

    def __init__(self, retoucher: "Retoucher", task: Task, settings: Settings):
        self.retoucher, self.task, self.settings = retoucher, task, settings
        self.name = task.name
        self.ways: dict[int, Floats] = {}  # by person; an empty one is left alone

    def apply(self, pixels: NDArray, tracks: Iterable[Track], time: float) -> NDArray:
        """Return the frame with the faces edited."""
        photo, shown = Photo(pixels), list(tracks)
        for track in shown:
            if track.number not in self.ways:
                self.ways[track.number] = self._way(photo, track)
        chosen = [track for track in shown if self.ways[track.number].any()]
        if not chosen:
            return pixels
        faces = [track.face for track in chosen]
        sitting = self.retoucher.sit(photo, self.settings, faces=faces)
        (sitting,) = self.retoucher.inverted([sitting], self.settings)
        ways = np.stack([self.ways[chosen[i].number] for i in sitting.chosen])
        after = sitting.start + ways
        return self.retoucher.rendered(sitting, after, self.settings).pixels

    def _way(self, photo: Photo, track: Track) -> Floats:
        adults = self.task.adults
        sitting = self.retoucher.sit(
            photo, self.settings, adults=adults, faces=[track.face]
        )
        if not sitting.chosen:
            return np.zeros(1, np.float32)
        (sitting,) = self.retoucher.inverted([sitting], self.settings)
        moved = self.retoucher.moved([sitting], self.task, self.settings)
        return np.asarray(moved.latents - sitting.start, np.float32)[0]

    def state(self) -> Mapping[str, NDArray]:
        """Return each person's way, to go on another time."""
        return {f"{number}": way for number, way in self.ways.items()}

    def resume(self, kept: Mapping[str, NDArray]) -> None:
        """Take up such a state."""
        self.ways = {int(number): np.asarray(way) for number, way in kept.items()}
