"""Networks of other projects become ours, number for number."""

import time

import numpy as np
import pytest

from pretrained import stylegan2
from pretrained.files import read
from pretrained.importing import convert
from pretrained.stylegan2 import assemble
from retouch.errors import WeightsError
from tests.pretrained import forgery

SOURCE = forgery.random_source()
FILES = {
    "tensorflow": lambda: forgery.tensorflow_file(forgery.tensorflow_arrays(SOURCE)),
    "ada": lambda: forgery.ada_file(forgery.ada_arrays(SOURCE)),
    "ada, protocol 3": lambda: forgery.ada_file(forgery.ada_arrays(SOURCE), protocol=3),
    "rosinality": lambda: forgery.torch_zip(forgery.rosinality_value(SOURCE)),
    "old rosinality": lambda: forgery.torch_legacy(forgery.rosinality_value(SOURCE)),
    "e4e": lambda: forgery.torch_zip(forgery.encoder_value(SOURCE)),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_gives_the_same_network(kind, tmp_path):
    path = tmp_path / "network"
    path.write_bytes(FILES[kind]())
    found, wanted = convert(read(path), path), assemble(SOURCE, "the test")
    assert found.config == wanted.config
    assert found.weights.keys() == wanted.weights.keys()
    for name, weight in wanted.weights.items():
        np.testing.assert_allclose(found.weights[name], weight, atol=1e-5, err_msg=name)


def refusal(tmp_path, content) -> str:
    path = tmp_path / "network.pkl"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        convert(read(path), path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_missing_weight_is_named(tmp_path):
    arrays = forgery.tensorflow_arrays(SOURCE)
    del arrays["synthesis/8x8/Conv1/mod_bias"]
    message = refusal(tmp_path, forgery.tensorflow_file(arrays))
    assert "synthesis/8x8/Conv1/mod_bias" in message


def test_a_weight_nobody_knows_is_named(tmp_path):
    arrays = forgery.ada_arrays(SOURCE) | {"synthesis.b8.skip.weight": np.ones((1, 1))}
    message = refusal(tmp_path, forgery.ada_file(arrays))
    assert "synthesis.b8.skip.weight" in message


def test_a_weight_of_the_wrong_shape_is_named(tmp_path):
    arrays = forgery.rosinality_arrays(SOURCE)
    arrays["convs.1.activate.bias"] = np.ones(77)
    value = {"g_ema": forgery.tensors(arrays)}
    assert "convs.1.activate.bias" in refusal(tmp_path, forgery.torch_zip(value))


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    arrays = forgery.tensorflow_arrays(SOURCE)
    arrays["dlatent_avg"] = np.full_like(arrays["dlatent_avg"], np.nan)
    assert "finite" in refusal(tmp_path, forgery.tensorflow_file(arrays))


def test_a_network_on_labels_is_refused(tmp_path):
    arrays = forgery.tensorflow_arrays(SOURCE)
    content = forgery.tensorflow_file(arrays, {"label_size": 10})
    assert "label_size = 10" in refusal(tmp_path, content)


def test_another_resampling_filter_is_refused(tmp_path):
    arrays = forgery.ada_arrays(SOURCE)
    arrays["synthesis.b8.conv0.resample_filter"] = np.ones((4, 4)) / 16
    assert "[1, 3, 3, 1]" in refusal(tmp_path, forgery.ada_file(arrays))


def test_the_first_stylegan_is_told_apart(tmp_path):
    arrays = {"synthesis/4x4/AdaIN/StyleMod/weight": np.ones((4, 4))}
    message = refusal(tmp_path, forgery.tensorflow_file(arrays))
    assert "first StyleGAN" in message


def test_stylegan3_is_told_apart(tmp_path):
    arrays = {"synthesis.input.freqs": np.ones((4, 2))}
    assert "StyleGAN3" in refusal(tmp_path, forgery.ada_file(arrays))


def test_modules_that_multiply_are_refused_in_time(tmp_path):
    module = forgery.Module()
    for _ in range(20):
        outer = forgery.Module()
        outer.state["_modules"] = {"a": module, "b": module}
        module = outer
    start = time.process_time()
    message = refusal(tmp_path, forgery.pickled({"G_ema": module}))
    assert "400,000" in message
    assert time.process_time() - start < 5


def test_one_matrix_a_thousand_times_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(stylegan2, "LARGEST", 5_000)
    matrix = forgery.Tensor(np.ones((16, 16)))
    state = {f"style.{i + 1}.weight": matrix for i in range(1000)}
    bias = forgery.Tensor(np.ones(16))
    state |= {f"style.{i + 1}.bias": bias for i in range(1000)}
    assert "more than 5,000 weights" in refusal(
        tmp_path, forgery.torch_zip({"g_ema": state})
    )


def test_weights_too_large_for_arithmetic_are_refused(tmp_path):
    arrays = forgery.tensorflow_arrays(SOURCE)
    for i in range(2):
        weight = arrays[f"mapping/Dense{i}/weight"]
        arrays[f"mapping/Dense{i}/weight"] = np.full_like(weight, 1e38)
    message = refusal(tmp_path, forgery.tensorflow_file(arrays))
    assert "infinite" in message


def test_a_file_without_a_network_says_what_is_known(tmp_path):
    message = refusal(tmp_path, forgery.torch_zip({"weights": 3}))
    assert "e4e" in message


def test_the_clamp_of_half_precision_training_is_kept(tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(forgery.ada_file(forgery.ada_arrays(SOURCE), clamp=256))
    assert convert(read(path), path).config["clamp"] == 256


def test_without_an_average_the_mean_of_many_draws_is_taken(tmp_path):
    path = tmp_path / "network.pt"
    value = {"g_ema": forgery.tensors(forgery.rosinality_arrays(SOURCE))}
    path.write_bytes(forgery.torch_zip(value))
    weights = convert(read(path), path).weights
    assert np.abs(weights["mean_latent"][0]).max() > 0
    assert (weights["spread"] > 0).all()
