"""Inverted faces as bytes, and in a smaller copy of their photo."""

import numpy as np
import pytest

from retouch.errors import SettingsError
from retouch.geometry import Face
from retouch.photo import Photo
from retouch.service.kept import Kept, packed, part, reduced, unpacked
from retouch.settings import Settings
from retouch.sitting import Sitting


@pytest.fixture
def sitting():
    rng = np.random.default_rng(0)
    faces = tuple(
        Face(rng.uniform(100, 300, (68, 2)), (100.0, 110.0, 300.0, 310.5), 0.5 + i)
        for i in range(3)
    )
    images = rng.uniform(-1, 1, (2, 8, 8, 3)).astype(np.float32)
    masks = rng.uniform(0, 1, (2, 8, 8, 1)).astype(np.float32)
    latents = rng.standard_normal((2, 4, 5)).astype(np.float32)
    pixels = rng.integers(0, 65536, (400, 600, 3)).astype(np.uint16)
    notes = {1: "too small: 9 px"}
    return Sitting(Photo(pixels), faces, (0, 2), notes, images, masks, latents)


def test_a_sitting_comes_back_as_it_was_packed(sitting):
    again = unpacked(sitting.photo, packed(sitting))
    for name in ("images", "masks", "latents"):
        np.testing.assert_array_equal(getattr(again, name), getattr(sitting, name))
    assert again.chosen == sitting.chosen and again.notes == sitting.notes
    for old, new in zip(sitting.found, again.found, strict=True):
        np.testing.assert_array_equal(old.landmarks, new.landmarks)
        assert (old.box, old.confidence) == (new.box, new.confidence)


def test_a_reduced_sitting_has_its_faces_where_they_are_in_the_small_photo(sitting):
    small = reduced(sitting, 300)
    assert small.photo.pixels.shape == (200, 300, 3)
    assert small.photo.pixels.dtype == np.uint8
    np.testing.assert_allclose(
        small.found[1].landmarks, sitting.found[1].landmarks / 2, rtol=1e-12
    )
    assert small.found[0].box == (50.0, 55.0, 150.0, 155.25)


def test_a_photo_that_is_small_enough_stays_as_it_is(sitting):
    pixels = reduced(sitting, 1024).photo.pixels
    np.testing.assert_array_equal(pixels, sitting.photo.pixels // 257)


def test_faces_are_chosen_among_those_that_were_inverted(sitting):
    kept = Kept(sitting)
    assert kept.rows(Settings()) == [0, 1]
    assert kept.rows(Settings(faces="2")) == [1]
    np.testing.assert_array_equal(part(sitting, [1]).start, sitting.start[1:])
    assert part(sitting, [1]).chosen == (2,)
    with pytest.raises(SettingsError, match="Face 1 was not inverted; inverted were 0"):
        kept.rows(Settings(faces="1"))
    with pytest.raises(SettingsError, match="no face 7"):
        kept.rows(Settings(faces="7"))
