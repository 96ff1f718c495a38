"""How words go on in a shell: functions, and the program as bash asks it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retouch.commands import completion

ROOT = Path(__file__).parents[3]
PROGRAM = "import sys, cli; sys.argv[0] = 'retouch'; cli.main()"


def asked(line):
    """Return how bash is told that the last word of a line may go on."""
    words = line.split(" ")
    wish = {"_RETOUCH_COMPLETE": "complete_bash", "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, **wish, "COMP_WORDS": line},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("begun", "wanted"),
    [
        ("smi", ["smile=-1", "smile=1.5"]),  # after which the shell puts no blank
        ("eye", ["eye-make-up=", "eyes-open=", "eye-width="]),
        ("x", []),
    ],
)
def test_a_move_goes_on_by_its_name_then_by_how_far_is_safe(begun, wanted):
    assert completion.moves(begun) == wanted


def test_a_range_goes_on_as_far_as_is_safe():
    assert completion.spans("smi") == ["smile=-1:1.5:11"]


def test_the_models_are_known():
    assert {"default", "vae", "glow"} <= set(completion.models(""))
    assert completion.models("vq") == ["vqvae"]
    assert "mask" not in completion.models("")


def test_of_several_words_the_last_goes_on_and_none_comes_twice():
    going = completion.some_of(("age", "gender", "glasses"))
    assert going("a") == ["age"]
    assert going("age,") == ["age,gender", "age,glasses"]
    assert going("glasses,g") == ["glasses,gender"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("retouch be", {"beautify"}),
        ("retouch edit me.jpg --set smi", {"smile=-1", "smile=1.5"}),
        ("retouch edit me.jpg --preset fa", {"fast", "faithful"}),
        ("retouch edit me.jpg --model vq", {"vqvae"}),
        ("retouch batch photos out s", {"skin"}),
        ("retouch directions show smi", {"smile"}),
        ("retouch models info vae-e", {"vae-encoder"}),
    ],
)
def test_bash_is_told(line, wanted):
    assert set(asked(line)) == wanted
