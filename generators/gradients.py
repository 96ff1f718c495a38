"""Differentiation and compilation: the only code that knows Keras' backend."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    OUT_OF_MEMORY = (MemoryError, tf.errors.ResourceExhaustedError)

    def differentiate(function: Callable, inputs, *rest):
        """Return ((value, extra), gradient) of a function that gives (value, extra).

        The gradient has the structure of `inputs`: a tensor or a list of tensors.
        """
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value, extra = function(inputs, *rest)
        zero = tf.UnconnectedGradients.ZERO
        return (value, extra), tape.gradient(value, inputs, unconnected_gradients=zero)

    def compiled(function: Callable) -> Callable:
        """Return the function compiled once for each shape of its inputs."""
        # What other backends compile needs no rewriting of its branches and loops,
        # which takes a third of the first call.
        return tf.function(function, autograph=False)

elif BACKEND == "jax":
    import jax

    OUT_OF_MEMORY = (MemoryError,)

    def differentiate(function: Callable, inputs, *rest):
        return jax.value_and_grad(function, has_aux=True)(inputs, *rest)

    def compiled(function: Callable) -> Callable:
        return jax.jit(function)

else:
    import torch

    OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)

    def differentiate(function: Callable, inputs, *rest):
        # Within another differentiation the slopes themselves can be differentiated.
        nested = torch.is_grad_enabled()
        several = isinstance(inputs, Sequence)
        with torch.enable_grad():
            leaves = [_leaf(x) for x in (inputs if several else [inputs])]
            value, extra = function(leaves if several else leaves[0], *rest)
            slopes = torch.autograd.grad(
                value, leaves, create_graph=nested, materialize_grads=True
            )
        return (value, extra), list(slopes) if several else slopes[0]

    def _leaf(tensor):
        return tensor if tensor.requires_grad else tensor.detach().requires_grad_()

    def compiled(function: Callable) -> Callable:
        return torch.no_grad()(function)


def quick_halves() -> bool:
    """Say whether bfloat16 is computed with natively; elsewhere it costs time."""
    if BACKEND != "tensorflow":
        return False
    if tf.config.list_physical_devices("GPU"):
        return True
    try:
        known = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
    return any(word in known for word in ("avx512_bf16", "amx_bf16"))


def devices() -> list[str]:
    """Return the names of the devices that the backend computes on."""
    if BACKEND == "torch":
        return ["cuda"] if torch.cuda.is_available() else ["cpu"]
    return keras.distribution.list_devices()
