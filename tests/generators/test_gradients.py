import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from generators.gradients import compiled, devices, differentiate

ROOT = Path(__file__).parents[2]
AT = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)


def tensor(array):
    return ops.convert_to_tensor(np.asarray(array, np.float32))


def array(value):
    return ops.convert_to_numpy(value)


def cubes(inputs):
    return ops.sum(inputs**3), ops.max(inputs)


def test_value_extra_and_gradient_come_together():
    (value, extra), slopes = differentiate(cubes, tensor(AT))
    assert float(value) == np.sum(AT**3) and float(extra) == 3
    np.testing.assert_allclose(array(slopes), 3 * AT**2)


def test_the_gradient_of_a_list_is_a_list():
    def product(inputs, scale):
        return scale * ops.sum(inputs[0] * inputs[1]), None

    _, slopes = differentiate(product, [tensor(AT), tensor(AT + 1)], 2.0)
    assert isinstance(slopes, list)
    np.testing.assert_allclose(array(slopes[0]), 2 * (AT + 1))
    np.testing.assert_allclose(array(slopes[1]), 2 * AT)


def test_what_a_value_does_not_depend_on_has_no_slope():
    def first(inputs):
        return ops.sum(inputs[0]), None

    _, slopes = differentiate(first, [tensor(AT), tensor(AT)])
    np.testing.assert_array_equal(array(slopes[1]), np.zeros_like(AT))


def test_a_gradient_can_be_differentiated():
    def squared_slope(inputs):
        _, slopes = differentiate(cubes, inputs)
        return ops.sum(ops.square(slopes)), None

    _, slopes = differentiate(squared_slope, tensor(AT))
    np.testing.assert_allclose(array(slopes), 36 * AT**3)


def test_a_compiled_function_is_the_function():
    for function in (cubes, lambda x: differentiate(cubes, x)):
        plain, fast = function(tensor(AT)), compiled(function)(tensor(AT))
        for one, other in zip(
            keras.tree.flatten(plain), keras.tree.flatten(fast), strict=True
        ):
            np.testing.assert_allclose(array(one), array(other), rtol=1e-6)


def test_a_compiled_function_is_traced_once_for_a_shape():
    traced = []

    @compiled
    def square(inputs):
        traced.append(inputs.shape)
        return inputs * inputs

    for shape in ((2,), (2,), (3,), (2,)):
        square(ops.ones(shape))
    expected = 4 if keras.backend.backend() == "torch" else 2
    assert len(traced) == expected


def test_there_is_a_device():
    assert devices() and all(isinstance(name, str) for name in devices())


# --- the other backends ---------------------------------------------------------

DECODE = """
import sys
import numpy as np
from keras import ops
from generators import stylegan2, weights
from generators.gradients import compiled, differentiate

found = {}
for name, config in {
    "noisy": stylegan2.Config(32, (12, 10, 8, 6), width=16, inputs=8, depth=2),
    "coded": stylegan2.Config(
        32, (12, 10, 8), width=16, depth=0, code=4, noise=False, clamp=0.5
    ),
}.items():
    network = stylegan2.StyleGAN2(config)
    shapes = {k: v.shape for k, v in weights.variables(network).items()}
    rng = np.random.default_rng(0)
    drawn = {k: 0.5 * rng.standard_normal(s, np.float32) for k, s in shapes.items()}
    weights.assign(network, drawn)

    def loss(latents):
        return ops.mean(ops.square(network.decode(latents))), None

    for count in (1, 3):
        latents = rng.standard_normal((count, *config.latent_shape), np.float32)
        latents = ops.convert_to_tensor(latents)
        images = compiled(network.decode)(latents)
        _, slopes = compiled(lambda x: differentiate(loss, x))(latents)
        found[f"{name} {count} images"] = ops.convert_to_numpy(images)
        found[f"{name} {count} slopes"] = ops.convert_to_numpy(slopes)
critic = stylegan2.Discriminator(16, (4, 6, 8))
shapes = {k: v.shape for k, v in weights.variables(critic).items()}
drawn = {k: 0.5 * rng.standard_normal(s, np.float32) for k, s in shapes.items()}
weights.assign(critic, drawn)
judged = critic(ops.convert_to_tensor(rng.standard_normal((4, 16, 16, 3), np.float32)))
found["logits"] = ops.convert_to_numpy(judged)
np.savez(sys.argv[1], **found)
"""


def decoded(backend: str, path: Path) -> dict[str, np.ndarray]:
    """Return what a process of its own computes with a backend of Keras."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    surroundings = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", DECODE, str(path)]
    subprocess.run(command, env=surroundings, cwd=ROOT, check=True)
    with np.load(path) as file:
        return dict(file)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_computes_the_same(backend, tmp_path):
    found = decoded(backend, tmp_path / "found.npz")
    expected = decoded("tensorflow", tmp_path / "expected.npz")
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        error = np.abs(found[name] - value).max()
        assert error <= 1e-4 * np.abs(value).max(), name
