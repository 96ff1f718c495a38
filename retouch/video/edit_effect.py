"""An edit for moving pictures: found once for each person, then used frame by frame."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retouch.engine.session import Session, Task
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.video.track import Track

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher

Floats = NDArray[np.float32]


class Retouching:
    """Edits tracked faces: the encoder's guess plus a way that each person keeps.

    Whoever looks younger than 18 when first seen is left alone by tasks for adults.
    """

    def __init__(self, retoucher: "Retoucher", task: Task, settings: Settings):
        self.retoucher, self.task, self.settings = retoucher, task, settings
        self.name = task.name
        self.ways: dict[int, Floats] = {}  # by person; an empty one is left alone

    def apply(
        self, pixels: NDArray[Any], tracks: Iterable[Track], time: float
    ) -> NDArray[Any]:
        """Return the frame with the faces edited."""
        photo, shown = Photo(pixels), list(tracks)
        for track in shown:
            if track.number not in self.ways:
                session = opened(self.retoucher, photo, track, self.task, self.settings)
                self.ways[track.number] = way(
                    self.retoucher, session, self.task, self.settings
                )
        ways = {track.number: self.ways[track.number] for track in shown}
        return moved(self.retoucher, photo, shown, ways, self.settings)

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return each person's way, to go on another time."""
        return {f"{number}": way for number, way in self.ways.items()}

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Take up such a state."""
        self.ways = {int(number): np.asarray(way) for number, way in kept.items()}


def opened(
    retoucher: "Retoucher", photo: Photo, track: Track, task: Task, settings: Settings
) -> Session:
    """Return a tracked face cut out and with its latent, if it may be edited."""
    session = retoucher.cut(photo, settings, adults=task.adults, faces=[track.face])
    return retoucher.invert([session], settings)[0]


def way(
    retoucher: "Retoucher", session: Session, task: Task, settings: Settings
) -> Floats:
    """Return what a task adds to the latent of a session's face, 0 if none is there."""
    if not session.chosen:
        return np.zeros(1, np.float32)
    after = retoucher.move([session], task, settings)
    return np.asarray(after.latents - session.start, np.float32)[0]


def moved(
    retoucher: "Retoucher",
    photo: Photo,
    tracks: Iterable[Track],
    ways: Mapping[int, Floats],
    settings: Settings,
) -> NDArray[Any]:
    """Return a frame whose faces have gone their person's way."""
    chosen = [track for track in tracks if ways[track.number].any()]
    if not chosen:
        return photo.pixels
    session = retoucher.cut(photo, settings, faces=[track.face for track in chosen])
    (session,) = retoucher.invert([session], settings)
    if not session.chosen:
        return photo.pixels
    offsets = np.stack([ways[chosen[i].number] for i in session.chosen])
    return retoucher.render(session, session.start + offsets, settings).pixels
