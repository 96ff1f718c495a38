from dataclasses import replace

import pytest

from retouch.edits.manner import BROAD, FOLDS, NOTHING, TYPICAL, WHOLE, Manner

EYES, MOUTH = (replace(BROAD, where=frozenset({part})) for part in ("eyes", "mouth"))
BEARD = Manner(where=frozenset({"beard"}), still=True)
EVERY = WHOLE, BROAD, FOLDS, TYPICAL, EYES, BEARD


@pytest.mark.parametrize("manner", EVERY)
def test_nothing_adds_nothing(manner):
    assert NOTHING | manner == manner | NOTHING == manner | manner == manner
    assert Manner.joined([manner]) == manner
    assert Manner.joined([]) == NOTHING


def test_two_edits_show_what_either_does():
    assert (EYES | MOUTH).where == {"eyes", "mouth"}
    assert (FOLDS | BROAD).fine and not (BROAD | EYES).fine
    assert (FOLDS | TYPICAL).colour == TYPICAL.colour
    assert not (BEARD | FOLDS).still


def test_parts_that_are_reshaped_are_not_lit():
    assert not (EYES | MOUTH).lit
    assert all(manner.lit for manner in (BROAD, BEARD, EYES | BROAD, EYES | FOLDS))


@pytest.mark.parametrize("manner", (*EVERY, NOTHING))
def test_a_manner_of_arrays_is_the_same(manner):
    assert Manner.of(manner.arrays) == manner
