import dlib
import numpy as np
import pytest
from skimage.data import astronaut

from pretrained.dlib_files import LANDMARKS, locate
from retouch.faces.landmarks import LandmarkReader

BOXES = [(154.0, 64.0, 160.0), (160.0, 70.0, 150.0), (140.0, 50.0, 190.0)]


@pytest.fixture(scope="module")
def grey():
    return np.rint(astronaut().mean(-1)).astype(np.uint8)


@pytest.fixture(scope="module")
def reader():
    return LandmarkReader()


def by_dlib(grey, boxes):
    predictor = dlib.shape_predictor(str(locate(LANDMARKS)))
    ends = [(x, y, x + side - 1, y + side - 1) for x, y, side in boxes]
    shapes = [predictor(grey, dlib.rectangle(*map(int, end))) for end in ends]
    return np.array([[(p.x, p.y) for p in shape.parts()] for shape in shapes])


def test_landmarks_are_those_of_dlib_before_it_rounds_them(grey, reader):
    found = reader.read(grey, BOXES) - 0.5
    assert np.abs(found - by_dlib(grey, BOXES)).max() <= 0.501


def test_boxes_beyond_the_picture_are_read_as_dlib_does(grey, reader):
    boxes = [(-60.0, -40.0, 160.0), (450.0, 430.0, 120.0)]
    found = reader.read(grey, boxes) - 0.5
    assert np.abs(found - by_dlib(grey, boxes)).max() <= 0.501


def test_a_box_is_read_alone_as_beside_others(grey, reader):
    together = reader.read(grey, BOXES)
    alone = np.concatenate([reader.read(grey, [box]) for box in BOXES])
    np.testing.assert_allclose(together, alone, atol=1e-3)
