"""An edit for moving pictures: found once for each person, then used frame by frame."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.way import Way
from retouch.engine.session import KnownFaces, Session, Task
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.video.track import Track

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher
    from retouch.models import Model

Floats = NDArray[np.float32]


class EditEffect:
    """Edits tracked faces: the encoder's guess plus a way that each person keeps.

    Whoever looks younger than 18 when first seen is left alone by tasks for adults.
    """

    def __init__(self, retoucher: "Retoucher", task: Task, settings: Settings):
        self.retoucher, self.task, self.settings = retoucher, task, settings
        self.name = task.purpose.name
        self.ways: dict[int, Way | None] = {}  # by person; without one left alone

    def apply(
        self, pixels: NDArray[Any], tracks: Iterable[Track], time: float
    ) -> NDArray[Any]:
        """Return the frame with the faces edited."""
        photo, shown = Photo(pixels), list(tracks)
        for track in shown:
            if track.number not in self.ways:
                self.ways[track.number] = self._found(photo, track)
        ways = {track.number: self.ways[track.number] for track in shown}
        return moved(self.retoucher, photo, shown, ways, self.settings)

    def _found(self, photo: Photo, track: Track) -> Way | None:
        retoucher, settings = self.retoucher, self.settings
        adults = self.task.purpose.adults
        session = opened(retoucher, photo, track, settings, adults=adults)
        return way(retoucher, session, self.task, settings)

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return each person's way, to go on another time."""
        return packed(self.ways)

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Take up such a state."""
        self.ways = unpacked(kept, self.retoucher.model)


def opened(
    retoucher: "Retoucher",
    photo: Photo,
    track: Track,
    settings: Settings,
    *,
    adults: bool = False,
) -> Session:
    """Return a tracked face cut out and with its latent, if it may be edited."""
    known = KnownFaces(photo, (track.face,))
    session = retoucher.cut(known, settings, adults=adults)
    return retoucher.invert([session], settings)[0]


def way(
    retoucher: "Retoucher", session: Session, task: Task, settings: Settings
) -> Way | None:
    """Return the way of a task from a session's face, if one is there."""
    return retoucher.move([session], task, settings).way if session.chosen else None


def moved(
    retoucher: "Retoucher",
    photo: Photo,
    tracks: Iterable[Track],
    ways: Mapping[int, Way | None],
    settings: Settings,
) -> NDArray[Any]:
    """Return a frame whose faces have gone their person's way."""
    going = [(t.face, w) for t in tracks if (w := ways[t.number]) and w.leads]
    if not going:
        return photo.pixels
    known = KnownFaces(photo, tuple(face for face, _ in going))
    session = retoucher.cut(known, settings)
    (session,) = retoucher.invert([session], settings)
    if not session.chosen:
        return photo.pixels
    way = Way.joined([going[i][1] for i in session.chosen]).beginning(session.start)
    return retoucher.render(session, way, settings).pixels


def packed(ways: Mapping[int, Way | None]) -> dict[str, NDArray[Any]]:
    """Return ways by person as arrays."""
    kept: dict[str, NDArray[Any]] = {}
    for number, found in ways.items():
        parts = {} if found is None else found.arrays
        kept |= {f"{number} {name}": array for name, array in parts.items()}
        kept[f"{number} way"] = np.array(found is not None)
    return kept


def unpacked(kept: Mapping[str, NDArray[Any]], model: "Model") -> dict[int, Way | None]:
    """Return the ways that were packed."""
    people: dict[int, dict[str, NDArray[Any]]] = {}
    for key, array in kept.items():
        number, name = key.split()
        people.setdefault(int(number), {})[name] = array
    return {
        number: Way.of(parts, model.moves) if parts["way"] else None
        for number, parts in people.items()
    }
