"""Line charts, drawn with Pillow: a few panels side by side, each with its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 420, 320  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 40, 60  # between the panel's edge and its axes
INK, GRID = (40, 40, 40), (225, 225, 225)
COLOURS = ((200, 70, 60), (50, 110, 200), (60, 150, 80), (150, 90, 180))
TICKS = 5

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One chart: what is drawn against what."""

    title: str
    across: str
    lines: Mapping[str, Line]
    dots: bool = True  # at every point

    def box(self) -> tuple[float, float, float, float]:
        """Return the lowest and highest x and y, the latter from 0 on."""
        points = np.array([p for line in self.lines.values() for p in line])
        if not len(points):
            return 0.0, 1.0, 0.0, 1.0
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        y0, y1 = min(0.0, float(y0)), float(y1)
        return float(x0), float(x1 if x1 > x0 else x0 + 1), y0, y1 if y1 > y0 else 1.0


def draw(panels: Sequence[Panel], width: int = WIDTH) -> NDArray[np.uint8]:
    """Return the panels side by side, each so many pixels wide."""
    image = Image.new("RGB", (width * len(panels), HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    for i, panel in enumerate(panels):
        _panel(pen, panel, i * width, width)
    return np.asarray(image)


def _panel(pen: ImageDraw.ImageDraw, panel: Panel, left: float, width: int) -> None:
    x0, x1, y0, y1 = panel.box()
    wide, high = width - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + LEFT + wide * (x - x0) / (x1 - x0)
        return across, TOP + high * (1 - (y - y0) / (y1 - y0))

    for x, y in zip(
        np.linspace(x0, x1, TICKS), np.linspace(y0, y1, TICKS), strict=True
    ):
        pen.line([place(x0, y), place(x1, y)], fill=GRID)
        pen.text((left + 8, place(x0, y)[1] - 6), f"{y:.2f}", INK)
        pen.text((place(x, y0)[0] - 10, TOP + high + 6), f"{x:.2f}", INK)
    pen.line([place(x0, y1), place(x0, y0), place(x1, y0)], fill=INK)
    pen.text((left + LEFT, 10), panel.title, INK, font_size=14)
    pen.text((left + LEFT + wide / 2 - 20, TOP + high + 22), panel.across, INK)
    at = left + LEFT
    for colour, (name, line) in zip(_colours(), panel.lines.items(), strict=False):
        points = [place(x, y) for x, y in sorted(line)]
        if len(points) > 1:
            pen.line(points, fill=colour, width=2)
        for x, y in points if panel.dots else ():
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        pen.rectangle((at, HEIGHT - 18, at + 10, HEIGHT - 8), fill=colour)
        pen.text((at + 14, HEIGHT - 19), name, INK)
        at += 24 + 7 * len(name)


def _colours() -> list[tuple[int, int, int]]:
    return [COLOURS[i % len(COLOURS)] for i in range(16)]
