"""Keras and its backend, loaded where slopes are needed, without what they write."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from retouch.errors import DependencyError


def start() -> None:
    """Load Keras quietly, past every setting of its own; once it is there, nothing."""
    if "keras" in sys.modules and sys.modules["keras"] is not None:
        return
    try:
        with silent():
            import keras

            keras.ops.zeros(())
    except ImportError as error:
        raise missing(error) from None


def missing(error: ImportError) -> DependencyError:
    """Return what to say where Keras or its backend cannot be imported."""
    return DependencyError(
        f"{error.name or 'keras'} is not installed; climbs, tuning, trainings and"
        " networks other than the default's need it. Install it: pip install"
        " tensorflow keras"
    )


@contextmanager
def silent() -> Iterator[None]:
    """Keep from stderr what libraries write there while they load."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
