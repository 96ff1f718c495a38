"""Ways: gone in part, added up, and within a budget."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retouch.edits.manner import FOLDS, Manner
from retouch.edits.way import Way, within_budget, within_reach
from tests.scorers.people import latents, moves

SHAPE = (6, 4)


def _straight(count=3):
    start = np.random.default_rng(1).normal(size=(count, *SHAPE)).astype("f4")
    return Way.straight(start, start + np.float32(1))


def _learnt(count=3):
    known = moves()
    change = np.tile(np.float32([1, -0.5, 0]), (count, 1))
    return Way.learnt(latents(count), change, known)


def _length(way):
    return np.linalg.norm((way.end - way.start).reshape(len(way), -1), axis=1)


@pytest.mark.parametrize("way", [_straight(), _learnt(), _straight() + _straight()])
def test_no_part_of_a_way_leads_nowhere(way):
    np.testing.assert_array_equal((way * 0.0).end, way.start)
    assert way.leads and not (way * 0.0).leads


@given(budget=st.floats(0.05, 10))
@settings(max_examples=20, deadline=None)
def test_no_edit_spends_more_than_its_budget(budget):
    way = _straight()
    moved = within_budget(way, budget, _length)
    spent, whole = _length(moved.way), _length(way)
    assert (spent <= budget + 1e-3).all()
    assert (spent >= np.minimum(whole, budget) - whole / 16).all()


@pytest.mark.parametrize("power", [0.8, 1, 1.25])
def test_the_end_of_a_budget_is_found_in_a_few_looks(power):
    looks = []

    def strayed(part):
        looks.append(part)
        return (_length(part) / _length(way)) ** power

    way = _straight()
    moved = within_budget(way, 0.3, strayed)
    np.testing.assert_array_less(0.93 * 0.3 - 1e-3, moved.distances)
    np.testing.assert_array_less(moved.distances, 0.3 + 1e-6)
    assert len(looks) <= (2 if power == 1 else 4)


def test_an_edit_within_its_budget_is_left_whole():
    way = _straight() * 0.01
    moved = within_budget(way, 1.0, _length)
    np.testing.assert_array_equal(moved.shares, 1)
    np.testing.assert_allclose(moved.latents, way.end, atol=1e-6)


def test_ways_add_up_before_anybody_goes_them():
    way = _learnt()
    both = way + _learnt() * 2.0 + Way.straight(way.start, way.start + np.float32(3))
    expected = way.moves.moved(way.start, 3 * way.change) + 3
    np.testing.assert_allclose(both.end, expected, atol=1e-5)
    assert both.manner.fine and not (way + way).manner.fine


def test_the_same_way_is_gone_from_elsewhere():
    way, others = _learnt(), latents(3, seed=5)
    there = way.beginning(others).end
    np.testing.assert_allclose(there, way.moves.moved(others, way.change), atol=1e-6)


def test_faces_are_parted_and_joined_again():
    way = _learnt(4)
    again = Way.joined([way[:1], way[1:]])
    np.testing.assert_array_equal(again.end, way.end)
    assert len(again) == 4


def test_a_way_of_arrays_is_the_same_way():
    way = _learnt()
    again = Way.of(way.arrays, way.moves)
    np.testing.assert_array_equal(again.end, way.end)
    assert again.manner == way.manner


def test_ways_are_shown_as_all_of_them_are_meant():
    beard = replace(_learnt(), manner=Manner(where=frozenset({"beard"}), still=True))
    smile, none = replace(_learnt(), manner=FOLDS), Way.none(beard.start)
    assert (none + beard).manner == (beard * 0.5).manner == beard.manner
    for both in (none + smile + beard, Way.joined([smile, beard])):
        assert both.manner == Manner(where=frozenset({"face", "beard"}))
    for way in (none, beard, smile):
        assert Way.of(way.arrays, way.moves).manner == way.manner


def test_ways_know_which_traits_they_change():
    way = _learnt()
    first, _, third = way.moves.names
    assert way.changes([third, first]) and not way.changes([third, "unknown"])
    # What a straight way changes nobody knows.
    assert _straight().changes([third]) and (way + _straight()).changes([third])


@pytest.mark.parametrize("bend", [-0.3, -0.15, 0.0, 0.15])
def test_faces_that_strayed_too_far_keep_to_the_budget_after_three_looks(bend):
    def strayed(shares):
        return np.array([0.75, 0.6, 0.5, 0.4], np.float32) * shares + bend * shares**2

    shares, looks = np.ones(4, np.float32), []
    for _ in range(3):
        gone = strayed(shares)
        looks.append((shares, gone))
        less = within_reach(looks, 0.3)
        shares = shares * np.where(gone > 0.3, less, 1).astype(np.float32)
    gone = looks[-1][1]
    assert (gone <= 0.3).all()
    assert (gone[strayed(1.0) > 0.3] > 0.24).all()


def test_where_less_of_a_way_led_further_shares_are_trusted():
    far, near = ((np.float32([share]), np.float32([0.5])) for share in (1.0, 0.8))
    further = near[0], np.float32([0.52])
    (alone,) = within_reach([further], 0.4)
    (both,) = within_reach([far, further], 0.4)
    assert both == pytest.approx(alone)


def test_who_goes_nowhere_is_reached_without_dividing_by_it():
    far = np.float32([1, 0]), np.float32([0.4, 0])
    near = np.float32([0.7, 0]), np.float32([0.35, 0])
    with np.errstate(all="raise"):
        first, second = within_reach([far], 0.3), within_reach([far, near], 0.3)
    assert first[0] == pytest.approx(0.7125) and 0.7 < second[0] < 0.73
    assert np.isfinite([*first, *second]).all()


def test_what_is_drawn_apart_leads_no_latent_anywhere():
    worn = replace(Way.none(latents(3)), apart={"glasses": np.float32([1, 0, 2])})
    assert worn.leads and not worn.changes(["glasses"]) and not (worn * 0).leads
    np.testing.assert_array_equal(worn.end, worn.start)
    assert (worn[2:] * 0.5).asked("glasses") == 1
    both = worn + _learnt(3) + worn
    assert both.asked("glasses") == 2 and (both.change == _learnt(3).change).all()
    joined = Way.joined([Way.none(latents(1)), worn])
    assert joined.apart["glasses"].tolist() == [0, 1, 0, 2]
    again = Way.of(joined.arrays, None)
    assert again.apart["glasses"].tolist() == [0, 1, 0, 2]
