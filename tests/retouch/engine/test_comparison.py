"""Before beside after, and sheets of strengths."""

from dataclasses import replace

import numpy as np
import pytest

from retouch.engine.comparison import CELL, GAP, HEADING, LEAST, compared, graded
from retouch.engine.report import FaceReport
from retouch.geometry import Similarity
from retouch.photos.photo import Photo
from tests.retouch.drawing import drawn_face, texture


def _report(index=0, place=(300, 200), size=60.0, **more):
    face = drawn_face(size).moved(Similarity.shifting(*place))
    return replace(FaceReport.of(index, face), share=1.0, **more)


@pytest.fixture(scope="module")
def photos():
    before = texture(480, 640).astype(np.uint8)
    after = before.copy()
    after[200:260, 300:360] = 255 - after[200:260, 300:360]
    return Photo(before), Photo(after)


def test_beneath_the_whole_photo_stands_the_face_enlarged(photos):
    pixels = compared(*photos, [_report()]).pixels
    assert pixels.shape == (480 + GAP + 640, 640 + GAP + 640, 3)
    np.testing.assert_array_equal(pixels[:480, :640], photos[0].pixels)
    np.testing.assert_array_equal(pixels[:480, 640 + GAP :], photos[1].pixels)
    old, new = pixels[488:, :640], pixels[488:, 640 + GAP :]
    middle = np.s_[310:330, 310:330]
    # The face's square was turned into its negative; so is the middle of its picture.
    negative = 255.0 - old[middle]
    np.testing.assert_allclose(new[middle], negative, atol=2)


def test_four_faces_stand_in_a_square_and_one_left_alone_is_not_enlarged(photos):
    spots = [(50, 50), (300, 50), (50, 300), (300, 300)]
    four = [_report(i, spot) for i, spot in enumerate(spots)]
    alone = replace(_report(4), share=0.0, note="too small")
    pixels = compared(*photos, [*four, alone]).pixels
    side = (640 - GAP) // 2
    assert pixels.shape[0] == 480 + 2 * (GAP + side)


def test_faces_of_a_small_photo_are_enlarged_all_the_same():
    small = Photo(texture(100, 120).astype(np.uint8))
    pixels = compared(small, small, [_report(0, (30, 20))]).pixels
    assert pixels.shape == (100 + GAP + LEAST, 2 * LEAST + GAP, 3)


def test_a_face_at_the_photos_edge_is_enlarged_without_a_mirror_image():
    rows = np.linspace(0, 255, 300).astype(np.uint8)[:, None, None]
    photo = Photo(np.broadcast_to(rows, (300, 640, 3)).copy())
    pixels = compared(photo, photo, [_report(0, (300, 235), 100.0)]).pixels
    down = pixels[300 + GAP :, 320, 0].astype(int)
    assert (np.diff(down) >= 0).all() and down[-1] > 250


def test_sixteen_bits_stay_sixteen_bits(photos):
    deep = [Photo(photo.pixels.astype(np.uint16) * 257) for photo in photos]
    flat = compared(*photos, [_report()]).pixels
    pixels = compared(*deep, [_report()]).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels / 257, flat, atol=1)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_is_transparent_is_white_on_a_sheet(photos, kind):
    most = np.iinfo(kind).max
    alpha = np.full((480, 640), most, kind)
    alpha[:, :100], alpha[:, 100:200] = 0, round(most * 0.6)
    scale = most // 255
    pair = [Photo(p.pixels.astype(kind) * scale, alpha) for p in photos]
    whole = compared(*pair, []).pixels[:480, :640] / scale
    assert (whole[:, :100] == 255).all()
    half = 255 - 0.6 * (255.0 - photos[0].pixels[:, 100:200])
    np.testing.assert_allclose(whole[:, 100:200], half, atol=0.6)
    np.testing.assert_array_equal(whole[:, 200:], photos[0].pixels[:, 200:])
    sheet = graded([("0", pair[0])], []).pixels[HEADING:]
    assert (sheet[:, :100] == 255).all() and sheet[:, 200:].min() < 200


def test_a_sheet_has_a_labelled_column_for_each_strength(photos):
    steps = [("0", photos[0]), ("1", photos[1]), ("2", photos[1])]
    pixels = graded(steps, [_report(), _report(1, (50, 50))]).pixels
    assert pixels.shape == (HEADING + 2 * CELL, 3 * CELL + 2 * GAP, 3)
    labels = pixels[:HEADING, :CELL], pixels[:HEADING, CELL + GAP : 2 * CELL + GAP]
    assert (labels[0] != labels[1]).any() and all(x.min() < 60 for x in labels)
