import numpy as np
import pytest

from retouch.expressions.expression import (
    Shapes,
    gaze,
    mirrored,
    retargeted,
    with_irises,
)
from retouch.geometry import JAW, MIRRORED, NOSE
from tests.retouch.drawing import drawn_face

SIZE = 128
NOISE = 0.03  # of landmarks, in sides of the crop


def eyes_looking(across, down):
    """Return a crop in which dark irises lie there in bright eyes."""
    shape = drawn_face().landmarks[None].astype(np.float32)
    look = np.array([[[across, down]] * 2], np.float32)
    irises = with_irises(shape, look)[0, 68:] * SIZE
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    crop = np.full((SIZE, SIZE, 3), 220, np.float32)
    for cx, cy in irises:
        crop[np.hypot(x - cx, y - cy) < 2.5] = 30
    return crop[None], shape


def test_a_mirror_twice_changes_nothing():
    assert sorted(MIRRORED) == list(range(68))
    rng = np.random.default_rng(0)
    shapes, looks = rng.random((3, 68, 2)), rng.random((3, 2, 2))
    again = mirrored(*mirrored(shapes, looks))
    np.testing.assert_allclose(again[0], shapes, atol=1e-6)
    np.testing.assert_allclose(again[1], looks, atol=1e-6)


def test_a_mirror_swaps_left_and_right_of_a_drawn_face():
    shape = drawn_face().landmarks[None]
    turned, _ = mirrored(shape, np.zeros((1, 2, 2)))
    np.testing.assert_allclose(turned[0][JAW], shape[0][JAW], atol=1e-6)
    np.testing.assert_allclose(turned[0][NOSE][:4], shape[0][NOSE][:4], atol=1e-6)


@pytest.mark.parametrize("across", [0.35, 0.5, 0.65])
def test_the_gaze_is_where_an_eye_is_dark(across):
    found = gaze(*eyes_looking(across, 0.0))
    np.testing.assert_allclose(found[0, :, 0], across, atol=0.06)
    np.testing.assert_allclose(found[0, :, 1], 0, atol=0.3)


def test_gaze_does_not_depend_on_light_and_never_fails():
    crop, shape = eyes_looking(0.4, 0.0)
    np.testing.assert_allclose(gaze(crop, shape), gaze(crop / 3 + 9, shape), atol=1e-5)
    black = gaze(np.zeros_like(crop), shape)
    np.testing.assert_allclose(black, [[[0.5, 0.0]] * 2], atol=1e-5)
    assert np.isfinite(gaze(crop, shape * 0 + 2)).all()  # beyond the crop


def people(count, pictures, seed=0):
    """Return shapes of people whose own shape and whose expression are known."""
    rng = np.random.default_rng(seed)
    own, does = rng.normal(size=(2, 3, 136)) * 0.01
    who = rng.normal(size=(count, 3)) @ own
    acts = rng.normal(size=(count, pictures, 3)) @ does
    acts += rng.normal(0, NOISE, acts.shape)
    covariances = [1e4 * axes.T @ axes for axes in (own, does)]
    covariances[1] += 1e4 * NOISE**2 * np.eye(136)
    mean = drawn_face().landmarks.ravel()
    return Shapes(mean, *covariances), who, mean + who[:, None] + acts


def test_a_persons_own_shape_is_found_the_better_the_more_pictures_there_are():
    known, who, shapes = people(40, 32)
    errors = []
    for count in (1, 32):
        means = shapes[:, :count].mean(1)
        found = [known.own(m.reshape(68, 2), count).ravel() for m in means]
        errors.append(np.sqrt(np.mean((np.array(found) - who) ** 2)))
    assert errors[0] < 0.5 * who.std() and errors[1] < 0.3 * errors[0]


def test_a_face_of_the_mean_has_nothing_of_its_own():
    known, _, _ = people(1, 1)
    np.testing.assert_allclose(known.own(known.mean.reshape(68, 2)), 0, atol=1e-12)


def test_retargeting_keeps_jaw_and_expression_and_exchanges_the_rest():
    shape = drawn_face().landmarks
    driver, person = np.random.default_rng(1).normal(0, 0.01, (2, 68, 2))
    moved = retargeted(shape, driver, person)
    np.testing.assert_allclose(moved[JAW], shape[JAW], atol=1e-6)
    np.testing.assert_allclose((moved - person)[17:], (shape - driver)[17:], atol=1e-6)
