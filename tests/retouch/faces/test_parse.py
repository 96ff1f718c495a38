import dataclasses

import numpy as np
import pytest
from skimage.data import astronaut

from retouch.faces.detect import Detector
from retouch.faces.parse import COLOURS, REGIONS, Parts, _is_face, _veiled, parser
from retouch.geometry import INNER_LIPS, TIGHT, Similarity
from scorers.parsing import PARTS, RESOLUTION
from tests.retouch.drawing import drawn_face, texture

SIZE = 64


@pytest.fixture(scope="module")
def portrait():
    pixels = astronaut()
    return pixels, Detector(scout=False).find(pixels)[0]


def made(**areas):
    """Return parts that show skin but for some areas: slices by the part's name."""
    chances = np.zeros((SIZE, SIZE, len(PARTS)), np.float32)
    chances[..., PARTS.index("skin")] = 1
    for name, area in areas.items():
        chances[area] = 0
        chances[(*area, PARTS.index(name))] = 1
    inside = np.zeros((SIZE, SIZE), np.float32)
    inside[:, 6:58] = 1
    return Parts(chances, Similarity.scaling(1), True, inside, np.zeros_like(inside))


def test_a_portrait_shows_its_parts_where_they_are(portrait):
    pixels, face = portrait
    parts = parser().parts(pixels, face)
    assert parts.sure
    assert np.allclose(parts.chances.sum(-1), 1, atol=1e-4)

    def shown(point):
        x, y = parts.transform(point).astype(int)
        return PARTS[parts.chances[y, x].argmax()]

    marks = face.landmarks
    assert shown(marks[30]) == "nose"
    assert shown((marks[2] + marks[31]) / 2) == "skin"
    assert shown(marks[36:42].mean(0)) in ("iris", "white")
    assert shown(marks[[57, 66]].mean(0)) == "lips"
    assert shown((marks[62] + marks[66]) / 2) == "teeth"
    hair = parts.chance("hair") > 0.5
    above = hair[: int(parts.transform(marks[19])[1])]
    assert above.mean() > 0.2
    assert not hair[100:180, 110:150].any()


@pytest.mark.parametrize("shown, apart", [("lips", False), ("teeth", True)])
def test_lips_that_landmarks_part_touch_unless_something_is_seen_between(shown, apart):
    face = drawn_face(RESOLUTION)
    chances = np.zeros((RESOLUTION, RESOLUTION, len(PARTS)), np.float32)
    chances[..., PARTS.index(shown)] = 1
    nothing = np.zeros((RESOLUTION, RESOLUTION), np.float32)
    parts = Parts(chances, Similarity.scaling(1), True, nothing, nothing)
    settled = parts.settled(face)
    lips = settled.landmarks[INNER_LIPS]
    gap = np.hypot(*(lips[[1, 2, 3]] - lips[[7, 6, 5]]).T)
    assert (gap > 0).all() if apart else not gap.any()
    others = np.r_[:61, 64]
    assert np.array_equal(settled.landmarks[others], face.landmarks[others])
    assert settled.landmarks[61:].mean() == pytest.approx(face.landmarks[61:].mean())


def test_sixteen_bits_show_what_eight_do(portrait):
    pixels, face = portrait
    eight = parser().parts(pixels, face).chances
    sixteen = parser().parts(pixels.astype(np.uint16) * 257, face).chances
    assert np.abs(eight - sixteen).max() < 1e-3


def test_a_glance_shows_what_a_look_does(portrait):
    looked, glanced = (parser().parts(*portrait, glance=g) for g in (False, True))
    apart = np.abs(looked.chances - glanced.chances)[looked.inside > 0]
    assert 0 < apart.mean() < 0.01


def test_what_is_no_face_is_not_taken_for_one():
    pixels = np.rint(texture(120, 120)).astype(np.uint8)
    assert not parser().parts(pixels, drawn_face(100)).sure


