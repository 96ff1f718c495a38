"""The encoders of pSp and e4e, against a naive reading of their checkpoints."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from encoders.irse import Config, Irse
from generators.weights import assign
from pretrained import irse
from tests.encoders import checkpoint

GOLDENS = Path(__file__).parents[3] / "shared" / "goldens"


def _network(arrays, kind, mean=None):
    found = irse.convert(arrays, kind, mean)
    plan = {k: tuple(v) if isinstance(v, list) else v for k, v in found.config.items()}
    network = Irse(Config(**plan))
    assign(network, found.weights)
    return network


@pytest.mark.parametrize("kind", ["psp", "e4e"])
def test_codes_are_those_of_a_naive_reading(kind):
    arrays = checkpoint.state()
    side = checkpoint.SIZE
    image = np.random.default_rng(1).uniform(-1, 1, (1, side, side, 3)).astype("f4")
    codes = np.asarray(_network(arrays, kind).encode(image))
    wanted = checkpoint.reference(arrays, image[0].transpose(2, 0, 1), kind)
    np.testing.assert_allclose(codes[0], wanted, atol=1e-4)


def test_codes_are_told_from_the_average_latent():
    arrays, side = checkpoint.state(), checkpoint.SIZE
    mean = np.random.default_rng(2).normal(size=(8, 12)).astype("f4")
    image = np.zeros((1, side, side, 3), "f4")
    plain, moved = (_network(arrays, "psp", m).encode(image) for m in (None, mean))
    np.testing.assert_allclose(np.asarray(moved) - np.asarray(plain), mean[None], 1e-5)


def test_pictures_of_another_size_are_resized():
    network, side = _network(checkpoint.state(), "e4e"), checkpoint.SIZE
    image = np.random.default_rng(1).uniform(-1, 1, (1, side, side, 3)).astype("f4")
    large = image.repeat(2, 1).repeat(2, 2)
    codes, again = (np.asarray(network.encode(x)) for x in (image, large))
    assert np.abs(codes - again).max() < 0.2 * np.abs(codes).max()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="received 'restyle'"):
        Config(18, "restyle")


def _golden_state(names):
    for name, shape in names.items():
        rng = np.random.RandomState(zlib.crc32(name.encode()))
        x = rng.standard_normal(shape).astype(np.float32)
        if name.endswith("running_var"):
            yield name, 1 + 0.1 * np.abs(x)
        elif len(shape) == 1:
            yield name, 0.5 + 0.1 * x if name.endswith("weight") else 0.1 * x
        else:
            yield name, x / np.float32(np.sqrt(np.prod(shape[1:])))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["psp", "e4e"])
def test_codes_are_those_of_the_reference_at_full_size(kind):
    path = GOLDENS / f"{kind}_encoder.npz"
    if not path.exists():
        pytest.skip("the goldens are not there")
    with np.load(path) as golden:
        names, image = json.loads(str(golden["names"])), golden["image"]
        wanted = golden["codes"]
    network = _network(dict(_golden_state(names)), kind)
    codes = np.asarray(network.encode(image.transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(codes, wanted, atol=1e-4)
