"""In what precision the networks of a training compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Let networks made within compute by a policy of Keras', those after as before.

    The policy is the whole process's: what is done in it later, such as an edit, has
    to be as exact as ever.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
