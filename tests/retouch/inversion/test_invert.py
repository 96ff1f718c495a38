"""Inversion on a tiny generator with random weights."""

import dataclasses

import keras
import numpy as np
import pytest

from encoders.compact import Compact
from encoders.compact import Config as EncoderConfig
from generators.stylegan2 import Config, StyleGAN2
from retouch.errors import FaceError, SettingsError
from retouch.inversion import memory
from retouch.inversion.invert import Inverter
from retouch.presets import BALANCED, PRESETS, Preset, Schedule

SIZE = 32
WILD = Preset(5, Schedule(50.0))  # so fast that it only gets worse


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    plan = Config(SIZE, (16, 16, 8), width=16, depth=0, code=4, noise=False)
    return StyleGAN2(plan)


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(4)
    plan = EncoderConfig(SIZE, (8, 16), layers=6, width=16, code=4, neck=16)
    return Compact(plan)


@pytest.fixture(scope="module")
def faces(generator):
    latents = np.random.default_rng(0).normal(0, 0.5, (2, *generator.latent_shape))
    images = np.asarray(generator.decode(latents.astype("f4")))
    return images, np.ones((2, SIZE, SIZE, 1), "f4")


@pytest.fixture(scope="module")
def inverter(generator):
    return Inverter(generator)


def test_optimisation_comes_close_to_the_picture(inverter, faces):
    start = inverter.losses(inverter.guess(faces[0]), *faces)
    found = inverter.invert(*faces, steps=60)
    assert (inverter.losses(found.latents, *faces) < 0.5 * start).all()


def test_a_search_in_half_precision_ends_where_a_full_one_does(generator, faces):
    pair = [Inverter(generator), Inverter(generator, half=True)]
    full, half = (i.invert(*faces, steps=60).latents for i in pair)
    judge = pair[0]
    np.testing.assert_allclose(
        judge.losses(half, *faces), judge.losses(full, *faces), rtol=0.1
    )
    drawn = [np.asarray(g.decode(full)) for g in (generator, generator.swift())]
    assert 0 < np.abs(drawn[1] - drawn[0]).mean() < 0.01


def test_the_result_is_never_worse_than_the_guess(generator, encoder, faces):
    inverter = Inverter(generator, encoder)
    found = inverter.invert(*faces, preset=WILD)
    guess = inverter.losses(inverter.guess(faces[0]), *faces)
    assert (found.losses[1:] > guess).all()
    np.testing.assert_allclose(inverter.losses(found.latents, *faces), guess, 1e-5)
    np.testing.assert_allclose(found.least, guess, 1e-5)


def test_no_steps_give_the_encoders_guess(generator, encoder, faces):
    inverter = Inverter(generator, encoder)
    found = inverter.invert(*faces, steps=0)
    np.testing.assert_array_equal(found.latents, inverter.guess(faces[0]))
    alone = np.asarray(encoder.encode(faces[0]))
    np.testing.assert_allclose(inverter.encode(faces[0]), alone, 1e-4, 1e-5)


class Linear:
    """A generator that mixes its latents' entries, or an encoder that misses a part."""

    resolution, latent_shape, looks = 4, (48,), 3

    def __init__(self, matrix):
        self.matrix = keras.ops.convert_to_tensor(matrix)

    def decode(self, latents):
        return keras.ops.reshape(latents @ self.matrix, (-1, 4, 4, 3))

    def encode(self, images):
        return keras.ops.reshape(images, (-1, 48)) @ self.matrix


def test_an_encoder_gains_by_looking_at_its_copies():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(48, 48)))[0].astype("f4")
    inverter = Inverter(Linear(turn), Linear(0.8 * turn.T))
    aims = rng.normal(size=(3, 48)).astype("f4")
    images = np.asarray(inverter.generator.decode(aims))
    missed, left = (
        np.abs(found - aims).mean()
        for found in (inverter.encode(images), inverter.guess(images))
    )
    # A look leaves 1 - 0.6 * 0.8 of what is missed.
    np.testing.assert_allclose(left / missed, 0.52**3, 1e-3)


def test_two_searches_give_the_same_bytes(generator, inverter, faces):
    first, second = (
        i.invert(*faces, steps=8).latents.tobytes()
        for i in (inverter, Inverter(generator))
    )
    assert first == second


def test_faces_of_one_batch_do_not_touch_each_other(inverter, faces):
    both = inverter.invert(*faces, steps=8).latents
    alone = inverter.invert(faces[0][:1], faces[1][:1], steps=8).latents
    np.testing.assert_allclose(both[:1], alone, atol=1e-3)


