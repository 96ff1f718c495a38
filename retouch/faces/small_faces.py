"""Where small and turned faces may be: quick detectors propose, a better one decides.

Histograms of oriented gradients (Dalal and Triggs 2005) in windows of 40 pixels, half
the side that dlib's own detector needs, one for each eighth of a turn; trained by
`retouch/training/scouting.py` and run by dlib. They let pass what is no face, but
little.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import ceil, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pretrained.registry import library
from retouch.faces.detections import Sighting, apart
from retouch.faces.grey import Grey
from retouch.faces.search_copies import Look, pieces, reduced
from retouch.geometry import Points, Similarity

WEIGHTS = "scout"
WINDOW = 40  # pixels: the side of the smallest face that is seen
TURNS = tuple(range(0, 360, 45))  # degrees, clockwise
UPRIGHT = 25e6  # pixels of the copy that is searched for upright faces
TURNED = 4e6  # pixels of the copy that is searched for turned ones, and upright too
THRESHOLD = -1.0  # 99 in 100 faces score more
MOST = 60  # sightings that are worth the better detector's time

# Bytes of a detector as dlib writes it: a head that ends with the number of windows,
# their weights, and a tail that concerns training.
HEAD, TAIL = 40, 4
ANY_LEVELS = bytes.fromhex("02e803")  # of the pyramid: 1000, at the most
STEP = 6 / 5  # from one level of the pyramid to the next
HARDLY = 0.1  # of a step: such a level is none


class Marks(NamedTuple):
    """Squares that a search marked, hundreds of them: what few are taken of."""

    centres: Points  # (N, 2), in the photo
    sides: NDArray[np.float64]  # (N,)
    scores: NDArray[np.float64]  # (N,)
    turns: NDArray[np.intp]  # (N,), by their numbers

    def sighting(self, at: int) -> Sighting:
        """Return one, turned as its face is."""
        side = float(self.sides[at])
        middle = Similarity.shifting(*self.centres[at].tolist())
        square = Similarity(side, 0, -side / 2, -side / 2)
        frame = middle @ Similarity.turning(TURNS[self.turns[at]]) @ square
        return Sighting(frame, float(self.scores[at]))


class Scout:
    """Proposes squares in which a face may be."""

    def __init__(self, dlib: Any):
        self._dlib = dlib
        weights = library().weights(WEIGHTS, "detector")
        self._states = [weights[f"turn{turn}"].astype("u1").tobytes() for turn in TURNS]

    def searches(self, grey: Grey, finest: float) -> list[Callable[[], Marks]]:
        """Return what marks squares when it is called.

        Two copies are searched, a coarse one for faces turned by any angle, a fine one
        for the upright faces that are too small there. What is returned may be called
        side by side.

        Args:
            finest: pixels of a copy for one of the photo's, at the most.
        """
        coarse = reduced(*grey.size, finest, TURNED)
        fine = list(pieces(*grey.size, finest, UPRIGHT))
        ratio = fine[0].transform.scale / coarse.transform.scale
        # The coarse copy is itself the next level; one hardly finer tells no more.
        levels = ceil(log(ratio) / log(STEP) - HARDLY)
        upright = joined(self._states[:1], levels)
        jobs = [(coarse, joined(self._states)), *((f, upright) for f in fine if levels)]
        return [partial(self._search, grey, *job) for job in jobs]

    def _search(self, grey: Grey, look: Look, state: bytes) -> Marks:
        # dlib's detectors keep state while they run, so each search has its own.
        detector, back = detector_of(self._dlib, state), look.transform.inverse
        boxes, scores, turns = detector.run(look.copy(grey), 0, THRESHOLD)
        places = [(b.left(), b.top(), b.width()) for b in boxes]
        left, top, side = np.array(places, np.float64).reshape(-1, 3).T
        centres = back(np.stack([left + side / 2, top + side / 2], -1))
        return Marks(centres, back.scale * side, np.array(scores), np.array(turns, int))


def likeliest(found: Iterable[Marks]) -> list[Sighting]:
    """Return the best of all searches, turned as their faces are."""
    whole = Marks(*map(np.concatenate, zip(*found, strict=True)))
    return [whole.sighting(i) for i in apart(*whole[:3], most=MOST)]


def joined(states: Sequence[bytes], levels: int | None = None) -> bytes:
    """Return detectors of one shape as one, which lets other threads run beside it.

    Args:
        levels: of the pyramid that are searched, the finest first; None: all.
    """
    head, number = states[0][: HEAD - 2], bytes([1, len(states)])
    if levels is not None:
        head = head.replace(ANY_LEVELS, bytes([1, levels]))
    return b"".join([head, number, *(state[HEAD:-TAIL] for state in states)])


def detector_of(dlib: Any, state: bytes) -> Any:
    """Return the detector that dlib keeps as these bytes; none of them is run."""
    detector = dlib.fhog_object_detector.__new__(dlib.fhog_object_detector)
    detector.__setstate__((state,))
    return detector


def frontal(dlib: Any) -> Any:
    """Return dlib's own detector of faces, which it takes 230 ms to make anew."""
    state = library().weights("frontal", "detector")["state"]
    return detector_of(dlib, state.astype("u1").tobytes())
