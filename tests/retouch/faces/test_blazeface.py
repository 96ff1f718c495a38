"""The network computes what it should, and sees faces and nothing else."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, brick, coffee, gravel, rocket

from retouch.faces.blazeface import BLOCKS, HALVING, SIDE, BlazeFace, Seen
from retouch.geometry import Similarity

PORTRAIT = Image.fromarray(astronaut())
EYES = np.array([(204.0, 111.0), (244.0, 108.0)])  # of the astronaut, to 8 pixels


@pytest.fixture(scope="module")
def blazeface():
    return BlazeFace()


def by_keras(weights, image):
    """Return the scores and boxes that Keras' layers compute from the weights."""
    ops = keras.ops
    kernel = weights["stem.kernel"].reshape(5, 5, 3, 24)
    x = ops.relu(ops.conv(image[None], kernel, 2, "same") + weights["stem.bias"])
    for i in range(BLOCKS):
        stride = 2 if i in HALVING else 1
        if i == max(HALVING):
            fine = x
        depth = weights[f"block{i}.depth.kernel"][..., None]
        y = ops.depthwise_conv(x, depth, stride, "same")
        y = y + weights[f"block{i}.depth.bias"]
        y = y @ weights[f"block{i}.point.kernel"] + weights[f"block{i}.point.bias"]
        if stride == 2:
            x = ops.max_pool(x, 2, 2)
        wider = y.shape[-1] - x.shape[-1]
        x = ops.relu(y + ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, wider))))
    told = []
    for what, width in (("scores", 1), ("boxes", 16)):
        heads = [
            head @ weights[f"{name}.{what}.kernel"] + weights[f"{name}.{what}.bias"]
            for name, head in (("fine", fine), ("coarse", x))
        ]
        told.append(np.concatenate([np.reshape(head, (-1, width)) for head in heads]))
    return told[0][:, 0], told[1]


def test_the_network_computes_what_keras_does(blazeface):
    image = np.random.default_rng(0).uniform(-1, 1, (SIDE, SIDE, 3))
    image = image.astype(np.float32)
    wanted = by_keras(blazeface._weights, image)
    for found, told in zip(blazeface.run(image), wanted, strict=True):
        np.testing.assert_allclose(found, told, atol=1e-3)


@pytest.mark.parametrize("side", [160, 300, 512, 1400])
def test_the_eyes_are_where_they_are(blazeface, side):
    (face,) = blazeface.find(np.asarray(PORTRAIT.resize((side, side))))
    eyes = EYES * side / 512
    assert np.abs(face.points[:2] - eyes).max() < 10 * side / 512
    assert 0.8 < face.score < 1 and abs(face.frame.angle) < 12


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_photo_that_lies_on_its_side_is_searched_too(blazeface, turn):
    (face,) = blazeface.find(np.rot90(astronaut(), -turn // 90))
    assert abs((face.frame.angle - turn + 180) % 360 - 180) < 15


@pytest.mark.parametrize(
    ("nose", "trusted", "away"),
    [
        (0.5, False, False),
        (0.15, False, False),
        (0.02, False, True),
        (0.02, True, False),  # where one bound would let a mask come and go
        (0.98, True, False),
        (-0.02, True, True),
        (-0.2, True, True),
        (1.1, False, True),
    ],
)
def test_a_head_is_turned_away_once_its_nose_is_before_an_eye(nose, trusted, away):
    points = np.array([(0, 0), (20, 10), (20 * nose - 5, 10 * nose + 10), (10, 40)])
    turned = Similarity.turning(30)(points)
    assert Seen(Similarity.scaling(60), 0.9, turned).turned_away(trusted) == away


@pytest.mark.parametrize("picture", [brick, coffee, gravel, rocket])
def test_things_are_no_faces(blazeface, picture):
    assert blazeface.find(picture()) == []


def test_photos_of_any_kind_are_looked_at(blazeface):
    grey = np.asarray(PORTRAIT.convert("L"))
    deep = astronaut().astype(np.uint16) * 257
    for photo in (grey, grey[..., None], deep, np.dstack([astronaut(), grey])):
        (face,) = blazeface.find(photo)
        assert np.abs(face.points[:2] - EYES).max() < 10
    assert blazeface.find(np.zeros((1, 1, 3), np.uint8)) == []


def test_finding_faces_loads_no_tensorflow():
    code = (
        "import sys, numpy; from retouch.faces.detect import Detector;"
        " Detector().find(numpy.zeros((90, 90, 3), 'u1'));"
        " assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
