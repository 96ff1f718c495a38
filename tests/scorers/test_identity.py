"""dlib's descriptor in Keras against dlib itself."""

import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.gradients import differentiate
from pretrained import dlib_files
from retouch.errors import DependencyError, WeightsError
from scorers.dlib_layout import SIZE


@pytest.fixture(scope="module")
def identity():
    return dlib_files.identity()


@pytest.fixture(scope="module")
def reference():
    return dlib.face_recognition_model_v1(str(dlib_files.locate(dlib_files.DESCRIPTOR)))


def _pictures(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (count, 10, 10, 3))
    fine = np.kron(coarse, np.ones((1, 15, 15, 1)))
    return np.clip(fine + rng.normal(0, 20, fine.shape), 0, 255).astype(np.uint8)


def test_descriptors_are_dlibs_own(identity, reference):
    pictures = _pictures(4, seed=1)
    own = identity.describe(identity.features(pictures / np.float32(127.5) - 1))
    theirs = [reference.compute_face_descriptor(p) for p in pictures]
    np.testing.assert_allclose(np.asarray(own), theirs, atol=2e-6)


@given(size=st.sampled_from([96, 128, 150, 256, 512]))
@settings(max_examples=5, deadline=None)
def test_chips_of_an_even_picture_are_even(identity, size):
    flat = np.full((1, size, size, 3), 0.25, np.float32)
    result = np.asarray(identity.chips(flat))
    assert result.shape == (1, SIZE, SIZE, 3)
    np.testing.assert_allclose(result, 0.25, atol=1e-5)


def test_the_same_face_at_two_sizes_has_nearly_one_descriptor(identity):
    small = _pictures(1, seed=2)[:, 11:139, 11:139] / np.float32(127.5) - 1
    large = np.repeat(np.repeat(small, 2, 1), 2, 2)
    gap = np.asarray(identity.embed(small)) - np.asarray(identity.embed(large))
    assert np.linalg.norm(gap) < 0.1


def test_likeness_is_zero_for_the_picture_itself_and_grows(identity):
    images = _pictures(2, seed=3)[:, :128, :128] / np.float32(127.5) - 1
    noise = np.random.default_rng(0).normal(0, 0.05, images.shape).astype(np.float32)
    aims = identity.aims(images)
    distances = [
        np.asarray(identity.likeness(images + s * noise, aims)) for s in (0, 1, 4)
    ]
    np.testing.assert_allclose(distances[0], 0, atol=1e-5)
    assert (distances[1] < distances[2]).all() and (distances[0] < distances[1]).all()


def test_likeness_has_the_slope_that_finite_differences_show(identity):
    rng = np.random.default_rng(4)
    images = (_pictures(1, seed=4)[:, :128, :128] / 127.5 - 1).astype(np.float32)
    aims = identity.aims(_pictures(1, seed=5)[:, :128, :128] / np.float32(127.5) - 1)

    def value(x):
        loss = identity.likeness(x, aims)
        return loss[0], None

    import tensorflow as tf

    _, slope = differentiate(value, tf.constant(images))
    way = rng.normal(size=images.shape).astype(np.float32)
    ahead, behind = (float(value(images + s * 1e-3 * way)[0]) for s in (1, -1))
    expected = (ahead - behind) / 2e-3
    assert float((np.asarray(slope) * way).sum()) == pytest.approx(expected, rel=0.05)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    import importlib.metadata as metadata

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(DependencyError, match="pip install face_recognition_models"):
        dlib_files.locate(dlib_files.DESCRIPTOR)


def test_a_missing_model_file_is_named():
    with pytest.raises(WeightsError, match=r"other\.dat is missing"):
        dlib_files.locate("other.dat")
