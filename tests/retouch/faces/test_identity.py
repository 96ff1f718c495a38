"""Who a face is: the same person near, another far, on a public-domain portrait."""

import dlib
import numpy as np
import pytest
import skimage.data

from pretrained.dlib_files import DESCRIPTOR, locate
from retouch.faces.detect import Detector
from retouch.faces.identity import apart, comparable, described, landmarks_of, looks

SAME, ANOTHER = 0.25, 0.6


@pytest.fixture(scope="module")
def portrait():
    pixels = skimage.data.astronaut()
    return pixels, Detector(scout=False).find(pixels)[0]


def descriptor(pixels, face, **how):
    return described(comparable(pixels, [face], **how))[0]


def test_a_descriptor_is_dlibs_own(portrait):
    (crop,) = comparable(portrait[0], [portrait[1]])
    points = [dlib.point(int(x), int(y)) for x, y in crop.landmarks]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 256, 256), points)
    reference = dlib.face_recognition_model_v1(str(locate(DESCRIPTOR)))
    theirs = np.array(reference.compute_face_descriptor(crop.picture, shape))
    np.testing.assert_allclose(described([crop])[0], theirs, atol=2e-5)


def test_a_look_tells_who_it_is_and_what_shapes_are_read_of(portrait):
    (crop,) = comparable(portrait[0], [portrait[1]])
    who, features = looks(crop.image[None], landmarks_of([crop]))
    np.testing.assert_array_equal(who, described([crop]))
    assert features.shape == (1, 4096) and features.std() > 0


def test_a_softer_and_a_deeper_copy_are_the_same_person(portrait):
    pixels, face = portrait
    own = descriptor(pixels, face)
    assert apart(own, descriptor(pixels, face, linear=True)) < SAME
    assert apart(own, descriptor(pixels.astype(np.uint16) * 257, face)) < 0.01


def test_what_shows_no_face_is_far_from_everybody(portrait):
    pixels, face = portrait
    landmarks = [crop.landmarks for crop in comparable(pixels, [face])]
    assert np.shape(landmarks) == (1, 68, 2)
    noise = np.random.default_rng(0).integers(0, 255, pixels.shape).astype(np.uint8)
    assert apart(descriptor(pixels, face), descriptor(noise, face)) > ANOTHER


def test_distances_are_of_each_row():
    one, other = np.zeros((2, 128), np.float32), np.zeros((2, 128), np.float32)
    other[0, :2], other[1, 5] = (3, 4), 2
    np.testing.assert_array_equal(apart(one, other), [5, 2])
