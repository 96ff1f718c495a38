import keras
import pytest

from retouch.training.precision import computing_in


def test_networks_made_within_compute_so_and_those_after_as_before():
    before = keras.config.dtype_policy().name
    with computing_in("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == before


def test_a_training_that_fails_leaves_the_precision_too():
    before = keras.config.dtype_policy().name
    with pytest.raises(KeyboardInterrupt), computing_in("mixed_bfloat16"):
        raise KeyboardInterrupt
    assert keras.config.dtype_policy().name == before