@pytest.mark.parametrize(
    ("eyes", "mouth", "seen"),
    [
        ("iris", "lips", True),
        ("iris", "front", True),
        ("glasses", "front", True),
        ("glasses", "skin", False),
        ("front", "front", False),
        ("front", "glasses", False),
    ],
)
def test_a_face_is_seen_behind_glasses_and_a_cup(eyes, mouth, seen):
    marks = drawn_face(RESOLUTION // 2).landmarks
    middle = int(marks[30, 1])
    chances = np.zeros((RESOLUTION, RESOLUTION, len(PARTS)), np.float32)
    chances[:middle, :, PARTS.index(eyes)] = 1
    chances[middle:, :, PARTS.index(mouth)] = 1
    assert _is_face(chances, marks) == seen


def test_what_lies_in_front_is_not_free():
    box = slice(20, 40), slice(10, 30)
    free = made(front=box).free(Similarity.scaling(1), SIZE)
    assert (free[box] == 0).all()
    assert (free[50:, 40:] == 1).all()
    assert free.min() >= 0
    assert free.max() <= 1


def test_glasses_on_what_may_be_no_face_are_not_free_and_no_fringe_is_there():
    worn, grown = (slice(8, 18), slice(10, 50)), (slice(30, 44), slice(0, 44))
    face = made(glasses=worn, hair=grown)
    for sure, free in ((True, 0), (False, 1)):
        parts = dataclasses.replace(face, sure=sure)
        shown = parts.free(Similarity.scaling(1), SIZE)
        assert (shown[worn] == 0).all()
        assert (shown[34:40, 10:40] == free).all()


def test_a_mouth_is_left_alone_where_no_face_is_seen():
    parts = parser().parts(np.rint(texture(120, 120)).astype(np.uint8), drawn_face(100))
    assert parts.veiled.max() > 0.9


@pytest.mark.parametrize(("part", "veiled"), [(0.2, 1), (-0.2, 0)])
def test_lips_that_reach_beyond_a_face_are_left_alone(part, veiled):
    marks = drawn_face(RESOLUTION // 2).landmarks
    chances = np.zeros((RESOLUTION, RESOLUTION, len(PARTS)), np.float32)
    chances[..., PARTS.index("lips")] = 1
    low, high = marks[60, 0], marks[64, 0]
    beyond = slice(0, int(low + part * (high - low)))
    chances[:, beyond] = 0
    chances[:, beyond, PARTS.index("background")] = 1
    assert _veiled(chances, marks).max() == pytest.approx(veiled, abs=0.1)


def test_a_hand_of_which_the_network_is_hardly_aware_is_not_free():
    box, gap = (slice(20, 40), slice(10, 30)), (slice(28, 32), slice(18, 22))
    for chance, free in ((0.1, 0.0), (0.025, 1.0)):
        parts = made(front=box)
        parts.chances[..., PARTS.index("front")] *= chance
        parts.chances[(*gap, PARTS.index("front"))] = 0
        assert (parts.free(Similarity.scaling(1), SIZE)[box] == free).all()


def test_a_half_seen_rim_is_not_free_where_it_belongs_to_glasses():
    for side, hidden in ((26, True), (12, False)):
        frame, rim = slice(10, 10 + side), (slice(36, 39), slice(20, 40))
        parts = made(glasses=(frame, slice(10, 40)))
        half = np.zeros(len(PARTS), np.float32)
        half[[PARTS.index("glasses"), PARTS.index("skin")]] = 0.3, 0.7
        parts.chances[rim] = half
        free = parts.free(Similarity.scaling(1), SIZE)[rim]
        assert (free == 0).all() == hidden
        assert (free < 1).all()


def test_a_mouth_that_something_hides_is_not_free(portrait):
    pixels, face = portrait
    mouth = face.landmarks[48:68]
    (left, top), (right, bottom) = mouth.min(0).astype(int), mouth.max(0).astype(int)
    skin = pixels[top - 8, (left + right) // 2]
    hidden = pixels.copy()
    hidden[top - 4 : bottom + 20, left - 10 : right + 10] = skin

    def free(photo):
        parts = parser().parts(photo, face)
        shown = parts.free(parts.transform, parts.inside.shape[0])
        x, y = parts.transform(mouth).astype(int).T
        column, row = parts.transform(face.landmarks[27]).astype(int)
        assert shown[row, column] == 1  # between the eyes
        return shown[y, x]

    assert free(pixels).min() == 1
    assert free(hidden).max() == 0


def test_hair_before_a_face_is_not_free_and_hair_beside_it_is():
    free = made(hair=(slice(4, 60), slice(0, 20))).free(Similarity.scaling(1), SIZE)
    assert (free[10:50, 8:18] == 0).all()
    assert (free[10:50, :3] == 1).all()


def test_hair_along_the_jaw_lies_behind_it_unless_it_reaches_further():
    for right, free in ((8, 1.0), (16, 0.0)):
        parts = made(hair=(slice(4, 60), slice(0, right)))
        assert parts.free(Similarity.scaling(1), SIZE)[10:50, 7].min() == free


@pytest.mark.parametrize("lips, free", [(0.6, 1.0), (0.2, 0.0)])
def test_what_looks_like_lips_themselves_is_not_in_front_of_them(lips, free):
    box = slice(20, 40), slice(20, 40)
    parts = made(front=box)
    parts.chances[..., PARTS.index("front")] += 0.01  # as the network says everywhere
    parts.chances[(*box, PARTS.index("front"))] = 1 - lips
    parts.chances[(*box, PARTS.index("lips"))] = lips
    assert parts.free(Similarity.scaling(1), SIZE)[26:34, 26:34].min() == free


def test_a_speck_of_which_nothing_is_sure_is_not_in_front():
    for side, chance, free in ((8, 0.1, 1.0), (8, 0.8, 0.0), (20, 0.1, 0.0)):
        box = slice(30, 30 + side), slice(30, 30 + side)
        parts = made(front=box)
        parts.chances[..., PARTS.index("front")] *= chance
        assert parts.free(Similarity.scaling(1), SIZE)[box].min() == free


def test_lashes_and_brows_are_no_hair_before_a_face():
    free = made(hair=(slice(20, 24), slice(24, 40))).free(Similarity.scaling(1), SIZE)
    assert free.min() == 1


def test_a_named_region_is_free_and_nothing_else_is():
    box = slice(8, 24), slice(0, 56)
    parts = made(hair=box)
    assert (parts.free(Similarity.scaling(1), SIZE)[8:24, 8:56] == 0).all()
    free = parts.free(Similarity.scaling(1), SIZE, ["hair"])
    assert (free[12:20, 12:52] == 1).all()
    assert (free[32:] == 0).all()


def test_a_smaller_crop_sees_the_same_things_in_front():
    face = drawn_face(60)
    box = slice(20, 44), slice(20, 44)
    free = made(glasses=box).free(face.transform(TIGHT, 32), 32)
    corner = face.transform(TIGHT, 32)((32, 32)).astype(int)
    assert free[corner[1], corner[0]] == 0


def test_every_part_has_a_colour_and_regions_know_their_parts():
    assert {part for parts in REGIONS.values() for part in parts} <= set(PARTS)
    assert len(set(COLOURS)) == len(PARTS)
