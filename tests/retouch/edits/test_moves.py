"""Moves of traits: what one person has less of than another."""

import numpy as np
import pytest

from retouch.edits.edit import View
from retouch.edits.moves import BARE, TraitMove
from tests.scorers.people import latents, moves


@pytest.fixture(scope="module")
def view():
    own = 3 * latents(60)
    nothing = np.zeros((len(own), 1, 1, 1), np.float32)
    return View(nothing, nothing, own)


def test_who_has_no_beard_cannot_lose_one(view):
    known = moves()
    beard = known.read(view.latents)[:, known.names.index("beard")]
    less, more = (
        TraitMove(known, "beard").way(view, way).change[:, known.names.index("beard")]
        for way in (-1.0, 1.0)
    )
    shaved, bearded = beard < BARE["beard"], beard > BARE["beard"] + 1
    assert shaved.sum() > 3 and bearded.sum() > 3
    assert not less[shaved].any() and not more[shaved].any()  # nor can one grow
    assert (less[bearded] < 0).mean() > 0.5 and (more[bearded] > 0).sum() > 3


def test_what_everybody_has_everybody_can_have_less_of(view):
    way = TraitMove(moves(), "happy").way(view, -1.0)
    assert (way.change[:, moves().names.index("happy")] < 0).mean() > 0.5
