import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from retouch.edits.manner import BROAD, NOTHING
from retouch.errors import SettingsError
from retouch.faces.crop import resized, uncut, window_of
from retouch.geometry import FFHQ, TIGHT, Similarity
from retouch.stitching import layers, mask
from retouch.stitching.change import Change
from retouch.stitching.stitch import METHODS, Piece, stitch
from tests.retouch.drawing import placed_faces, templates, texture
from tests.retouch.stitching.changed import (
    CROP,
    FACE,
    MARKS,
    PHOTO,
    SIZE,
    STILL,
    TO_CROP,
    hill,
    lifted,
    piece,
)


def support(photo, piece, regions):
    """Return where the mask, laid back into the photo, is above 0."""
    piece = piece.fitted()
    transform, size = piece.transform, piece.change.size
    drawn = mask.draw(piece.face, transform, size, photo.shape, regions)
    inside = np.zeros(photo.shape[:2], bool)
    window = window_of(transform, size, photo.shape)
    if 0 not in window.shape:
        laid = uncut(drawn[..., None], transform, window, linear=True)
        inside[window.slices] = laid[..., 0] > 0
    return inside


@settings(max_examples=40, deadline=None)
@given(
    placed_faces(),
    templates,
    st.sampled_from(METHODS),
    st.sets(st.sampled_from(sorted(mask.REGIONS)), min_size=1),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(64, 160),
)
def test_outside_the_mask_every_pixel_is_the_same(
    placed, template, method, regions, kind, size
):
    shape, face = placed
    most = np.iinfo(kind).max
    photo = np.random.default_rng(0).integers(0, most, (*shape, 3), kind, True)
    kept = photo.copy()
    before, after = texture(size, size, 1), texture(size, size, 2)
    to_crop = face.transform(template, size)
    was = to_crop(face.landmarks)
    now = was + np.random.default_rng(3).normal(0, 1.5, was.shape)
    edited = Piece(face, to_crop, Change(before, after, (was, now)))
    result = stitch(photo, [edited], method=method, regions=regions)
    outside = ~support(photo, edited, regions)
    assert result.dtype == kind and result.shape == photo.shape
    assert np.array_equal(result[outside], photo[outside])
    assert np.array_equal(photo, kept)


@settings(max_examples=20, deadline=None)
@given(placed_faces(), templates, st.sampled_from(METHODS))
def test_an_unchanged_crop_leaves_the_whole_photo_as_it_is(placed, template, method):
    shape, face = placed
    photo = texture(*shape).astype(np.uint8)
    crop, to_crop = texture(96, 96, 1), face.transform(template, 96)
    marks = to_crop(face.landmarks)
    edit = Piece(face, to_crop, Change(crop, crop.copy(), (marks, marks)))
    result = stitch(photo, [edit], method=method)
    assert np.array_equal(result, photo) and result is not photo


def test_the_same_bytes_come_out_again():
    one, two = (stitch(PHOTO, [piece(texture(SIZE, SIZE, 5))]) for _ in range(2))
    assert np.array_equal(one, two)


def test_the_photos_own_pixels_move_and_keep_their_detail():
    result = stitch(PHOTO, [Piece(FACE, TO_CROP, lifted(CROP, 5, range(68)))])
    x, y = np.floor(TO_CROP.inverse(MARKS[30])).astype(int)
    fetched = PHOTO[y, x].astype(int)
    y -= round(5 / TO_CROP.scale)
    assert np.abs(result[y, x] - fetched).max() < 25
    centre = slice(y - 30, y + 30), slice(x - 30, x + 30)
    fine = [p[centre] - gaussian_filter(p[centre] * 1.0, 2) for p in (PHOTO, result)]
    assert fine[1].std() > 0.9 * fine[0].std()


def test_where_a_face_is_bare_is_known_at_any_size():
    half = np.float32(np.mgrid[:SIZE, :SIZE][1] < SIZE / 2)
    change = Change(CROP, CROP, STILL, bare=(half, 1 - half)).resized(2 * SIZE)
    was, now = change.bare
    assert was.shape == now.shape == (2 * SIZE, 2 * SIZE)
    assert was[:, : SIZE - 4].min() > 0.99 > 0.01 > was[:, SIZE + 4 :].max()
    np.testing.assert_allclose(was + now, 1, atol=1e-5)


def test_replacing_lays_the_crop_in_with_the_photos_colours():
    pattern = 60 * hill(0.03, (0.42, 0.55))
    yellow = np.float32([150, 140, 60]) + pattern
    photo = np.full_like(PHOTO, 120)
    result = stitch(photo, [piece(yellow)], method="replace").astype(float)
    x, y = np.floor(TO_CROP.inverse((74, 60))).astype(int)
    assert np.abs(result[y, x] - 120).max() < 6
    x, y = np.floor(TO_CROP.inverse((0.42 * SIZE, 0.55 * SIZE))).astype(int)
    assert result[y, x].mean() > 150


@pytest.mark.parametrize("method", METHODS)
def test_16_bits_are_worked_on_at_their_own_scale(method):
    edited = piece(CROP + 30 * hill(0.05))
    eight = stitch(PHOTO, [edited], method=method)
    sixteen = stitch(PHOTO.astype(np.uint16) * 257, [edited], method=method)
    assert np.abs(sixteen / 257 - eight).max() < 0.51
    assert (sixteen[100:250, 100:250] % 257 != 0).mean() > 0.2


def test_faces_are_laid_in_one_after_the_other():
    first, second = piece(CROP + 30 * hill(0.05)), piece(texture(SIZE, SIZE, 5))
    both = stitch(PHOTO, [first, second])
    assert np.array_equal(both, stitch(stitch(PHOTO, [first]), [second]))


