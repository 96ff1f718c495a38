import numpy as np
import pytest

from pretrained.loading import load_action_units
from pretrained.registry import library
from scorers.action_units import CREASES, NAMES, calibrated, creases, measures
from scorers.expression import fit
from scorers.judge import shape_of
from tests.retouch.drawing import drawn_face


@pytest.fixture(scope="module")
def units():
    return load_action_units(library())


@pytest.fixture(scope="module")
def face():
    """Return the landmarks of an upright face in a crop of 128 px, (1, 68, 2)."""
    return drawn_face(128.0).landmarks[None].astype(np.float32)


def people(face, count=400, each=3, seed=0):
    """Return landmarks of people who differ in their noses and smile or do not."""
    rng = np.random.default_rng(seed)
    rows, names, smiles = [], [], []
    for person in range(count):
        own = face[0] + 0.5 * rng.standard_normal((68, 2))
        own[27:36, 1] += 3 * rng.standard_normal()
        for _ in range(each):
            smile = rng.standard_normal()
            marks = own + 0.05 * rng.standard_normal((68, 2))
            marks[[48, 54]] += smile * np.array([[-3.0, -2.0], [3.0, -2.0]])
            rows.append(marks)
            names.append(f"p{person}")
            smiles.append(smile)
    return np.array(rows, np.float32), np.array(names), np.array(smiles)


def learnt(face):
    marks, names, smiles = people(face)
    straight = np.arange(len(marks)), np.zeros((len(marks), 2), np.float32)
    return fit(marks, names, straight, 2), marks, smiles


def test_the_first_expression_is_what_one_person_does(face):
    known, marks, smiles = learnt(face)
    told = known.read(marks)
    assert abs(np.corrcoef(told[:, 0], smiles)[0, 1]) > 0.9
    assert known.spread[0] > 4 * known.spread[1]


def test_a_neutral_picture_takes_the_person_out(face):
    known, _, _ = learnt(face)
    marks, _, smiles = people(face, count=20, each=1, seed=5)
    bare = marks.copy()
    bare[:, [48, 54]] -= smiles[:, None, None] * np.float32([[-3, -2], [3, -2]])
    alone = known.read(marks)[:, 0]
    pairs = zip(marks, bare, strict=True)
    told = np.array([known.read(m[None], b[None])[0] for m, b in pairs])
    sign = np.sign(np.corrcoef(told[:, 0], smiles)[0, 1])
    errors = [np.abs(sign * x - smiles).mean() for x in (told[:, 0], alone)]
    assert errors[0] < errors[1]


def test_moves_of_an_expression_are_read_as_it(units, face):
    known = units.expressions
    wish = np.zeros((1, len(known.spread)), np.float32)
    wish[0, 2] = 1.5
    moved = face + known.moves(wish, face)
    change = (shape_of(moved) - shape_of(face)) @ known.axes / known.spread
    # The eyes, which the measure is taken from, move a little themselves.
    assert np.allclose(change, wish, atol=0.35)


def test_moves_grow_with_the_face(units, face):
    wish = np.ones((1, len(units.expressions.spread)), np.float32)
    small, large = (units.expressions.moves(wish, s * face) for s in (1, 3))
    assert np.allclose(3 * small, large, atol=1e-3)


def test_reading_does_not_depend_on_place_and_size(units, face):
    other = 2 * face + np.float32([30, -7])
    one, two = (units.expressions.read(marks) for marks in (face, other))
    assert np.allclose(one, two, atol=1e-3)


def smiling(face):
    """Return the face with its mouth a fifth wider and its corners lifted."""
    marks = face.copy()
    across = (marks[0, 48:, 0] - 64) / 16
    marks[0, 48:, 0] += 3.5 * across
    marks[0, 48:, 1] -= 4 * across**2
    return marks


def test_lip_corners_drawn_out_and_up_are_action_unit_12(units, face):
    picture = np.zeros((1, 128, 128, 3), np.float32)
    before, after = (units.score(picture, marks) for marks in (face, smiling(face)))
    place = NAMES.index("AU12")
    assert after[0, place] > before[0, place] + 0.5
    assert after[0, NAMES.index("AU15")] <= before[0, NAMES.index("AU15")]


def test_lips_apart_are_action_unit_25(units, face):
    marks = face.copy()
    marks[0, 65:68, 1] += 6
    marks[0, 56:59, 1] += 6
    picture = np.zeros((1, 128, 128, 3), np.float32)
    before, after = (units.score(picture, m)[0] for m in (face, marks))
    assert after[NAMES.index("AU25")] > before[NAMES.index("AU25")] + 0.5


def test_intensities_lie_between_0_and_5(units, face):
    rng = np.random.default_rng(0)
    marks = face + 4 * rng.standard_normal((30, 68, 2)).astype(np.float32)
    pictures = rng.uniform(-1, 1, (30, 128, 128, 3)).astype(np.float32)
    scores = units.score(pictures, marks)
    assert scores.shape == (30, 17)
    assert scores.min() >= 0
    assert scores.max() <= 5


def test_a_crease_is_found_where_it_is(face):
    plain = np.random.default_rng(0).normal(0, 0.02, (1, 128, 128, 3))
    creased = plain.copy()
    x, y = face[0, 27]
    at = int(y + 0.05 * np.hypot(*(face[0, 45] - face[0, 36])))
    creased[0, at - 1 : at + 2, int(x) - 3 : int(x) + 4] += 1
    gain = creases(creased, face) - creases(plain, face)
    assert list(CREASES)[gain[0].argmax()] == "AU09"


def test_the_scale_begins_where_half_of_neutral_faces_lie(face):
    known, marks, _ = learnt(face)
    pictures = np.random.default_rng(2).normal(0, 0.1, (len(marks), 32, 32, 3))
    units = calibrated(known, pictures, marks / 4, np.ones(len(marks), bool))
    scores = units.score(pictures, marks / 4)
    assert (np.median(scores, 0) < 0.1).all()
    assert measures(known).shape == (2, 17)
