import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import gaussian_filter

from retouch.geometry import MOUTH_CORNERS
from retouch.stitching import flow
from tests.retouch.drawing import drawn_face, texture

EVERYWHERE = np.ones((128, 128), np.float32)
INNER = (slice(24, -24), slice(24, -24))


def smooth_flow(seed: int, longest: float, size: int = 128, width: float = 16):
    noise = np.random.default_rng(seed).normal(size=(size, size, 2))
    field = gaussian_filter(noise, (width, width, 0))
    return (longest * field / np.hypot(*np.moveaxis(field, -1, 0)).max()).astype("f4")


def lengths(moves):
    return np.hypot(moves[..., 0], moves[..., 1])


@settings(max_examples=12, deadline=None)
@given(st.floats(-4, 4), st.floats(-4, 4), st.integers(0, 99))
def test_a_shift_is_recovered_to_a_third_of_a_pixel(x, y, seed):
    wide = texture(160, 160, seed, fine=2.0)
    moves = np.broadcast_to(np.float32([x, y]), (160, 160, 2))
    before, after = wide[16:-16, 16:-16], flow.fetch(wide, moves)[16:-16, 16:-16]
    found = flow.estimate(before, after, EVERYWHERE)
    assert lengths(found - (x, y))[INNER].mean() < 0.3


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 99))
def test_a_smooth_bending_is_recovered(seed):
    before, moves = texture(128, 128, seed, fine=2.0), smooth_flow(seed, 4.0)
    found = flow.estimate(before, flow.fetch(before, moves), EVERYWHERE)
    assert lengths(found - moves)[INNER].mean() < 0.4


def test_other_lighting_is_no_movement():
    before = texture(128, 128, 0, fine=2.0)
    slope = np.linspace(0.8, 1.2, 128, dtype=np.float32)[:, None, None]
    found = flow.estimate(before, before * slope + 15, EVERYWHERE)
    assert lengths(found).mean() < 0.1


def test_a_flat_picture_does_not_move():
    flat = np.full((64, 64, 3), 90.0, np.float32)
    assert not flow.estimate(flat, flat + 20, EVERYWHERE[:64, :64]).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(0.1, 40), st.floats(2, 16))
def test_an_unfolded_flow_has_no_folds_and_stays_in_its_place(seed, longest, width):
    y, x = np.mgrid[:96, :96] / 95
    where = np.clip(4 - 10 * np.hypot(x - 0.5, y - 0.5), 0, 1).astype(np.float32)
    wild = smooth_flow(seed, longest, 96, width) * where[..., None]
    calm = flow.unfolded(wild, where)
    assert flow.area(calm).min() >= flow.LEAST_AREA
    assert flow.area(calm).max() <= flow.MOST_AREA
    assert not calm[where == 0].any()
    assert lengths(calm).max() <= lengths(wild).max() * 1.001


def test_what_paint_covers_may_fold_and_the_rest_goes_all_the_way():
    tear = np.zeros((96, 96, 2), np.float32)
    tear[48:, :, 1] = -10  # what lies below goes down, and nothing is between
    covered = np.zeros((96, 96), np.float32)
    covered[44:52] = 1
    assert flow.unfolded(tear, unseen=covered) is tear
    assert np.abs(flow.unfolded(tear) - tear)[52:60].max() > 2


def test_a_fold_is_shortened_where_it_is():
    y, x = np.mgrid[:128, :128].astype(np.float32)
    wild = np.zeros((128, 128, 2), np.float32)
    wild[..., 0] = 4.0 * np.exp(-((x - 96) ** 2 + (y - 96) ** 2) / 400)
    far = wild.copy()
    wild[..., 0] += 30.0 * np.exp(-((x - 24) ** 2 + (y - 24) ** 2) / 60)
    calm = flow.unfolded(wild)
    assert flow.area(calm).min() >= flow.LEAST_AREA
    assert np.abs(calm - far)[88:104, 88:104].max() < 0.2


