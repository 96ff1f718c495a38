"""The plot of a search shows its losses and its pictures."""

import numpy as np

from retouch.inversion.curves import plotted
from retouch.photos.charts import COLOURS, HEIGHT

STRIP = np.linspace(-1, 1, 3, dtype="f4")[:, None, None, None] * np.ones((3, 64, 64, 3))


def test_the_strip_stands_below_the_curves():
    sheet = plotted({"face 0": np.array([3, 2, 1], "f4")}, STRIP).pixels
    assert sheet.shape == (HEIGHT + 64, 480, 3)
    row = sheet[HEIGHT + 32]
    assert [int(row[32 + 64 * i, 0]) for i in range(3)] == [0, 128, 255]


def test_a_falling_loss_is_a_falling_line():
    sheet = plotted({"face 0": np.linspace(1, 0, 50, dtype="f4")}, STRIP).pixels
    drawn = (sheet[:180] == COLOURS[0]).all(-1)
    left, right = (
        np.argwhere(drawn[:, half])[:, 0].mean()
        for half in (slice(0, 240), slice(240, 480))
    )
    assert left < right


def test_steps_not_taken_are_not_drawn():
    curve = np.array([1, 0.5, np.nan, np.nan], "f4")
    sheet = plotted({"face 0": curve, "face 1": np.ones(4, "f4")}, STRIP).pixels
    drawn = (sheet[:250] == COLOURS[0]).all(-1)
    assert drawn[:, :170].any() and not drawn[:, 200:].any()
