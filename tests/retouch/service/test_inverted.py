"""Inverted faces as bytes, and in a smaller copy of their photo."""

import numpy as np
import pytest

from retouch.engine.session import Session
from retouch.errors import SettingsError
from retouch.geometry import Face
from retouch.photos.photo import Photo
from retouch.service.inverted import (
    DRAFT,
    InvertedPhoto,
    packed,
    reduced,
    unpacked,
)
from retouch.settings import Settings


@pytest.fixture
def session():
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
    return Session(Photo(pixels), faces, (0, 2), notes, images, masks, latents)


def test_a_session_comes_back_as_it_was_packed(session):
    again = unpacked(session.photo, packed(session))
    for name in ("images", "masks", "latents"):
        np.testing.assert_array_equal(getattr(again, name), getattr(session, name))
    assert again.chosen == session.chosen and again.notes == session.notes
    for old, new in zip(session.found, again.found, strict=True):
        np.testing.assert_array_equal(old.landmarks, new.landmarks)
        assert (old.box, old.confidence) == (new.box, new.confidence)


def test_a_reduced_session_has_its_faces_where_they_are_in_the_small_photo(session):
    small = reduced(session, 300)
    assert small.photo.pixels.shape == (200, 300, 3)
    assert small.photo.pixels.dtype == np.uint8
    np.testing.assert_allclose(
        small.found[1].landmarks, session.found[1].landmarks / 2, rtol=1e-12
    )
    assert small.found[0].box == (50.0, 55.0, 150.0, 155.25)


def test_a_photo_that_is_small_enough_stays_as_it_is(session):
    pixels = reduced(session, 1024).photo.pixels
    np.testing.assert_array_equal(pixels, np.rint(session.photo.pixels / 257))


def test_faces_are_chosen_among_those_that_were_inverted(session):
    kept = InvertedPhoto(session)
    assert kept.rows(Settings()) == [0, 1]
    assert kept.rows(Settings(faces="2")) == [1]
    np.testing.assert_array_equal(session.part([1]).start, session.start[1:])
    assert session.part([1]).chosen == (2,)
    with pytest.raises(SettingsError, match="Face 1 was not inverted; inverted were 0"):
        kept.rows(Settings(faces="1"))
    with pytest.raises(SettingsError, match="no face 7"):
        kept.rows(Settings(faces="7"))


def test_an_area_is_seen_with_the_faces_that_reach_into_it(session):
    kept = InvertedPhoto(session)
    area = (50, 60, 250, 210)
    seen = kept.view(area)
    assert seen.photo.pixels.shape == (150, 200, 3) and kept.view(area) is seen
    gap = session.found[0].landmarks - seen.found[0].landmarks
    np.testing.assert_allclose(gap, np.broadcast_to([50, 60], gap.shape))
    assert kept.reaching([0, 1], area) == [0, 1]
    assert kept.reaching([0, 1], (450, 0, 600, 400)) == []
    with pytest.raises(SettingsError, match="outside of the 600x400 photo"):
        kept.view((700, 0, 800, 10))


def test_a_draft_shows_less_than_a_preview(session):
    kept = InvertedPhoto(session)
    assert kept.view().photo.pixels.shape == (400, 600, 3)
    assert kept.view(None, DRAFT).photo.pixels.shape == (341, 512, 3)
    assert kept.view(None, DRAFT) is kept.view(None, DRAFT)
    assert kept.view((0, 0, 200, 100), DRAFT).photo.pixels.shape == (100, 200, 3)
