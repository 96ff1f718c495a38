"""Lines: which are found, and what gets deeper or fills."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from retouch.edits.manner import LINES, Manner
from retouch.faces.crop import cut
from retouch.geometry import TIGHT, Similarity
from retouch.stitching.change import Change
from retouch.stitching.lines import STRENGTH, straight, unspotted, valleys
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import closed, drawn_face

SIZE = 128
FACE = closed(drawn_face(200)).moved(Similarity.shifting(100, 60))
TO_CROP = FACE.transform(TIGHT, SIZE)
OLDER = Manner(fine=False, colour=0.0, things=frozenset({LINES}))
STILL = (TO_CROP(FACE.landmarks),) * 2
X, Y = FACE.landmarks[[2, 31]].mean(0).astype(int)  # of a cheek


def photo(depth=np.uint8):
    """Return skin with a line and a spot on one cheek."""
    plane = np.full((400, 400), 180.0)
    dark = np.zeros_like(plane)
    dark[Y - 12 : Y + 13, X] = 1
    plane -= 60 * gaussian_filter(dark, 1.5) / gaussian_filter(dark, 1.5).max()
    levels = plane * (np.iinfo(depth).max / 255)
    return np.repeat(np.rint(levels).astype(depth)[..., None], 3, -1)


def changed(pixels, strength, visible=None):
    levels = np.float32(np.iinfo(pixels.dtype).max / 255)
    before = cut(pixels, TO_CROP, SIZE) / levels
    asked = {LINES: strength * STRENGTH}
    change = Change(before, before, STILL, OLDER, asked=asked)
    piece = Piece(FACE, TO_CROP, change, visible)
    result = stitch(pixels, [piece]).astype(float)
    return (result - pixels).mean(-1) / np.iinfo(pixels.dtype).max * 255


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_lines_get_deeper_with_age_and_fill_with_youth(depth):
    pixels = photo(depth)
    older, younger = (changed(pixels, s)[Y, X] for s in (1, -1))
    assert older < -12 and younger > 12
    assert 180 - 60 + younger < 180  # nothing gets lighter than the skin beside
    assert not changed(pixels, 0).any()


def test_the_stronger_the_deeper():
    pixels = photo()
    depths = [changed(pixels, s)[Y, X] for s in (-1, -0.5, 0.5, 1)]
    assert depths == sorted(depths, reverse=True)
    assert len(set(depths)) == 4


def test_skin_beside_lines_and_all_beyond_the_face_stays():
    pixels = photo()
    for strength in (1, -1):
        gone = np.abs(changed(pixels, strength))
        assert gone[Y - 10 : Y + 10, X - 10 : X + 10].max() > 10
        gone[Y - 25 : Y + 26, X - 12 : X + 13] = 0
        assert not gone.any()


def test_a_hand_in_front_has_no_lines():
    pixels = photo()
    assert not changed(pixels, 1.0, np.zeros((SIZE, SIZE), np.float32)).any()


def test_spots_are_no_lines():
    plane = np.zeros((200, 200), np.float32)
    plane[50:130, 60], plane[60:64, 120:124] = -1, -1
    depth = unspotted(valleys(gaussian_filter(plane, 1.5), 300)[0], 300)
    assert depth[90, 60] > 0.2 and depth[50:75, 110:135].max() < 0.02


def test_what_runs_one_way_is_a_line_and_stubble_is_none():
    plane = np.zeros((300, 300), np.float32)
    plane[50:250, 60] = -1
    spots = np.random.default_rng(0).integers(0, 100, (2, 400))
    plane[spots[0] + 100, spots[1] + 150] = -1
    depth, ways = valleys(gaussian_filter(plane, 1.5), 300)
    lines = depth * straight(depth, ways, 300)
    assert lines[80:220, 60].min() > 0.9 * depth[80:220, 60].min() > 0.1
    stubble = slice(100, 200), slice(150, 250)
    assert lines[stubble].mean() < 0.3 * depth[stubble].mean()


def test_what_a_line_is_told_to_be_deep_it_is():
    """A Gaussian valley as wide as one of the widths looked for."""
    across = np.arange(200, dtype=np.float32) - 100
    for width in (1.5, 3.0):
        plane = np.tile(-0.4 * np.exp(-0.5 * (across / width) ** 2), (200, 1))
        depth, _ = valleys(plane.astype(np.float32), 300)
        assert depth[100, 100] == pytest.approx(0.4, rel=0.15)