def test_pixels_outside_the_mask_do_not_count_at_all(inverter, faces):
    images, masks = faces[0].copy(), faces[1].copy()
    masks[:, :, SIZE // 2 :] = 0
    other = images.copy()
    other[:, :, SIZE // 2 :] *= -1
    results = [inverter.invert(x, masks, steps=8).latents for x in (images, other)]
    np.testing.assert_array_equal(*results)


def test_one_step_is_compiled_for_every_length_preset_and_space(generator, faces):
    inverter = Inverter(generator)
    for options in ({"steps": 2}, {"steps": 5}, {"preset": PRESETS["fast"]}):
        inverter.invert(*faces, **options)
    inverter.invert(faces[0][::-1], faces[1], steps=3, space="w")
    assert inverter.unlikeness._sloping.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(("size", "count"), [(32, 300), (128, 11), (1024, 3)])
def test_many_faces_go_in_groups_of_few_sizes(inverter, size, count):
    generator = type("Sized", (), {"resolution": size})()
    one = Inverter.__new__(Inverter)
    one.generator = generator
    groups = list(one.groups(count))
    assert np.concatenate([np.arange(count)[g] for g in groups]).tolist() == list(
        range(count)
    )
    sizes = {g.stop - g.start for g in groups}
    assert all(n == 1 or n * size**2 <= 4 * 128**2 for n in sizes)
    assert all(n & (n - 1) == 0 for n in sizes)


def test_in_w_all_layers_have_one_style(generator, inverter, faces):
    found = inverter.invert(*faces, steps=10, space="w").latents
    styles = found[:, : generator.config.layers]
    np.testing.assert_allclose(styles, styles[:, :1].repeat(styles.shape[1], 1), 1e-5)
    assert np.ptp(inverter.invert(*faces, steps=10).latents[:, :6], 1).max() > 0.01


def test_a_pull_on_the_deltas_brings_the_styles_together(inverter, faces):
    def apart(deltas: float) -> float:
        weights = dataclasses.replace(BALANCED.weights, deltas=deltas)
        preset = dataclasses.replace(BALANCED, weights=weights)
        latents = inverter.invert(*faces, preset=preset, steps=20).latents
        return float(latents[:, :6].std(1).mean())

    assert apart(10.0) < 0.5 * apart(0.0)


class Undoing:
    """A flow in one line: the picture, turned over."""

    resolution, latent_shape, exact = SIZE, (SIZE, SIZE, 3), True

    def decode(self, latents):
        return latents[:, ::-1]

    def encode(self, images):
        return images[:, ::-1]


def test_an_exact_encoder_needs_no_search(faces):
    found = Inverter(Undoing()).invert(*faces, steps=50)
    assert not len(found.losses)
    np.testing.assert_array_equal(found.latents[:, ::-1], faces[0])


def test_an_interrupt_keeps_the_best_so_far(inverter, faces):
    def stop(part, losses):
        if part > 0.05:
            raise KeyboardInterrupt

    found = inverter.invert(*faces, steps=50, on_step=stop)
    assert found.interrupted and len(found.losses) == 3
    best = inverter.losses(found.latents, *faces)
    np.testing.assert_allclose(best, found.losses.min(0), 1e-4)


def test_the_way_goes_from_the_guess_to_the_result(inverter, faces):
    found = inverter.invert(*faces, steps=12, keep=4)
    assert len(found.way) == 4
    np.testing.assert_array_equal(found.way[0], inverter.guess(faces[0]))
    np.testing.assert_array_equal(found.way[-1], found.latents)


def test_pixels_that_are_no_numbers_are_refused(inverter, faces):
    images = faces[0].copy()
    images[0, 0, 0, 0] = np.nan
    with pytest.raises(FaceError, match="not all finite"):
        inverter.invert(images, faces[1], steps=1)


def test_damaged_weights_end_in_a_sentence(faces):
    plan = Config(SIZE, (16, 16, 8), width=16, depth=0, code=4, noise=False)
    broken = StyleGAN2(plan)
    broken.start.kernel.assign(np.full(broken.start.kernel.shape, np.nan))
    with pytest.raises(FaceError, match="retouch models verify"):
        Inverter(broken).invert(*faces, steps=1)


def test_a_model_without_styles_has_no_w(faces):
    with pytest.raises(SettingsError, match="--space w"):
        Inverter(Undoing()).invert(*faces, space="w")


def test_too_little_memory_is_said_with_what_would_fit():
    said = r"1024 px takes some 3\.5 GB .* 1\.0 are free\. 512 px would fit"
    with pytest.raises(SettingsError, match=said), memory.enough_for(1024, 1e9):
        pass
    with memory.enough_for(1024, 1e10):
        pass
