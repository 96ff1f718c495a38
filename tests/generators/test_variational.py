"""The decoders of the variational family, small and with random weights."""

import numpy as np
import pytest
from keras import ops

from encoders import vae as sight
from encoders import vqvae as maps
from generators import cvae, mixing, vae, vqvae
from generators.gradients import differentiate
from generators.weights import arrays, assign

SIDE = 16
NAMES = ("happy", "age", "yaw")
TOKENS = {"resolution": SIDE, "channels": (16, 8), "tokens": 4, "width": 4}
PLAIN = vae.Config(**TOKENS, mixers=1)
TOLD = cvae.Config(conditions=NAMES, **TOKENS, mixers=1)
CODED = vqvae.Config(
    resolution=SIDE,
    channels=(12, 8, 8),
    codes=16,
    conditions=NAMES,
    attention=16,
    depth=1,
    refining=8,
)
SIGHT = {"resolution": SIDE, "channels": (8, 16), "tokens": 4, "width": 4, "mixers": 2}


def pairs():
    return {
        "vae": (vae.VAE(PLAIN), sight.Sight(sight.Config(**SIGHT))),
        "cvae": (
            cvae.CVAE(TOLD),
            sight.Sight(sight.Config(**SIGHT, conditions=NAMES)),
        ),
        "vqvae": (
            vqvae.VQVAE(CODED),
            maps.Maps(maps.Config(resolution=SIDE, channels=(8, 8, 12))),
        ),
    }


@pytest.fixture(scope="module")
def networks():
    return pairs()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (3, SIDE, SIDE, 3)).astype("f4")


@pytest.fixture(params=["vae", "cvae", "vqvae"])
def pair(request, networks):
    return networks[request.param]


def test_what_is_encoded_can_be_decoded(pair, images):
    decoder, encoder = pair
    latents = encoder.encode(images)
    assert tuple(latents.shape) == (3, *decoder.latent_shape)
    assert tuple(decoder.mean_latent.shape) == decoder.latent_shape
    assert tuple(decoder.decode(latents).shape) == images.shape
    assert tuple(decoder.penalty(latents).shape) == (3,)


def test_encoding_twice_gives_the_same_numbers(pair, images):
    _, encoder = pair
    np.testing.assert_array_equal(encoder.encode(images), encoder.encode(images))


def test_pictures_follow_latents_with_a_slope(pair, images):
    decoder, encoder = pair
    _, slope = differentiate(
        lambda latents: (ops.sum(ops.square(decoder.decode(latents))), None),
        encoder.encode(images),
    )
    assert (np.abs(slope).max(1) > 0).all()


def test_a_seed_gives_one_set_of_samples_and_another_another(pair):
    decoder, _ = pair
    first, again, other = (decoder.sample(2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    assert tuple(first.shape) == (2, *decoder.latent_shape)


def test_latents_of_another_size_are_refused_in_a_sentence(pair):
    decoder, _ = pair
    size = decoder.latent_shape[0]
    with pytest.raises(ValueError, match=rf"shape \(N, {size}\); got \(2, 7\)\. Use"):
        decoder.decode(np.zeros((2, 7), "f4"))


def test_weights_come_back_under_the_names_they_were_kept_by(pair, images):
    (decoder, encoder), fresh = pair, pairs()
    kind = type(decoder).__name__.lower()
    for old, new in zip((decoder, encoder), fresh[kind], strict=True):
        assign(new, arrays(old))
    latents = encoder.encode(images)
    np.testing.assert_array_equal(latents, fresh[kind][1].encode(images))
    np.testing.assert_array_equal(
        decoder.decode(latents), fresh[kind][0].decode(latents)
    )


def test_a_draw_lies_around_the_mean_and_keeps_the_attributes(networks, images):
    _, encoder = networks["cvae"]
    mean, spread, read = (np.asarray(x) for x in encoder.parts(images))
    many = np.tile(images, (200, 1, 1, 1))
    first, again, other = (np.asarray(encoder.draw(many, seed=s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    drawn = first.reshape(200, *mean.shape[:1], -1)
    np.testing.assert_allclose(drawn[:, :, mean.shape[1] :], read[None].repeat(200, 0))
    off = (drawn[:, :, : mean.shape[1]] - mean) / np.exp(spread / 2)
    assert abs(off.mean()) < 0.05 and off.std() == pytest.approx(1, abs=0.05)


def test_a_condition_is_a_unit_vector_at_the_latents_end(networks, images):
    decoder, encoder = networks["cvae"]
    latents = np.array(encoder.encode(images))
    assert decoder.conditions == NAMES and latents.shape[1] == TOLD.free + len(NAMES)
    moved = latents.copy()
    moved[:, TOLD.free + NAMES.index("age")] += 2
    change = np.abs(np.asarray(decoder.decode(moved)) - decoder.decode(latents))
    assert (change.max((1, 2, 3)) > 1e-4).all()


def test_samples_take_the_conditions_that_are_asked_for(networks):
    decoder, _ = networks["cvae"]
    told = np.array([[1.0, -1.0, 0.5]] * 2, "f4")
    latents = np.asarray(decoder.sample(2, seed=3, conditions=told))
    np.testing.assert_array_equal(latents[:, TOLD.free :], told)


def test_samples_along_axes_have_their_mean_and_spread():
    decoder = vae.VAE(vae.Config(**TOKENS, mixers=1, axes=2))
    spread = np.zeros((2, 16), "f4")
    spread[0, 3], spread[1, 5] = 2, 0.5
    decoder.mean_latent.assign(np.full(16, 7.0))
    decoder.spread.assign(spread)
    drawn = np.asarray(mixing.drawn(decoder, 4000, seed=0))
    np.testing.assert_allclose(drawn.mean(0), 7, atol=0.1)
    expected = np.abs(spread).sum(0)
    np.testing.assert_allclose(drawn.std(0), expected, atol=0.1)


def test_decoding_puts_the_nearest_code_in_each_vectors_place(networks, images):
    decoder, encoder = networks["vqvae"]
    latents = np.asarray(encoder.encode(images))
    for book, vectors in zip(decoder.books, decoder.maps(latents), strict=True):
        codes = np.asarray(book.codes)
        gaps = ((np.asarray(vectors)[..., None, :] - codes) ** 2).sum(-1)
        nearest = codes[gaps.argmin(-1)]
        np.testing.assert_allclose(book(vectors), nearest, atol=1e-6)


def test_a_latent_of_codes_alone_has_no_penalty_and_others_have(networks, images):
    decoder, encoder = networks["vqvae"]
    sampled = decoder.sample(2, seed=0)
    np.testing.assert_allclose(decoder.penalty(sampled), 0, atol=1e-9)
    assert (np.asarray(decoder.penalty(encoder.encode(images))) > 1e-3).all()


def test_the_prior_sees_known_codes_and_no_masked_ones(networks):
    decoder, _ = networks["vqvae"]
    prior, rng = decoder.prior, np.random.default_rng(0)
    vectors = rng.standard_normal((1, 4, 4)).astype("f4")
    known = np.array([[1, 1, 0, 1]], "f4")
    told = np.zeros((1, len(NAMES)), "f4")
    other = vectors.copy()
    other[0, 2] += 1  # masked
    np.testing.assert_array_equal(
        prior(vectors, known, told), prior(other, known, told)
    )
    other[0, 0] += 1
    assert np.abs(prior(vectors, known, told) - prior(other, known, told)).max() > 0
    assert np.abs(prior(vectors, known, told) - prior(vectors, known, told + 1)).max()