def test_the_bands_leave_no_trace(monkeypatch):
    edited = piece(texture(SIZE, SIZE, 5))
    whole = stitch(PHOTO, [edited])
    monkeypatch.setattr(layers, "BAND", 1)
    bands = stitch(PHOTO, [edited])
    assert np.abs(whole.astype(int) - bands).max() <= 1


def test_crops_finer_than_the_photo_do_as_much_as_coarse_ones():
    coarse, fine = (
        stitch(PHOTO, [Piece(FACE, FACE.transform(FFHQ, size), change.resized(size))])
        for size in (256, 1024)
        for change in [Change(CROP, CROP + 30 * hill(0.05), STILL)]
    )
    assert np.abs(coarse.astype(int) - fine).max() < 5


def test_what_is_hidden_stays_as_it_is():
    change = Change(CROP, CROP + 30 * hill(), STILL)
    hidden = Piece(FACE, TO_CROP, change, np.zeros((SIZE, SIZE), "f4"))
    assert np.array_equal(stitch(PHOTO, [hidden]), PHOTO)


def test_a_hair_stays_though_the_photo_is_coarser_than_the_crop():
    factor = int(np.ceil(3 / TO_CROP.scale))
    fine = Similarity.scaling(factor) @ TO_CROP
    middle = fine(FACE.landmarks[33])
    spot = 60 * hill(0.08, TO_CROP(FACE.landmarks[33]) / SIZE)
    crop, lit = (resized(c, factor * SIZE) for c in (CROP, CROP + spot))
    visible = np.ones(crop.shape[:2], np.float32)
    across, down = np.floor(middle).astype(int)
    visible[down - 40 : down + 40, across - 3 : across + 3] = 0
    marks = fine(FACE.landmarks)
    change = Change(crop, lit, (marks, marks))
    result = stitch(PHOTO, [Piece(FACE, fine, change, visible)])
    x, y = np.floor(FACE.landmarks[33]).astype(int)
    assert np.array_equal(result[y - 5 : y + 5, x], PHOTO[y - 5 : y + 5, x])
    assert not np.array_equal(result[y, x - 20], PHOTO[y, x - 20])


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ((CROP, CROP[:64], STILL), r"after must be floats \(128, 128, 3\); received"),
        (
            (CROP, CROP, (MARKS, MARKS[:17])),
            "marks must be floats",
        ),
        ((CROP, CROP.astype(np.uint8), STILL), "received uint8"),
        ((CROP, CROP * np.float32(np.nan), STILL), "after must be finite"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(fields, complaint):
    with pytest.raises(ValueError, match=complaint):
        Change(*fields)


@pytest.mark.parametrize("finest", [None, 3 * SIZE // 4])
def test_a_jaw_beyond_its_crop_moves_where_it_is_known_what_lies_there(finest):
    above = Similarity.shifting(0, SIZE / 4) @ FACE.transform(TIGHT, SIZE)
    marks, beside = above(FACE.landmarks), SIZE // 4
    now = marks.copy()
    now[4:13, 1] += 6
    assert marks[8, 1] > SIZE
    lit = Change(CROP, CROP + np.float32(1e-3), (marks, now), BROAD)

    def below(beyond):
        whole = Piece(FACE, above, lit, beyond=beyond)
        result = stitch(PHOTO, [whole], finest=finest)
        y = int(np.ceil(above.inverse((SIZE / 2, SIZE))[1])) + 1
        return (result[y:] != PHOTO[y:]).any(-1)

    clear = np.ones((SIZE + 2 * beside,) * 2, np.float32)
    assert not below(None).any() and not below(0 * clear).any()
    shown = below(clear)
    chin = FACE.landmarks[8].astype(int)
    assert shown.sum() > 100 and shown[:, chin[0] - 5 : chin[0] + 5].any()
    half = clear.copy()
    half[:, : len(clear) // 2] = 0
    left = int(above.inverse((SIZE / 2, 0))[0])
    assert below(half)[:, left + 5 :].any() and not below(half)[:, : left - 5].any()


def test_a_photo_that_is_not_8_or_16_bit_rgb_is_refused():
    with pytest.raises(ValueError, match="8 or 16 bit"):
        stitch(PHOTO / 255, [piece(CROP + 1)])
    with pytest.raises(ValueError, match="8 or 16 bit"):
        stitch(PHOTO[..., 0], [piece(CROP + 1)])


def test_an_unknown_method_is_refused():
    with pytest.raises(SettingsError, match="difference, replace; got 'blend'"):
        stitch(PHOTO, [], method="blend")


def test_what_is_worked_out_coarser_is_nearly_the_same():
    edited = piece(CROP + 40 * hill(0.12))
    fine, coarse = (stitch(PHOTO, [edited], finest=n) for n in (None, SIZE // 2))
    changed = np.abs(fine.astype(int) - PHOTO).max(-1) > 8
    gap = np.abs(coarse.astype(int) - fine)
    assert changed.any() and gap.any()
    assert gap[changed].mean() < 0.25 * np.abs(fine.astype(int) - PHOTO)[changed].mean()
    assert np.array_equal(stitch(PHOTO, [edited], finest=4 * SIZE), fine)


def test_what_leads_nowhere_may_be_meant_for_no_region():
    still = Piece(FACE, TO_CROP, Change(CROP, CROP.copy(), STILL, NOTHING))
    assert still.change.is_none
    assert np.array_equal(stitch(PHOTO, [still]), PHOTO)
