import numpy as np
import pytest
from keras import ops

from generators.stylegan2 import Config, Discriminator, StyleGAN2
from generators.weights import arrays, assign, variables

SMALL = Config(8, (6, 4), width=8, inputs=6, depth=1)


def test_names_tell_the_place_of_a_weight():
    names = variables(StyleGAN2(SMALL, name="anything"))
    assert "b8.up.style.kernel" in names and "mapping.dense0.bias" in names
    assert names["b8.up.kernel"].shape == (3, 3, 4, 6)
    assert names["b8.conv.kernel"].shape == (3, 3, 4, 4)
    assert names["constant"].shape == (1, 4, 4, 6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: StyleGAN2(SMALL),
        lambda: StyleGAN2(Config(8, (6, 4), width=8, code=1, depth=0, noise=False)),
        lambda: Discriminator(16, (4, 6, 8)),
    ],
)
def test_every_weight_has_a_name_of_its_own_that_any_copy_shares(make):
    one, other = make(), make()
    assert len(variables(one)) == len(one.weights)
    assert list(variables(one)) == list(variables(other))
    assert not any(
        "/" in name or name.startswith("style_gan") for name in variables(one)
    )


def test_assigned_weights_make_the_same_images():
    one, other = StyleGAN2(SMALL), StyleGAN2(SMALL)
    latents = np.ones((1, *SMALL.latent_shape), np.float32)
    images = ops.convert_to_numpy(one.decode(latents))
    assert not np.array_equal(images, ops.convert_to_numpy(other.decode(latents)))
    assign(other, arrays(one))
    assert np.array_equal(images, ops.convert_to_numpy(other.decode(latents)))


def test_weights_survive_being_taken_out_and_put_back():
    network = StyleGAN2(SMALL)
    before = arrays(network)
    drawn = {name: array + 1 for name, array in before.items()}
    assign(network, drawn)
    for name, array in arrays(network).items():
        assert np.array_equal(array, drawn[name])
        assert not np.array_equal(array, before[name])


def test_taken_weights_are_no_window_into_the_network():
    network = StyleGAN2(SMALL)
    before = arrays(network)
    kept = {name: array.copy() for name, array in before.items()}
    assign(network, {name: array + 1 for name, array in before.items()})
    assert all(np.array_equal(before[name], kept[name]) for name in kept)


@pytest.mark.parametrize("change", ["lacks", "has more"])
def test_other_names_are_refused(change):
    network = StyleGAN2(SMALL)
    weights = arrays(network)
    if change == "lacks":
        del weights["b8.conv.bias"]
    else:
        weights["b8.conv.bias2"] = weights["b8.conv.bias"]
    with pytest.raises(ValueError, match=r"do not fit the network.*b8\.conv\.bias"):
        assign(network, weights)


def test_another_shape_is_refused():
    network = StyleGAN2(SMALL)
    weights = arrays(network) | {"b8.conv.bias": np.zeros(5, np.float32)}
    with pytest.raises(
        ValueError, match=r"b8\.conv\.bias has the shape \(5,\).*\(4,\)"
    ):
        assign(network, weights)


def test_a_refusal_changes_nothing():
    network = StyleGAN2(SMALL)
    before = arrays(network)
    drawn = {name: array + 1 for name, array in before.items()}
    last = list(drawn)[-1]
    with pytest.raises(ValueError):
        assign(network, drawn | {last: np.zeros(77, np.float32)})
    for name, array in arrays(network).items():
        assert np.array_equal(array, before[name])
