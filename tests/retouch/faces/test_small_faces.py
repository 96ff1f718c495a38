"""The quick detectors propose what is worth a second look, and little else."""

import dlib
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, chelsea

from retouch.faces.detections import Sighting
from retouch.faces.grey import Grey
from retouch.faces.small_faces import (
    MOST,
    TURNS,
    Scout,
    detector_of,
    frontal,
    joined,
    likeliest,
)
from retouch.geometry import Similarity

HEAD = Image.fromarray(astronaut()).convert("L").crop((120, 0, 330, 250))
FACE = 108  # pixels of the head's face


@pytest.fixture(scope="module")
def scout():
    return Scout(dlib)


def pictured(size, turn=0):
    """Return a cat's picture with the head in the middle, and its centre."""
    photo = Image.fromarray(chelsea()).convert("L").resize((1200, 800))
    scale = size / FACE
    head = HEAD.resize((round(210 * scale), round(250 * scale)), Image.Resampling.BOX)
    photo.paste(head.rotate(-turn, Image.Resampling.BICUBIC, expand=True), (600, 400))
    return photo


def marks(states, levels=None):
    detector = detector_of(dlib, joined(states, levels))
    boxes, scores, which = detector.run(np.asarray(pictured(60)), 0, -1.0)
    return {
        (b.left(), b.top(), b.width(), s, int(i))
        for b, s, i in zip(boxes, scores, which, strict=True)
    }


def test_joined_detectors_see_what_each_sees(scout):
    states = [scout._states[0], scout._states[4]]
    alone = [detector_of(dlib, state) for state in states]
    best = max(marks(states), key=lambda mark: mark[3])
    boxes, scores, _ = alone[best[4]].run(np.asarray(pictured(60)), 0, -1.0)
    assert (boxes[0].left(), boxes[0].top(), scores[0]) == (*best[:2], best[3])
    assert {mark[4] for mark in marks(states)} == {0, 1}


def test_a_pyramid_cut_off_sees_the_same_small_windows(scout):
    every, cut = marks(scout._states[:1]), marks(scout._states[:1], 3)
    assert max(m[2] for m in cut) < 65 < max(m[2] for m in every)
    assert {m for m in every if m[2] < 50} <= cut


def hints_of(scout, grey):
    return likeliest(search() for search in scout.searches(grey, 1.0))


@pytest.mark.parametrize(
    ("size", "turn"),
    [(42, 0), (50, 0), *((size, turn) for size in (90, 140) for turn in TURNS)],
)
def test_a_face_is_proposed_with_its_turn(scout, size, turn):
    hints = hints_of(scout, Grey.of(np.asarray(pictured(size, turn))))
    side = size * 300 / FACE  # of what was pasted, turned
    near = [
        hint
        for hint in hints
        if np.hypot(*(hint.frame((0.5, 0.5)) - (600 + side / 2, 400 + side / 2))) < size
    ]
    turns = [abs((hint.frame.angle - turn + 180) % 360 - 180) for hint in near]
    assert min(turns) <= 45
    # Marks of other sizes may lie around it.
    assert any(0.5 * size < hint.frame.scale < 2 * size for hint in near)


def test_the_likeliest_come_first_and_none_twice(scout):
    hints = hints_of(scout, Grey.of(np.asarray(pictured(90))))
    scores = [hint.score for hint in hints]
    assert scores == sorted(scores, reverse=True) and len(hints) <= MOST
    assert not any(a.is_near(b) for a in hints for b in hints if a is not b)


@pytest.mark.parametrize(("side", "levels"), [(3464, 3), (2000, 0), (5000, 5)])
def test_no_level_of_the_fine_copy_is_that_of_the_coarse_one(scout, side, levels):
    whole = np.zeros((side, side), np.uint8)
    _, *fine = scout.searches(Grey(whole), 1.0)
    assert bool(fine) == bool(levels)
    for search in fine:
        assert search.args[2] == joined(scout._states[:1], levels)


def test_nothing_is_proposed_in_a_plain_picture(scout):
    assert hints_of(scout, Grey(np.full((700, 900), 128, np.uint8))) == []


def test_the_detector_of_upright_faces_is_dlibs_to_the_byte():
    theirs = dlib.get_frontal_face_detector()
    assert frontal(dlib).__getstate__() == theirs.__getstate__()


def test_an_eye_is_part_of_a_face_and_a_face_beside_it_or_as_large_is_not():
    face = square(0, 0, 100)
    assert square(20, 20, 30).is_part_of(face)
    assert not square(20, 20, 60).is_part_of(face)
    assert not square(100, 20, 30).is_part_of(face)


def square(left, top, side):
    return Sighting(Similarity(side, 0, left, top), 1.0)
