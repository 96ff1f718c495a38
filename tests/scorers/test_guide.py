"""The guide sees pictures as the judge does."""

import numpy as np
import pytest
import skimage.data
from keras import ops

from generators.gradients import differentiate
from pretrained import dlib_files
from pretrained.forward_models import Embedder
from pretrained.loading import load_judge, load_shape
from pretrained.registry import library
from retouch.faces.crop import cut
from retouch.faces.detect import Detector
from retouch.faces.identity import looks
from retouch.geometry import TIGHT
from scorers.guide import Guide
from scorers.judge import shape_of

SIDE = 128


@pytest.fixture(scope="module")
def guide():
    weights = library()
    judge, shape = load_judge(weights, "guide"), load_shape(weights, "shape")
    return Guide(dlib_files.identity(), judge, shape)


@pytest.fixture(scope="module")
def portrait():
    pixels = skimage.data.astronaut()
    (face,) = Detector().find(pixels)
    place = face.transform(TIGHT, SIDE)
    image = cut(pixels, place, SIDE)[None] / np.float32(127.5) - 1
    return image, place(face.landmarks)[None].astype(np.float32)


def test_the_shape_is_read_off_the_picture(guide, portrait):
    image, landmarks = portrait
    read = np.asarray(guide.sees(image))[:, 128:]
    true, mean = shape_of(landmarks), guide.shape.mean
    assert np.linalg.norm(read - true) < 0.6 * np.linalg.norm(mean - true)


def test_a_face_that_dlib_aligned_is_read_about_alike(guide, portrait):
    image, landmarks = portrait
    framed = np.asarray(guide.sees(image))
    aligned = np.asarray(guide.told(*looks(image, landmarks)))
    assert framed.shape == aligned.shape == (1, 128 + 136)
    assert np.linalg.norm((framed - aligned)[:, :128]) < 0.3
    mean = guide.shape.mean
    gap = np.linalg.norm((framed - aligned)[:, 128:])
    assert gap < np.linalg.norm(framed[:, 128:] - mean)


def test_traits_are_those_of_the_judge_with_landmarks(guide, portrait):
    image, landmarks = portrait
    descriptors, whole, second = (np.asarray(x) for x in guide.look(image))
    judged = guide.judge.score(descriptors, landmarks)
    for name in ("happy", "age", "gender"):
        place = guide.names.index(name)
        assert whole[0, place] == pytest.approx(judged[0, place], abs=0.5)
    apart = guide.judge.second_opinion(descriptors)
    np.testing.assert_allclose(second, apart, atol=1e-4)


def test_slopes_point_to_where_the_trait_grows(guide, portrait):
    image = ops.convert_to_tensor(portrait[0])
    place = guide.names.index("happy")

    def happy(images):
        return guide.look(images)[1][0, place], None

    (now, _), slope = differentiate(happy, image)
    slope = np.asarray(slope)
    step = 0.5 * slope / np.linalg.norm(slope)
    (after, _), _ = differentiate(happy, image + step)
    gained = float(after) - float(now)
    assert gained == pytest.approx(0.5 * np.linalg.norm(slope), rel=0.5)


def test_arrays_are_seen_without_slopes_as_with_them(guide, portrait):
    forwards = Guide(Embedder(), guide.judge, guide.shape)
    for one, other in zip(
        forwards.look(portrait[0]), guide.look(portrait[0]), strict=True
    ):
        assert isinstance(one, np.ndarray)
        np.testing.assert_allclose(one, np.asarray(other), atol=1e-4)
