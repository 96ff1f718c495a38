"""Imported networks compute what the reference implementations compute."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from generators.gradients import differentiate
from generators.stylegan2 import Config, StyleGAN2
from generators.weights import assign
from pretrained.files import read
from pretrained.importing import convert
from tests.pretrained import forgery

GOLDENS = Path(__file__).parents[3] / "shared" / "goldens"
NAMES = ("ada_64", "ada_32_clamp", "tf_64", "rosinality_64", "e4e")
pytestmark = pytest.mark.skipif(
    not GOLDENS.is_dir(), reason="the goldens do not lie beside the project"
)


@pytest.fixture(scope="module", params=NAMES)
def golden(request, tmp_path_factory):
    """The reference's numbers, and the network imported from a file of that kind."""
    name = request.param
    with np.load(GOLDENS / f"{'rosinality_64' if name == 'e4e' else name}.npz") as file:
        numbers = dict(file)
    path = tmp_path_factory.mktemp("golden") / "network"
    path.write_bytes(written(name, numbers))
    imported = convert(read(path), path)
    config = imported.config | {"channels": tuple(imported.config["channels"])}
    model = StyleGAN2(Config(**config))
    assign(model, imported.weights)
    return numbers, model


def written(name, numbers) -> bytes:
    """Return the golden's weights as a file of the kind they come in."""

    def part(prefix):
        return {
            key.removeprefix(prefix): value
            for key, value in numbers.items()
            if key.startswith(prefix)
        }

    if name == "tf_64":
        settings = json.loads(str(numbers["static_kwargs"]))
        return forgery.tensorflow_file(part("tf/"), settings)
    if name.startswith("ada"):
        settings = json.loads(str(numbers["init_kwargs"]))["synthesis_kwargs"]
        return forgery.ada_file(part("state/"), settings.get("conv_clamp"))
    state = forgery.tensors(part("g_ema/"))
    average = forgery.Tensor(numbers["latent_avg"])
    if name == "e4e":
        state = {f"decoder.{key}": value for key, value in state.items()}
        return forgery.torch_legacy({"state_dict": state, "latent_avg": average})
    return forgery.torch_zip({"g_ema": state, "latent_avg": average})


def distance(found, wanted) -> float:
    return float(np.abs(ops.convert_to_numpy(found) - wanted).max())


def test_the_mapping_agrees(golden):
    numbers, model = golden
    w = model.map(ops.convert_to_tensor(numbers["z"]))
    assert distance(w[:, 0], numbers["w"]) < 2e-5


def test_the_truncated_mapping_agrees(golden):
    numbers, model = golden
    w = model.map(ops.convert_to_tensor(numbers["z"]), truncation=0.7)
    assert distance(w[:, -1], numbers["w_truncated_07"]) < 2e-5


def test_images_with_stored_noise_agree(golden):
    numbers, model = golden
    images = model.decode(ops.convert_to_tensor(numbers["w_plus"]))
    wanted = numbers["image_const_noise"].transpose(0, 2, 3, 1)
    assert distance(images, wanted) < 2e-4


def test_images_without_noise_agree(golden):
    numbers, model = golden
    if "image_no_noise" not in numbers:
        pytest.skip("this reference has no mode without noise")
    images = model.decode(ops.convert_to_tensor(numbers["w_plus"]), noise=None)
    assert distance(images, numbers["image_no_noise"].transpose(0, 2, 3, 1)) < 2e-4


def test_gradients_agree(golden):
    numbers, model = golden

    def mean_square(latents):
        return ops.mean(ops.square(model.decode(latents))), 0.0

    w_plus = ops.convert_to_tensor(numbers["w_plus"])
    _, found = differentiate(mean_square, w_plus)
    wanted = numbers["grad_mean_square"]
    error = np.linalg.norm(ops.convert_to_numpy(found) - wanted)
    assert error < 1e-3 * np.linalg.norm(wanted)
