"""The networks' backend, loaded without what it writes to the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def start() -> None:
    """Load the backend quietly, past every setting of its own."""
    with silent():
        import keras

        keras.ops.zeros(())


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
