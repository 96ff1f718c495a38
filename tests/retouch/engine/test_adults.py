"""Whoever looks younger than 18 stays as they are, whichever way an edit comes."""

import dataclasses

import numpy as np
import pytest
import skimage.data

from retouch.engine.retoucher import Retoucher
from retouch.engine.session import YOUNG
from retouch.errors import FaceError
from retouch.jobs import saved_faces
from retouch.jobs.ranges import Range, ranged
from retouch.models import Model
from retouch.photos.photo import read
from retouch.service.moves import Wish
from retouch.settings import Settings
from tests.climbs import hasty

QUICK = Settings(steps=0)
YEARS = 60  # by which everybody looks younger to the judge below


@pytest.fixture(scope="module")
def portrait():
    return read(skimage.data.astronaut()[:300, 60:360])


@pytest.fixture(scope="module")
def retoucher():
    """Return an engine to whose judge everybody looks like a child."""
    model = Model.load("default")
    older = np.where(np.array(model.judge.names) == "age", YEARS, 0)
    means = (model.judge.means - older).astype(np.float32)
    judge = dataclasses.replace(model.judge, means=means)
    return Retoucher(dataclasses.replace(model, judge=judge))


@pytest.fixture(scope="module")
def session(retoucher, portrait):
    return retoucher.invert([retoucher.cut(portrait, QUICK)], QUICK)[0]


def test_beautify_leaves_the_young_alone_and_says_so(retoucher, portrait):
    done = retoucher.beautified(portrait, QUICK)
    assert done.faces[0].note == YOUNG
    assert np.array_equal(done.photo.pixels, portrait.pixels)


@hasty()
def test_a_session_that_was_cut_for_something_else_is_asked_again(retoucher, session):
    task = retoucher.beautifying(QUICK)
    (done,) = retoucher.finish([session], task, QUICK)
    assert done.faces[0].note == YOUNG
    moved = retoucher.move([session], task, QUICK)
    assert np.array_equal(moved.latents, session.start)


def test_a_range_of_beauty_shows_the_photo(retoucher, portrait):
    shown = ranged(retoucher, portrait, Range("beauty", 0, 1, 2), QUICK)
    assert all(np.array_equal(photo.pixels, portrait.pixels) for photo in shown)


def test_a_saved_face_is_not_drawn_more_beautiful(retoucher, portrait):
    (face,) = saved_faces.invert(retoucher, portrait, QUICK)
    with pytest.raises(FaceError, match="younger than 18"):
        saved_faces.drawn(retoucher, face.saved, {"beauty": 1.0}, QUICK)


def test_beauty_is_for_adults_by_whatever_name(retoucher):
    registry = retoucher.registry
    for name in ("beauty", "attractive", "straight:attractive", "mean:attractive"):
        assert registry.for_adults(name)
        assert Wish(moves={name: 0.5}).for_adults(registry)
    assert Wish(parameters={"attractive": 1.0}).for_adults(registry)
    assert Wish(beautify=1.0).for_adults(registry)
    assert not Wish(moves={"smile": 1.0, "beauty": 0.0}).for_adults(registry)


def test_other_edits_are_for_everybody(retoucher, session):
    smiling = retoucher.editing({"smile": 1.0}, QUICK)
    assert not np.array_equal(
        retoucher.move([session], smiling, QUICK).latents, session.start
    )