def test_only_what_is_near_a_fold_is_worked_out(monkeypatch):
    y, x = np.mgrid[:384, :384].astype(np.float32)
    wild = smooth_flow(1, 3.0, 384)
    fold = 6 * np.exp(-((x - 40) ** 2 + (y - 200) ** 2) / 60)
    wild[..., 0] += fold.astype(np.float32)
    seen, smoothed = [], flow.smoothed

    def watched(field, *width):
        seen.append(field.shape[:2])
        return smoothed(field, *width)

    monkeypatch.setattr(flow, "smoothed", watched)
    monkeypatch.setattr(flow, "CALMINGS", 1)
    calm = flow.unfolded(wild)
    assert max(rows * columns for rows, columns in seen[:2]) < 384**2 / 2
    monkeypatch.undo()
    # The first calming, worked out on the whole crop by SciPy.
    scale = flow.area(wild)
    wrong = (scale < flow.LEAST_AREA) | (scale > flow.MOST_AREA)
    near = gaussian_filter(np.float32(wrong), 6.0)
    near = np.minimum(2 * near / near.max(), 1)[..., None]
    whole = wild + near * (0.8 * gaussian_filter(wild, (12, 12, 0)) - wild)
    np.testing.assert_allclose(calm, whole, atol=1e-4)
    assert not (calm - wild)[:, 200:].any()


def test_a_calm_flow_stays_as_it_is():
    calm = smooth_flow(0, 3.0)
    assert flow.unfolded(calm) is calm


@given(st.integers(0, 99), st.floats(0.1, 100), st.floats(0.5, 20))
@settings(max_examples=20, deadline=None)
def test_no_move_is_longer_than_the_bound(seed, longest, limit):
    wild = smooth_flow(seed, longest, 32, 4)
    held = flow.bounded(wild, limit)
    assert lengths(held).max() <= limit * 1.001
    short = lengths(wild) < limit / 3
    assert np.abs(held - wild)[short].max(initial=0) < 0.01 * limit


def test_the_area_agrees_with_a_known_map():
    y, x = np.mgrid[:20, :20].astype(np.float32)
    moves = np.stack([0.5 * x + 0.25 * y, -0.5 * x + 0.125 * y], -1)
    assert flow.area(moves) == pytest.approx(1.5 * 1.125 + 0.25 * 0.5)


def test_a_flow_between_landmarks_takes_one_to_the_other():
    source = drawn_face(160).landmarks + 48
    target = source.copy()
    target[MOUTH_CORNERS] += [(-5, -6), (5, -6)]
    moves = flow.between(source, target, 256)
    rows, columns = np.floor(target).astype(int).T[::-1]
    assert lengths(moves[rows, columns] - (source - target)).max() < 1.0
    assert lengths(moves)[[0, -1]].max() < 0.5


def test_a_flow_between_landmarks_bends_as_scipys_thin_plate_does():
    size, rng = 64, np.random.default_rng(1)
    source = drawn_face(0.7 * size).landmarks + 0.15 * size
    target = source + rng.normal(0, 1, source.shape)
    edge = np.linspace(0, size, 9)
    rim = [(x, y) for x in edge for y in edge if {x, y} & {0.0, float(size)}]
    known = np.concatenate([target, rim])
    moves = np.concatenate([source - target, np.zeros((len(rim), 2))])
    plate = RBFInterpolator(known, moves, smoothing=1e-3 * size)
    points = np.stack(np.meshgrid(*[np.arange(size) + 0.5] * 2), -1)
    expected = plate(points.reshape(-1, 2)).reshape(size, size, 2)
    found = flow.between(source, target, size)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_moves_end_softly_beside_what_may_not_move():
    free = np.ones((128, 128), np.float32)
    free[:, 60:64] = 0  # a strand of hair
    whole = np.full((128, 128, 2), 6, np.float32)
    tapered = flow.tapered(whole, free) * free[..., None]
    steps = np.abs(np.diff(tapered, axis=1)).max()
    assert steps < 0.5 < np.abs(np.diff(whole * free[..., None], axis=1)).max()
    np.testing.assert_allclose(tapered[:, 2], whole[:, 2], rtol=0.05)
