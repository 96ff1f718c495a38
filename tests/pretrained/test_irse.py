"""A checkpoint of pSp or e4e becomes a generator with its encoder."""

import dataclasses

import numpy as np
import pytest

from pretrained import irse, loading
from pretrained.registry import Library, Shelf
from retouch.errors import WeightsError
from tests.encoders import checkpoint
from tests.pretrained import forgery

WIDTH = checkpoint.CHANNELS[-1]
KINDS = {"e4e": "Encoder4Editing", "psp": "GradualStyleEncoder"}


@pytest.fixture
def library(tmp_path):
    return Library(Shelf(tmp_path / "shipped"), Shelf(tmp_path / "own"))


def _source(rows=8):
    """Return a generator whose latents are as wide as the encoder's."""
    return forgery.random_source(channels=(6, 5, 4, 4)[: rows // 2], width=WIDTH)


def _file(tmp_path, options, rows=8):
    source = _source(rows)
    value = forgery.encoder_value(source)
    for name in [n for n in value["state_dict"] if n.startswith("encoder.")]:
        del value["state_dict"][name]
    for name, array in checkpoint.state(rows=8).items():
        value["state_dict"][f"encoder.{name}"] = forgery.Tensor(array)
    value["opts"] |= options
    if rows != 8:
        value["latent_avg"] = forgery.Tensor(source.mean)  # fits any number of rows
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(forgery.torch_zip(value))
    return path, source


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_gives_a_generator_and_its_encoder(library, tmp_path, kind):
    path, source = _file(tmp_path, {"encoder_type": KINDS[kind]})
    loading.import_file(library, path, "mine", licence="MIT")
    rows = {row.name: row for row in library.rows()}
    assert rows["mine"].kind == "generator" and rows["mine-encoder"].kind == "encoder"
    assert rows["mine-encoder"].licence == "MIT"
    side = checkpoint.SIZE
    image = np.random.default_rng(1).uniform(-1, 1, (1, side, side, 3)).astype("f4")
    latents = loading.load(library, "mine-encoder", "encoder").encode(image)
    wanted = checkpoint.reference(checkpoint.state(), image[0].transpose(2, 0, 1), kind)
    np.testing.assert_allclose(np.asarray(latents)[0], wanted + source.mean, atol=1e-4)
    generator = loading.load(library, "mine", "generator")
    assert generator.decode(latents).shape == (1, 32, 32, 3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"encoder_type": "BackboneEncoderUsingLastLayerIntoW"},
        {"encoder_type": "GradualStyleEncoder", "input_nc": 6},
    ],
)
def test_an_encoder_that_is_not_read_is_spoken_of(library, tmp_path, options):
    path, _ = _file(tmp_path, options)
    row = loading.import_file(library, path, "mine")
    assert "encoder is of a kind that is not read" in row.source
    assert [row.name for row in library.rows()] == ["mine"]


def test_an_encoder_that_does_not_fit_its_generator_is_refused(library, tmp_path):
    path, _ = _file(tmp_path, {"encoder_type": "Encoder4Editing"}, rows=6)
    with pytest.raises(WeightsError, match="8 rows of 12, its generator takes 6 of 12"):
        loading.import_file(library, path, "mine")
    assert not library.rows()


def test_neither_is_kept_if_the_encoders_name_is_taken(library, tmp_path):
    path, _ = _file(tmp_path, {"encoder_type": "Encoder4Editing"})
    row = loading.import_file(library, path, "mine")
    other = dataclasses.replace(row, name="two-encoder", file="two-encoder.safetensors")
    library.add(other, {"x": np.zeros(1, "f4")})
    with pytest.raises(WeightsError, match="already called 'two-encoder'"):
        loading.import_file(library, path, "two")
    assert "two" not in {row.name for row in library.rows()}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("body.2.res_layer.3.weight", None, "lacks .*body.2.res_layer.3"),
        ("body.2.res_layer.3.weight", np.zeros((2, 2), "f4"), "shape"),
        ("styles.1.linear.bias", np.full(12, np.nan, "f4"), "not finite"),
        ("styles.9.linear.bias", np.zeros(12, "f4"), "unlike those of an encoder"),
    ],
)
def test_a_damaged_encoder_is_refused_with_the_weights_name(name, value, said):
    arrays = checkpoint.state()
    arrays.pop(name, None)
    if value is not None:
        arrays[name] = value
    with pytest.raises(WeightsError, match=said):
        irse.convert(arrays, "e4e")
