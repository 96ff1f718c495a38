"""An edit for moving pictures: found once for each person, then used frame by frame."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retouch.moving.track import Track
from retouch.photo import Photo
from retouch.settings import Settings
from retouch.sitting import Sitting, Task

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
                sitting = seated(self.retoucher, photo, track, self.task, self.settings)
                self.ways[track.number] = way(
                    self.retoucher, sitting, self.task, self.settings
                )
        ways = {track.number: self.ways[track.number] for track in shown}
        return moved(self.retoucher, photo, shown, ways, self.settings)

    def state(self) -> Mapping[str, NDArray]:
        """Return each person's way, to go on another time."""
        return {f"{number}": way for number, way in self.ways.items()}

    def resume(self, kept: Mapping[str, NDArray]) -> None:
        """Take up such a state."""
        self.ways = {int(number): np.asarray(way) for number, way in kept.items()}


def seated(
    retoucher: "Retoucher", photo: Photo, track: Track, task: Task, settings: Settings
) -> Sitting:
    """Return a tracked face cut out and with its latent, if it may be edited."""
    sitting = retoucher.sit(photo, settings, adults=task.adults, faces=[track.face])
    return retoucher.inverted([sitting], settings)[0]


def way(
    retoucher: "Retoucher", sitting: Sitting, task: Task, settings: Settings
) -> Floats:
    """Return what a task adds to the latent of a sitting's face, 0 if none is there."""
    if not sitting.chosen:
        return np.zeros(1, np.float32)
    after = retoucher.moved([sitting], task, settings)
    return np.asarray(after.latents - sitting.start, np.float32)[0]


def moved(
    retoucher: "Retoucher",
    photo: Photo,
    tracks: Iterable[Track],
    ways: Mapping[int, Floats],
    settings: Settings,
) -> NDArray:
    """Return a frame whose faces have gone their person's way."""
    chosen = [track for track in tracks if ways[track.number].any()]
    if not chosen:
        return photo.pixels
    sitting = retoucher.sit(photo, settings, faces=[track.face for track in chosen])
    (sitting,) = retoucher.inverted([sitting], settings)
    if not sitting.chosen:
        return photo.pixels
    offsets = np.stack([ways[chosen[i].number] for i in sitting.chosen])
    return retoucher.rendered(sitting, sitting.start + offsets, settings).pixels
