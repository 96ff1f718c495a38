"""The directions that ship, and the commands that tell of them."""

import re

import pytest
from typer.testing import CliRunner

from pretrained.loading import load_judge
from pretrained.registry import library
from retouch.commands.directions import app
from retouch.edits.directions import DIRECTIONS
from retouch.edits.manner import GAZE
from retouch.edits.names import traits
from retouch.edits.registry import Registry
from retouch.errors import SettingsError
from retouch.models import Model
from retouch.settings import Settings


def _told(*words):
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "120", "NO_COLOR": "1"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_every_direction_moves_a_trait_that_is_known():
    rows = {row.name: row for row in library().rows()}
    moved, guided, judged = (
        set(rows[reader].config["names"])
        for reader in ("default-moves", "guide", "judge")
    )
    for known in DIRECTIONS.values():
        assert known.trait in moved | guided | {GAZE}  # which is drawn as asked
        # What was tried was judged; shapes are landmarks' alone.
        assert (known.trait in judged) == (known.trial is not None)


def test_no_direction_is_offered_for_what_people_are_by_birth_or_belief():
    forbidden = {"asian", "black", "white", "hispanic", "middle-eastern", "native"}
    forbidden |= {"islander", "skin-color", "gay", "religious", "liberal"}
    assert not forbidden & {known.trait for known in DIRECTIONS.values()}


def test_both_judges_agree_on_every_trial():
    judge = load_judge(library(), "judge")
    # Who tells a trait at r sees r squared of a gain.
    part = dict(
        zip(judge.names, (judge.descriptor_skill / judge.skill) ** 2, strict=True)
    )
    for known in DIRECTIONS.values():
        # Glasses are put on, and taken off nobody.
        assert known.low == 0 if known.name == "glasses" else known.low < 0
        assert known.high > 0
        if known.trial is None:
            continue
        assert known.trial.judged > 0.3
        assert known.trial.second > 0.7 * part[known.trait] * known.trial.judged
        assert known.trial.identity <= 0.3


def test_the_list_and_a_single_one_are_told():
    told = _told("list")
    moved = traits("default")
    names = [n for n, known in DIRECTIONS.items() if known.trait in moved]
    assert len(names) > 10 and all(name in told for name in names)
    rows = {row.split()[1]: row for row in told.splitlines() if row.startswith("│")}
    for name in names:  # what came of it where people's moves are gone, if it was tried
        tried = DIRECTIONS[name].tried
        assert tried is None or f"{tried.judged:+.2f}" in rows[name]
        assert tried is None or tried.identity <= Settings().identity
    assert "safe from -1 to +1.5" in _told("show", "smile")
    assert "younger than 18" in _told("show", "beauty")


@pytest.mark.parametrize("model", ["default", "vae"])
def test_the_names_that_an_error_tells_are_those_of_the_list(model):
    rows = _told("list", "--model", model).splitlines()[3:-1]
    told = {row.split()[1] for row in rows}
    with pytest.raises(SettingsError) as caught:
        Registry(Model.load(model)).edit("nose", ())
    known = re.search(r"Known: (.+)\.", str(caught.value)).group(1).split(", ")
    named = {name for name in told if name != "│" and "straight:" not in name}
    assert named == set(known)


def test_the_list_tells_what_the_straight_moves_of_a_model_do():
    told = _told("list", "--model", "vae")
    assert "straight:age" in told and "the guide sees" in " ".join(told.split())
    assert "straight:" not in _told("list")


def test_an_unknown_one_is_a_sentence():
    with pytest.raises(SettingsError, match=r"'smiel'\. Did you mean 'smile'\?"):
        _told("show", "smiel")
