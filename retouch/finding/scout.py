"""Where small and turned faces may be: quick detectors propose, a better one decides.

Histograms of oriented gradients (Dalal and Triggs 2005) in windows of 40 pixels, half
the side that dlib's own detector needs, one for each eighth of a turn; trained by
`training/scouting.py` and run by dlib. They let pass what is no face, but little.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PIL import Image

from pretrained.registry import library
from retouch.finding.looks import Look, pieces, reduced
from retouch.finding.sightings import Sighting, best, turned

WEIGHTS = "scout"
WINDOW = 40  # pixels: the side of the smallest face that is seen
TURNS = tuple(range(0, 360, 45))  # degrees, clockwise
UPRIGHT = 25e6  # pixels of the copy that is searched for upright faces
TURNED = 4e6  # pixels of the copy that is searched for turned ones
THRESHOLD = -1.0  # 99 in 100 faces score more
MOST = 60  # sightings that are worth the better detector's time


class Scout:
    """Proposes squares in which a face may be."""

    def __init__(self, dlib: Any):
        self._run = dlib.fhog_object_detector.run_multiple
        weights = library().weights(WEIGHTS, "detector")
        self._detectors = [
            detector_of(dlib, weights[f"turn{turn}"].astype("u1").tobytes())
            for turn in TURNS
        ]

    def hints(self, grey: Image.Image, finest: float) -> list[Sighting]:
        """Return the likeliest squares, turned as their faces are.

        Args:
            finest: pixels of a copy for one of the photo's, at the most.
        """
        upright = [(look, TURNS[:1]) for look in pieces(*grey.size, finest, UPRIGHT)]
        jobs = [*upright, (reduced(*grey.size, finest, TURNED), TURNS)]
        with ThreadPoolExecutor(min(len(jobs), os.cpu_count() or 1)) as threads:
            seen = threads.map(lambda job: self._search(grey, *job), jobs)
            return best([s for some in seen for s in some])[:MOST]

    def _search(
        self, grey: Image.Image, look: Look, turns: Sequence[int]
    ) -> list[Sighting]:
        detectors, back = self._detectors[: len(turns)], look.transform.inverse
        boxes, scores, which = self._run(detectors, look.copy(grey), 0, THRESHOLD)
        marks = zip(boxes, scores, which, strict=True)
        sightings = [(Sighting.of(b, s, back), turns[i]) for b, s, i in marks]
        return [Sighting(turned(s.frame, turn), s.score) for s, turn in sightings]


def detector_of(dlib: Any, state: bytes) -> Any:
    """Return the detector that dlib keeps as these bytes; none of them is run."""
    detector = dlib.fhog_object_detector.__new__(dlib.fhog_object_detector)
    detector.__setstate__((state,))
    return detector
