import numpy as np
import pytest

from retouch.geometry import FFHQ
from retouch.training.closeups import close_ups, darkest, region, tones
from retouch.training.losses import importance
from retouch.training.shards import Shards, as_images
from tests.retouch.drawing import drawn_face
from tests.retouch.training import blobs

SIZE = 64
MARKS = drawn_face(SIZE).landmarks[None]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards.read(blobs.write(tmp_path_factory.mktemp("data")))


def painted(*parts):
    """Return a black image whose landmarks of each part lie on a colour of its own."""
    image = np.full((1, SIZE, SIZE, 3), -1, np.float32)
    for channel, part in enumerate(parts):
        low, high = MARKS[0, part].min(0) - 1, MARKS[0, part].max(0) + 1
        (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
        image[0, y0:y1, x0:x1, channel] = 1
    return image


def test_eyes_are_shown_above_the_mouth_and_larger():
    images = painted(slice(36, 48), slice(48, 68))
    (shown,) = close_ups(images, MARKS)
    assert shown.shape == (SIZE, SIZE, 3)
    eyes, mouth = shown[: SIZE // 2], shown[SIZE // 2 :]
    assert eyes[SIZE // 4, SIZE // 2, 0] > 0.9 and eyes[..., 1].max() < -0.5
    assert mouth[SIZE // 4, SIZE // 2, 1] > 0.9 and mouth[..., 0].max() < -0.5
    for channel in (0, 1):
        assert (shown[..., channel] > 0).sum() > 1.3 * (images[..., channel] > 0).sum()


def test_a_part_beyond_the_crop_is_shown_with_what_there_is():
    (shown,) = close_ups(painted(slice(36, 48)), MARKS + np.array([0, SIZE / 4]))
    assert np.isfinite(shown).all()


def test_the_darkest_are_found_among_people_held_out(shards):
    index = np.flatnonzero(shards.testing())
    images = as_images(shards.images[index])
    dark = tones([images], shards.landmarks[index], "tight")
    found = darkest(shards, 2)
    assert set(found) == set(index[np.argsort(dark)[-2:]])
    assert len(darkest(shards, len(index) + 3)) == len(index) + 3


def test_a_region_lies_where_the_landmarks_are():
    images = painted(slice(48, 68))
    area = region(images, MARKS, "mouth")[..., 0]
    assert area.shape == (1, SIZE, SIZE)
    assert (images[..., 0] * area).sum() > 0.5 * area.sum()


def test_what_matters_lies_on_the_face_in_every_framing():
    marks = drawn_face(1.0).landmarks
    framed = FFHQ.transform(marks, 32)
    tight, wide = importance(32), importance(32, "ffhq")
    left, mouth = marks[36:42].mean(0), marks[48:60].mean(0)
    for point in (left, mouth):
        inner, outer = (32 * point).astype(int), framed(point).astype(int)
        assert tight[inner[1], inner[0]] > 1.5 and wide[outer[1], outer[0]] > 1.5
    assert wide[0, 0] < 0.7
