"""A face cut out of a photo: what it shows, and where its landmarks lie in there."""

import numpy as np
import pytest

from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT, Similarity
from tests.retouch.drawing import drawn_face, texture

PHOTO = np.rint(texture(200, 240, fine=6)).astype(np.uint8)
FACE = drawn_face(90).moved(Similarity.shifting(70.0, 50.0))


def crop_of(photo):
    return FaceCrop.of(photo, FACE, TIGHT, 64)


def test_landmarks_lie_in_the_crop_where_they_lie_in_the_photo():
    crop = crop_of(PHOTO)
    np.testing.assert_allclose(crop.transform.inverse(crop.landmarks), FACE.landmarks)
    marked = PHOTO.copy()
    x, y = FACE.landmarks[30].astype(int)
    marked[y - 2 : y + 3, x - 2 : x + 3] = 255
    gain = crop_of(marked).levels[..., 0] - crop.levels[..., 0]
    place = np.array(np.unravel_index(gain.argmax(), gain.shape))[::-1] + 0.5
    assert np.abs(place - crop.landmarks[30]).max() < 2.5


@pytest.mark.parametrize("linear", [False, True])
def test_sixteen_bits_show_what_eight_do(linear):
    crops = [
        FaceCrop.of(photo, FACE, TIGHT, 64, linear=linear)
        for photo in (PHOTO, PHOTO.astype(np.uint16) * 257)
    ]
    for name in ("image", "levels", "picture"):
        one, other = (getattr(crop, name) for crop in crops)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-3)


def test_image_levels_and_picture_are_the_same_light():
    photo = np.full((60, 60, 3), 51, np.uint8)
    crop = FaceCrop.of(photo, drawn_face(40), TIGHT, 32)
    np.testing.assert_allclose(crop.image, -0.6, atol=1e-6)
    np.testing.assert_allclose(crop.levels, 51, atol=1e-4)
    assert (crop.picture == 51).all() and crop.picture.dtype == np.uint8
