"""Climbs for tests to which it does not matter how good a face becomes."""

from contextlib import contextmanager

import pytest

from retouch.edits import beauty

# The same for a program of its own.
HASTY = """
from retouch.edits import beauty
beauty.FREE, beauty.TRIES = (beauty.WISHED,), 1
"""


@contextmanager
def hasty(free=(beauty.WISHED,), tries=1):
    """Let climbs draw three pictures; also for the lines of a test: `@hasty()`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beauty, "FREE", free)
        patch.setattr(beauty, "TRIES", tries)
        yield
