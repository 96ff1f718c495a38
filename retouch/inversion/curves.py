"""A picture of a search: its loss over the steps, and the copies on its way."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from retouch.photos.charts import Panel, draw
from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo

Floats = NDArray[np.float32]
NARROWEST = 480  # pixels


def plotted(curves: Mapping[str, Floats], strip: Floats) -> Photo:
    """Return the curves above a strip of pictures (K, R, R, 3) in [-1, 1]."""
    row = np.concatenate(list(pixels_of(strip)), 1)
    lines = {
        name: [(i, float(loss)) for i, loss in enumerate(curve) if np.isfinite(loss)]
        for name, curve in curves.items()
    }
    width = max(row.shape[1], NARROWEST)
    chart = draw([Panel("loss", "step", lines, dots=False)], width)
    beside = ((0, 0), (0, width - row.shape[1]), (0, 0))
    return Photo(np.concatenate([chart, np.pad(row, beside, constant_values=255)]))
