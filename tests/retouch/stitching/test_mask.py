import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retouch.errors import SettingsError
from retouch.faces.crop import coverage
from retouch.geometry import FFHQ, INNER_LIPS, JAW, LEFT_EYE, RIGHT_BROW, Similarity
from retouch.stitching import mask
from tests.retouch.drawing import drawn_face, placed_faces, templates

SHAPE = (300, 300)
FACE = drawn_face(150).moved(Similarity.shifting(75, 75))
TO_CROP = FACE.transform(FFHQ, 192)
names = st.sets(st.sampled_from(sorted(mask.REGIONS)), min_size=1)


def drawn(*regions, **options):
    return mask.draw(FACE, TO_CROP, 192, SHAPE, regions, **options)


def at(picture, landmarks):
    columns, rows = np.floor(TO_CROP(landmarks)).astype(int).T
    return picture[rows, columns]


@settings(max_examples=60, deadline=None)
@given(placed_faces(), templates, names, st.integers(16, 160))
def test_a_mask_lies_in_0_to_1_and_ends_at_the_rim_and_the_photos_edge(
    placed, template, regions, size
):
    shape, face = placed
    transform = face.transform(template, size)
    found = mask.draw(face, transform, size, shape, regions)
    assert found.shape == (size, size) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    inside = np.pad(np.ones((size - 4, size - 4)), 2)
    assert not found[inside == 0].any()
    assert not found[coverage(transform, size, shape) == 0].any()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 5), st.floats(-3, 3), names)
def test_a_mask_does_not_depend_on_how_large_or_turned_the_photo_is(
    scale, angle, regions
):
    turn = Similarity(scale * np.cos(angle), scale * np.sin(angle), 0, 0)
    wide = Similarity.shifting(9e3, 9e3) @ turn
    moved = FACE.moved(wide)
    shape = (20000, 20000)
    one = mask.draw(moved, moved.transform(FFHQ, 96), 96, shape, regions)
    other = mask.draw(FACE, FACE.transform(FFHQ, 96), 96, SHAPE, regions)
    assert np.abs(one - other).max() < 1e-3


@given(names)
@settings(max_examples=15, deadline=None)
def test_regions_combine_to_their_union(regions):
    each = [drawn(name) for name in regions]
    assert np.array_equal(drawn(*regions), np.maximum.reduce(each))


def test_regions_cover_what_they_are_named_after():
    assert at(drawn("face"), FACE.landmarks[17:]).min() == 1
    assert at(drawn("face"), FACE.landmarks[JAW]).min() > 0.5
    assert at(drawn("mouth"), FACE.landmarks[48:]).min() > 0.9
    assert at(drawn("eyes"), FACE.landmarks[36:48]).min() > 0.9


def test_skin_leaves_out_eyes_brows_and_mouth():
    for part in (LEFT_EYE, RIGHT_BROW, INNER_LIPS):
        assert at(drawn("skin"), FACE.landmarks[part]).max() < 0.05
    assert at(drawn("skin"), FACE.landmarks[[29, 30]]).min() == 1


def test_the_mask_fades_slowly_over_the_forehead():
    rise = np.diff(drawn("face")[:, 96])
    forehead, chin = rise[:96].max(), -rise[96:].min()
    assert 0 < forehead < 0.75 * chin


def test_the_surface_ends_before_the_room_the_jaw_may_move_in():
    surface = mask.surface(FACE, TO_CROP, 192, SHAPE)
    assert (surface <= drawn("face") + 1e-6).all()
    assert at(surface, FACE.landmarks[JAW]).max() < 0.2


def test_what_is_hidden_is_left_out():
    visible = np.zeros((192, 192), np.float32)
    visible[:96] = 1
    assert np.array_equal(drawn("face", visible=visible), drawn("face") * visible)


@pytest.mark.parametrize("regions", [(), ("neck",), ("face", "ears")])
def test_unknown_regions_are_refused_with_the_known_ones(regions):
    with pytest.raises(SettingsError, match=r"eyes-and-brows, face, .*; got"):
        drawn(*regions)
