import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from retouch.geometry import (
    FFHQ,
    LEFT_EYE,
    RIGHT_EYE,
    TIGHT,
    Similarity,
    anchors,
    hull,
    planes,
)
from tests.retouch.drawing import drawn_face

lengths = st.floats(-1e4, 1e4)
similarities = st.builds(
    lambda scale, angle, x, y: (
        Similarity.shifting(x, y)
        @ Similarity.turning(angle)
        @ Similarity.scaling(scale)
    ),
    st.floats(0.01, 100),
    st.floats(-180, 180),
    lengths,
    lengths,
)
points = st.lists(st.tuples(lengths, lengths), min_size=2, max_size=9).map(np.array)


@given(similarities, points)
def test_fit_recovers_a_similarity(move, source):
    assume(np.ptp(source, 0).max() > 1)
    found = Similarity.fit(source, move(source))
    assert np.allclose(found(source), move(source), rtol=1e-6, atol=1e-3)


@given(similarities, points)
def test_the_inverse_undoes_it(move, source):
    assert np.allclose(move.inverse(move(source)), source, rtol=1e-6, atol=1e-3)


@given(similarities, similarities, points)
def test_a_product_applies_the_right_one_first(second, first, source):
    assert np.allclose((second @ first)(source), second(first(source)), atol=1e-3)


@given(similarities, points)
def test_scale_and_angle_describe_the_linear_part(move, source):
    rebuilt = Similarity.turning(move.angle).linear * move.scale
    assert np.allclose(rebuilt, move.linear)
    assert np.allclose(source @ move.matrix[:, :2].T + move.matrix[:, 2], move(source))


def test_a_turn_is_clockwise_as_a_picture_shows_it():
    assert np.allclose(Similarity.turning(90)((1, 0)), (0, 1))


def test_one_point_is_too_little_to_fit():
    with pytest.raises(ValueError, match="two different points"):
        Similarity.fit([(1, 2), (1, 2)], [(0, 0), (1, 1)])


def published_ffhq_quad(landmarks):
    """Compute the corners as the FFHQ data set describes them, line by line."""
    eye_left, eye_right = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    eye_avg = (eye_left + eye_right) * 0.5
    eye_to_eye = eye_right - eye_left
    mouth_avg = (landmarks[48] + landmarks[54]) * 0.5
    eye_to_mouth = mouth_avg - eye_avg
    x = eye_to_eye - np.flipud(eye_to_mouth) * [-1, 1]
    x /= np.hypot(*x)
    x *= max(np.hypot(*eye_to_eye) * 2.0, np.hypot(*eye_to_mouth) * 1.8)
    y = np.flipud(x) * [-1, 1]
    c = eye_avg + eye_to_mouth * 0.1
    return np.stack([c - x - y, c - x + y, c + x + y, c + x - y])


@given(similarities, st.integers(0, 99))
def test_the_ffhq_template_agrees_with_the_published_quad(move, seed):
    noise = np.random.default_rng(seed).normal(size=(68, 2)) * 0.03
    landmarks = move(drawn_face().landmarks + noise)
    corners = FFHQ.transform(landmarks, 1024)(published_ffhq_quad(landmarks))
    expected = [(0, 0), (0, 1024), (1024, 1024), (1024, 0)]
    assert np.abs(corners - expected).max() < 0.5


@given(similarities, st.integers(0, 99))
def test_the_tight_template_sets_the_eyes_level(move, seed):
    noise = np.random.default_rng(seed).normal(size=(68, 2)) * 0.03
    landmarks = move(drawn_face().landmarks + noise)
    left, right, _ = anchors(TIGHT.transform(landmarks, 1)(landmarks))
    assert np.isclose(left[1], right[1], atol=1e-6)
    assert left[0] < right[0]


def test_the_tight_template_puts_eyes_and_mouth_where_it_says():
    landmarks = np.zeros((68, 2))
    landmarks[LEFT_EYE], landmarks[RIGHT_EYE] = (30, 35.5), (70, 35.5)
    landmarks[[48, 54]] = (40, 73.5), (60, 73.5)
    found = np.array(anchors(TIGHT.transform(landmarks, 100)(landmarks)))
    assert np.allclose(found, [(30, 35.5), (70, 35.5), (50, 73.5)])


@given(similarities)
def test_a_moved_face_tells_its_new_size_and_roll(move):
    face, moved = drawn_face(), drawn_face().moved(move)
    assert np.isclose(moved.size, face.size * move.scale, rtol=1e-6)
    difference = moved.roll - face.roll - move.angle
    assert np.isclose((difference + 180) % 360, 180, atol=1e-3)
    assert np.allclose(moved.landmarks, move(face.landmarks))


def test_a_head_that_looks_right_has_a_positive_yaw():
    face = drawn_face(100)
    assert abs(face.yaw) < 5
    turned = face.landmarks.copy()
    turned[27:36, 0] += 10
    assert type(face)(turned, face.box).yaw > 15


@pytest.mark.parametrize("seed", range(5))
def test_hulls_agree_with_qhulls(seed):
    rng = np.random.default_rng(seed)
    points, others = rng.uniform(-5, 5, (60, 2)), rng.uniform(-9, 9, (200, 2))
    reference = ConvexHull(points)
    corners = hull(points)
    assert {*map(tuple, corners)} == {*map(tuple, points[reference.vertices])}
    found, expected = (
        (others @ edges[:, :2].T + edges[:, 2]).max(1)
        for edges in (planes(corners), reference.equations)
    )
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_points_on_an_edge_and_double_ones_are_no_corners():
    square = [(0, 0), (2, 0), (2, 2), (0, 2)]
    corners = hull([*square, (1, 0), (2, 1), (0, 0), (1, 1)])
    assert {*map(tuple, corners)} == {*square} and len(corners) == 4
