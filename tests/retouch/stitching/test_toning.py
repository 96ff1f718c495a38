import numpy as np
import pytest
from skimage.data import astronaut

from retouch.stitching.flow import LUMINANCE
from retouch.stitching.stitch import METHODS, planned, stitch
from retouch.stitching.toning import Toning
from tests.retouch.stitching.changed import CROP, PHOTO, TO_CROP, hill, piece

GREY, SEPIA = (1.0, 1.0, 1.0), (1.0, 0.86, 0.67)
RED = np.float32([30, -15, -15]) * hill(0.1)


def toned(photo, tint, kind=np.uint8):
    light = (photo @ LUMINANCE)[..., None] * np.array(tint)
    return np.rint(light * (np.iinfo(kind).max / 255)).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("tint", [GREY, SEPIA])
def test_its_own_pixels_have_the_tone_already(tint, kind):
    pixels = toned(astronaut(), tint, kind).reshape(-1, 3)
    level = np.iinfo(kind).max // 255
    again = Toning.of(pixels / np.float32(level)).toned(pixels)
    assert again.dtype == kind
    assert np.abs(again.astype(int) - pixels).max() <= level


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tint", [GREY, SEPIA])
def test_red_that_is_laid_into_it_gets_its_tone_and_keeps_its_light(tint, method):
    photo, edit = toned(PHOTO, tint), piece(CROP + RED)
    after = stitch(photo, [edit], method=method)
    changed = (after != photo).any(-1)
    assert changed.sum() > 2000
    shown = after[changed].astype(float)
    light = (shown @ LUMINANCE)[:, None]
    expected = light * np.array(tint) / (np.array(tint) @ LUMINANCE)
    assert np.abs(shown - expected).max() < 1.6


def test_a_film_s_frames_keep_their_tone_too():
    photo = toned(PHOTO, GREY)
    frame = photo.copy()
    layers = planned(photo, piece(CROP + RED)).flat(photo, TO_CROP)
    layers.lay(frame, TO_CROP, linear=True)
    assert (frame != photo).any(-1).sum() > 2000
    assert np.ptp(frame.astype(int), axis=-1).max() <= 1


def test_a_photo_in_colours_is_left_as_it_is():
    assert Toning.of(np.float32(astronaut())) is None
    after = stitch(PHOTO, [piece(CROP + RED)])
    redder = (after.astype(int) - PHOTO)[..., 0] - (after.astype(int) - PHOTO)[..., 1]
    assert redder.max() > 15
