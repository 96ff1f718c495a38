import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from retouch.faces.crop import Pixels, cut
from retouch.geometry import FFHQ, Similarity
from retouch.stitching import grain, layers
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import closed, drawn_face

SIZE = 64
SIDE = 640
FACE = drawn_face(330).moved(Similarity.shifting(155, 155))
TO_CROP = FACE.transform(FFHQ, SIZE)
MOUTH = FACE.landmarks[48:].mean(0)


def grainy(seed: int, strength: float, width: float) -> Pixels:
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3))
    noise = gaussian_filter(noise, (width, width, 0))
    noise *= strength * np.array([1.0, 0.8, 1.2]) / noise.std()
    return (140 + noise).astype(np.float32)


def closing(photo) -> Piece:
    """Return a mouth that closes: darker between the lips, and without any grain."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    middle = TO_CROP(MOUTH)
    away = np.hypot((x - middle[0]) / 11, (y - middle[1]) / 5)
    before = cut(photo, TO_CROP, SIZE) * np.float32(255 / np.iinfo(photo.dtype).max)
    smooth = gaussian_filter(before, (3, 3, 0))
    spot = (20 / (1 + np.exp(8 * (away - 1))))[..., None].astype("f4")
    marks = TO_CROP(FACE.landmarks), TO_CROP(closed(FACE).landmarks)
    return Piece(FACE, TO_CROP, Change(smooth, smooth - spot, marks))


def deviation(picture, middle, half) -> np.ndarray:
    x, y = np.floor(middle).astype(int)
    part = picture[y - half : y + half, x - half : x + half].astype(float)
    fine = part - gaussian_filter(part, (2, 2, 0))
    return fine.std((0, 1))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 99), st.floats(4, 12), st.floats(0, 1.2))
def test_a_painted_mouth_is_as_grainy_as_the_skin_beside_it(seed, strength, width):
    photo = np.rint(grainy(seed, strength, width)).clip(0, 255).astype(np.uint8)
    result = stitch(photo, [closing(photo)])
    assert (result != photo)[int(MOUTH[1]), int(MOUTH[0])].any()
    skin = deviation(photo, MOUTH - np.array([0, 90]), 20)
    ratio = deviation(result, MOUTH, 8) / skin
    assert ratio.min() > 0.7 and ratio.max() < 1.3


def test_a_smooth_photo_gets_no_grain():
    photo = np.full((SIDE, SIDE, 3), 140, np.uint8)
    assert deviation(stitch(photo, [closing(photo)]), MOUTH, 8).max() < 0.6


def test_16_bits_have_the_same_grain_and_the_same_bytes_come_twice():
    photo = np.rint(grainy(0, 8, 0.7)).clip(0, 255).astype(np.uint8)
    eight, again = (stitch(photo, [closing(photo)]) for _ in range(2))
    wide = photo.astype(np.uint16) * 257
    assert np.array_equal(eight, again)
    sixteen = stitch(wide, [closing(wide)])
    assert np.abs(sixteen / 257 - eight).max() < 0.51


def test_the_bands_leave_no_trace_in_the_grain(monkeypatch):
    photo = np.rint(grainy(0, 8, 0.7)).clip(0, 255).astype(np.uint8)
    whole = stitch(photo, [closing(photo)])
    monkeypatch.setattr(layers, "BAND", 1)
    assert np.abs(stitch(photo, [closing(photo)]).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.0, 1.7])
def test_a_crop_that_is_not_enlarged_gets_none(scale):
    plane = np.ones((SIZE, SIZE), np.float32)
    photo = np.rint(grainy(0, 8, 0)).clip(0, 255).astype(np.uint8)
    assert grain.beside(photo, Similarity.scaling(scale), plane, plane) is None


def test_where_nothing_is_painted_nothing_is_added():
    photo = np.rint(grainy(0, 8, 0)).clip(0, 255).astype(np.uint8)
    plane = np.ones((SIZE, SIZE), np.float32)
    assert grain.beside(photo, TO_CROP, plane, plane * 0) is None
