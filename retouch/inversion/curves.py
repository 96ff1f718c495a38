"""A picture of a search: its loss over the steps, and the copies on its way."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo

Floats = NDArray[np.float32]
HEIGHT, MARGIN = 240, 44
COLOURS = ((30, 90, 200), (210, 90, 30), (40, 150, 80), (150, 60, 160))
GREY, BLACK = (210, 210, 210), (40, 40, 40)


def plotted(curves: Mapping[str, Floats], strip: Floats) -> Photo:
    """Return the curves above a strip of pictures (K, R, R, 3) in [-1, 1]."""
    row = np.concatenate(list(pixels_of(strip)), 1)
    image = Image.new("RGB", (max(row.shape[1], 480), HEIGHT), "white")
    _draw(ImageDraw.Draw(image), image.width, curves)
    sheet = Image.new("RGB", (image.width, HEIGHT + row.shape[0]), "white")
    sheet.paste(image, (0, 0))
    sheet.paste(Image.fromarray(row), (0, HEIGHT))
    return Photo(np.asarray(sheet))


def _draw(pen: ImageDraw.ImageDraw, width: int, curves: Mapping[str, Floats]) -> None:
    known = np.concatenate([c[np.isfinite(c)] for c in curves.values()])
    high = float(known.max()) if known.size else 1.0
    frame = (MARGIN, MARGIN / 2, width - MARGIN / 2, HEIGHT - MARGIN)
    for i in range(5):
        y = frame[3] + (frame[1] - frame[3]) * i / 4
        pen.line([(frame[0], y), (frame[2], y)], fill=GREY)
        pen.text((4, y - 6), f"{high * i / 4:.2f}", BLACK, font_size=11)
    longest = max(len(curve) for curve in curves.values())
    pen.text((frame[0], frame[3] + 4), "step 0", BLACK, font_size=11)
    pen.text((frame[2] - 30, frame[3] + 4), str(longest - 1), BLACK, font_size=11)
    for place, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        x = np.linspace(frame[0], frame[2], max(len(curve), 2))[: len(curve)]
        heights = frame[3] + (frame[1] - frame[3]) * curve / max(high, 1e-9)
        points = [(float(a), float(b)) for a, b in zip(x, heights, strict=True)]
        seen = [p for p in points if np.isfinite(p[1])]
        if len(seen) > 1:
            pen.line(seen, fill=colour, width=2)
        pen.text((frame[0] + 110 * place, HEIGHT - 20), name, colour, font_size=12)
