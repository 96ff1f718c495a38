from dataclasses import replace

import numpy as np
import pytest
from skimage.data import astronaut

from retouch.edits.way import Way
from retouch.engine.rendering import (
    ANCHORS,
    BITE,
    GENTLE,
    Drawn,
    Renderer,
    _bite,
    _parted,
)
from retouch.faces.crop import cut
from retouch.faces.detect import Detector
from retouch.geometry import TIGHT, Similarity
from retouch.photos.levels import pixels_of
from retouch.photos.photo import read
from retouch.settings import Settings
from retouch.stitching.mouths import opening
from tests.retouch.drawing import closed, drawn_face


def test_what_is_drawn_larger_is_laid_where_eyes_and_nose_are():
    photo = astronaut()
    (face, *_) = Detector(scout=False).find(photo)
    place = face.transform(TIGHT, 128)
    picture, marks = cut(photo, place, 128), place(face.landmarks)
    grown = Similarity.shifting(-4, -6) @ Similarity.scaling(1.08)
    smiling = marks.copy()
    smiling[48:] += 0, -5  # a mouth that is lifted says nothing of the rest
    larger = cut(photo, grown @ place, 128)
    old, new = (
        Drawn(image, replace(face, landmarks=points))
        for image, points in ((picture, marks), (larger, grown(smiling)))
    )
    again = new.laid_on(old)
    now = again.marks
    np.testing.assert_allclose(now[ANCHORS], marks[ANCHORS], atol=1e-6)
    np.testing.assert_allclose(now[48:], marks[48:] - (0, 5), atol=1e-6)
    inside = np.s_[16:-16, 16:-16]
    assert np.abs(again.picture - picture)[inside].mean() < 1.5
    assert np.abs(larger - picture)[inside].mean() > 10


def test_faces_that_are_drawn_side_by_side_are_those_drawn_alone(retoucher):
    settings = Settings(preset="fast")
    session = retoucher.cut(read(astronaut()), settings)
    (session,) = retoucher.invert([session], settings)
    latents, faces = np.repeat(session.start, 3, 0), 3 * retoucher.in_crops(session)
    images = np.repeat(session.images, 3, 0)
    noise = np.random.default_rng(0).normal(0, 0.02, latents.shape)
    noise *= np.arange(3)[:, None, None]  # the first goes nowhere
    free = np.ones(images.shape[:3], np.float32)
    way = Way(latents, noise.astype(np.float32))

    def shown(rows):
        fresh = Renderer(retoucher.model, retoucher.detector)
        return fresh.shown(images[rows], faces[rows], free[rows], way[rows], settings)

    together = pixels_of(shown(slice(0, 3)))
    alone = [pixels_of(shown(slice(i, i + 1)))[0] for i in range(3)]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[:1], pixels_of(images[:1]))
    assert (together[0] != together[2]).any()


def test_what_is_tried_changes_only_where_the_photo_may(retoucher):
    settings = Settings(preset="fast")
    session = retoucher.cut(read(astronaut()), settings)
    (session,) = retoucher.invert([session], settings)
    way = Way(session.start, np.full_like(session.start, 0.3))

    def changed_above_the_mouth(region):
        view = retoucher.view([session], replace(settings, mask_region=region))
        before, after = (view.show(way * share, 0)[0] for share in (0, 1))
        changed = (after != before).any(-1)
        assert changed.any()
        return changed[: int(view.marks[0][33, 1])].any()  # the nose's tip

    assert changed_above_the_mouth("face") and not changed_above_the_mouth("lips")


@pytest.mark.parametrize(
    ("happier", "opener", "parts"),
    [
        (GENTLE - 0.1, 1.0, False),
        (GENTLE + 0.1, 1.0, True),
        (0.4, 0.6, True),
        (-1.0, -0.5, False),
    ],
)
def test_lips_part_at_a_smile_that_is_no_gentle_one(retoucher, happier, opener, parts):
    moves = retoucher.model.moves
    change = np.zeros((1, len(moves.names)), np.float32)
    change[0, moves.names.index("happy")] = happier
    change[0, moves.names.index("mouth-open")] = opener
    latents = np.repeat(moves.mean[None], 1, 0)
    now = drawn_face(128).landmarks
    was = closed(drawn_face(128)).landmarks
    way = Way.learnt(latents, change, moves)
    assert (opening(_parted(way, was, was, now)) > 0.05) == parts
    assert (opening(_parted(way, now, was, now)) > 0.05) == (happier > 0)


@pytest.mark.parametrize("happier, opener, bite", [(0, 1, BITE), (2, 1, 1), (1, -1, 1)])
def test_teeth_reach_down_to_the_lower_lip_of_who_smiles(
    retoucher, happier, opener, bite
):
    moves = retoucher.model.moves
    change = np.zeros((1, len(moves.names)), np.float32)
    change[0, moves.names.index("happy")] = happier
    change[0, moves.names.index("mouth-open")] = opener
    way = Way.learnt(np.repeat(moves.mean[None], 1, 0), change, moves)
    assert _bite(way) == pytest.approx(bite)
