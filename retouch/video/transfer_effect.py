"""A photograph's expression on the faces of moving pictures.

As with every edit, a person's way through the latents is found once and used frame by
frame. How far a face goes along it is what it lacks of the expression at that moment:
who smiles already gets no second smile. A face that was first seen with the expression
gives a short way; a longer one is found when the face lacks more.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.way import Way
from retouch.engine.session import Session
from retouch.expressions.transfer_options import Transferring
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.video.edit_effect import moved, opened, packed, unpacked, way
from retouch.video.track import Track

if TYPE_CHECKING:
    from retouch.expressions.transfer import Transfers

Floats = NDArray[np.float32]
ANEW = 1.5  # times what a face lacked: a longer way is found
LEAST = 0.5  # deviations: a face that lacks less has the expression


class TransferEffect:
    """Gives tracked faces the expression of a session."""

    def __init__(
        self,
        transfers: "Transfers",
        source: Session,
        wish: Transferring,
        settings: Settings,
    ):
        self.transfers, self.source = transfers, source
        self.wish, self.settings = wish, settings
        self.name = f"transfer {wish.alpha:g}"
        self.shown = transfers.expressions.read(transfers.placed(source))[0]
        self.ways: dict[int, Way | None] = {}  # by person
        self.lacks: dict[int, Floats] = {}  # (K,): what each lacked at that time

    def apply(
        self, pixels: NDArray[Any], tracks: Iterable[Track], time: float
    ) -> NDArray[Any]:
        """Return the frame whose faces show the expression."""
        photo, shown = Photo(pixels), list(tracks)
        ways = {track.number: self._way(photo, track) for track in shown}
        retoucher = self.transfers.retoucher
        return moved(retoucher, photo, shown, ways, self.settings)

    def _way(self, photo: Photo, track: Track) -> Way | None:
        """Return how far a person's face goes at this moment."""
        lack, known = self._lack(track), self.lacks.get(track.number)
        longest = LEAST if known is None else ANEW * _length(known)
        if known is None or known @ lack > longest * _length(known):
            self._find(photo, track, lack)
        known = self.lacks[track.number]
        share = np.float32(known @ lack / max(_length(known), LEAST) ** 2)
        found = self.ways[track.number]
        return None if found is None else found * float(np.clip(share, 0, 1))

    def _lack(self, track: Track) -> Floats:
        """Return what a face lacks of the expression, in deviations, (K,)."""
        marks = np.asarray(track.face.landmarks, np.float32)[None]
        return np.asarray(self.shown - self.transfers.expressions.read(marks)[0])

    def _find(self, photo: Photo, track: Track, lack: Floats) -> None:
        engine, retoucher = self.transfers, self.transfers.retoucher
        session = opened(retoucher, photo, track, self.settings)
        found = None
        if session.chosen:
            task = engine.task(self.source, session, [], self.wish, self.settings)
            found = way(retoucher, session, task, self.settings)
        self.ways[track.number], self.lacks[track.number] = found, lack

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return each person's way and lack, to go on another time."""
        lacks = {f"{number} lack": lack for number, lack in self.lacks.items()}
        return packed(self.ways) | lacks

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Take up such a state."""
        self.ways = unpacked(kept, self.transfers.retoucher.model)
        for number in self.ways:
            self.lacks[number] = np.asarray(kept[f"{number} lack"])


def _length(lack: Floats) -> float:
    return float(np.linalg.norm(lack))
