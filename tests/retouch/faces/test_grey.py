import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from retouch.faces.crop import Window
from retouch.faces.grey import Grey
from retouch.geometry import Similarity
from tests.retouch.drawing import texture

PHOTO = np.rint(texture(300, 420, fine=12)).astype(np.uint8)
WHOLE = Window(0, 0, 420, 300)


def brightness(photo):
    return np.asarray(Image.fromarray(photo).convert("L"))


def test_its_own_size_is_the_photos_brightness():
    np.testing.assert_array_equal(
        Grey.of(PHOTO).resized(WHOLE, (420, 300)), brightness(PHOTO)
    )


def test_a_window_of_its_own_size_is_that_part():
    part = Grey.of(PHOTO).resized(Window(30, 40, 130, 90), (100, 50))
    np.testing.assert_array_equal(part, brightness(PHOTO)[40:90, 30:130])


@given(st.integers(1, 900), st.integers(1, 900), st.floats(0.02, 3))
def test_copies_of_any_size_have_the_photos_mean(width, height, scale):
    grey = Grey(np.full((height, width), 77, np.uint8))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    copy = grey.resized(Window(0, 0, width, height), size)
    assert copy.shape == size[::-1] and (copy == 77).all()


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.3, 0.11])
def test_coarser_copies_show_what_is_there(scale):
    size = round(420 * scale), round(300 * scale)
    fine = Image.fromarray(brightness(PHOTO)).resize(size, Image.Resampling.BOX)
    copy = Grey.of(PHOTO).resized(WHOLE, size)
    assert np.abs(copy - np.asarray(fine, float)).mean() < 4


@pytest.mark.parametrize("scale", [1.7, 0.6, 0.26])
def test_a_square_shows_the_photo_at_its_places(scale):
    turn = Similarity.shifting(5, 9) @ Similarity.turning(20)
    transform = Similarity.scaling(scale) @ turn
    size = round(150 * scale)
    square = Grey.of(PHOTO).square(transform, size)
    places = transform.inverse(
        [(size * x, size * y) for x in (0.4, 0.7) for y in (0.3, 0.8)]
    )
    columns, rows = np.floor(places).astype(int).clip(0).T
    at = np.floor(transform(places)).astype(int)
    wanted = brightness(PHOTO)[rows, columns].astype(float)
    assert np.abs(square[at[:, 1], at[:, 0]] - wanted).max() < 20


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_other_numbers_than_a_photos_are_refused(kind):
    with pytest.raises(ValueError, match="uint8 or uint16"):
        Grey.of(PHOTO.astype(kind))


@pytest.mark.parametrize("side", [40, 90, 300, 700])
@pytest.mark.parametrize("middle", [(150, 140), (900, 700), (1380, 20)])
def test_near_a_face_a_photo_is_cut_as_the_whole_of_it(side, middle):
    photo = np.rint(texture(1000, 1400, fine=12)).astype(np.uint8)
    turn = Similarity.turning(20) @ Similarity.scaling(side)
    frame = Similarity.shifting(*(middle - turn((0.5, 0.5)))) @ turn
    for length in (60, 160):  # of the frame in the square
        square = Similarity(length, 0, length / 2, length / 2) @ frame.inverse
        whole, near = (
            grey.square(square, 2 * length)
            for grey in (Grey.of(photo), Grey.near(photo, frame))
        )
        np.testing.assert_array_equal(whole, near)
