"""Where small and turned faces may be: quick detectors propose, a better one decides.

Histograms of oriented gradients (Dalal and Triggs 2005) in windows of 40 pixels, half
the side that dlib's own detector needs, one for each eighth of a turn; trained by
`retouch/training/scouting.py` and run by dlib. They let pass what is no face, but
little.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import ceil, log
from typing import Any

from pretrained.registry import library
from retouch.faces.detections import Sighting, best, turned
from retouch.faces.grey import Grey
from retouch.faces.search_copies import Look, pieces, reduced

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


class Scout:
    """Proposes squares in which a face may be."""

    def __init__(self, dlib: Any):
        self._dlib = dlib
        weights = library().weights(WEIGHTS, "detector")
        self._states = [weights[f"turn{turn}"].astype("u1").tobytes() for turn in TURNS]

    def searches(self, grey: Grey, finest: float) -> list[Callable[[], list[Sighting]]]:
        """Return what finds sightings, turned as their faces are, when it is called.

        Two copies are searched, a coarse one for faces turned by any angle, a fine one
        for the upright faces that are too small there. What is returned may be called
        side by side.

        Args:
            finest: pixels of a copy for one of the photo's, at the most.
        """
        coarse = reduced(*grey.size, finest, TURNED)
        fine = list(pieces(*grey.size, finest, UPRIGHT))
        ratio = fine[0].transform.scale / coarse.transform.scale
        levels = ceil(round(log(ratio) / log(STEP), 2))
        upright = joined(self._states[:1], levels)
        jobs = [(coarse, joined(self._states)), *((f, upright) for f in fine if levels)]
        return [partial(self._search, grey, *job) for job in jobs]

    def _search(self, grey: Grey, look: Look, state: bytes) -> list[Sighting]:
        # dlib's detectors keep state while they run, so each search has its own.
        detector, back = detector_of(self._dlib, state), look.transform.inverse
        marks = zip(*detector.run(look.copy(grey), 0, THRESHOLD), strict=True)
        sightings = [(Sighting.of(b, s, back), TURNS[int(i)]) for b, s, i in marks]
        return [Sighting(turned(s.frame, turn), s.score) for s, turn in sightings]


def likeliest(found: Iterable[list[Sighting]]) -> list[Sighting]:
    """Return the best of all searches."""
    return best([sighting for some in found for sighting in some])[:MOST]


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
