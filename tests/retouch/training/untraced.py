"""Steps taken as they are written: tracing one costs more than a dozen of them."""

from contextlib import contextmanager

import keras


@contextmanager
def untraced():
    """Let TensorFlow trace nothing; for steps that another test has traced."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tensorflow.config.run_functions_eagerly(False)
