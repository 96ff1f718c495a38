"""The list of networks."""

from pretrained.registry import library
from tests.command_line import retouch


def test_names_are_whole_on_a_narrow_terminal():
    done = retouch("models", "list", text=True, COLUMNS="80")
    told = {line.split()[1] for line in done.stdout.splitlines() if " " in line}
    assert {row.name for row in library().shipped.rows()} <= told
