"""Inversion on a tiny generator with random weights."""

import keras
import numpy as np
import pytest

from encoders.compact import Compact
from encoders.compact import Config as EncoderConfig
from generators.stylegan2 import Config, StyleGAN2
from retouch.invert import Inverter

SIZE = 32


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    plan = Config(SIZE, (16, 16, 8), width=16, depth=0, code=4, noise=False)
    return StyleGAN2(plan)


@pytest.fixture(scope="module")
def faces(generator):
    latents = np.random.default_rng(0).normal(0, 0.5, (2, *generator.latent_shape))
    images = np.asarray(generator.decode(latents.astype("f4")))
    return images, np.ones((2, SIZE, SIZE, 1), "f4")


def _loss(inverter, latents, faces):
    return np.asarray(inverter._loss(latents, list(faces))[1])


def test_optimisation_comes_close_to_the_picture(generator, faces):
    inverter = Inverter(generator, rate=0.1)
    start = _loss(inverter, inverter.guess(faces[0]), faces)
    found = inverter.invert(*faces, steps=60)
    assert (_loss(inverter, found.latents, faces) < 0.5 * start).all()


def test_the_result_is_never_worse_than_the_guess(generator, faces):
    inverter = Inverter(generator, rate=50.0)  # so fast that it only gets worse
    found = inverter.invert(*faces, steps=5)
    guess = _loss(inverter, inverter.guess(faces[0]), faces)
    assert (_loss(inverter, found.latents, faces) <= guess + 1e-6).all()


def test_no_steps_give_the_encoders_guess(generator, faces):
    plan = EncoderConfig(SIZE, (8, 16), layers=6, width=16, code=4, neck=16)
    encoder = Compact(plan)
    found = Inverter(generator, encoder).invert(*faces, steps=0)
    np.testing.assert_allclose(
        found.latents, np.asarray(encoder.encode(faces[0])), 1e-4
    )


def test_two_searches_give_the_same_bytes(generator, faces):
    first, second = (
        Inverter(generator).invert(*faces, steps=8).latents.tobytes() for _ in range(2)
    )
    assert first == second


def test_faces_of_one_batch_do_not_touch_each_other(generator, faces):
    inverter = Inverter(generator)
    both = inverter.invert(*faces, steps=8).latents
    alone = inverter.invert(faces[0][:1], faces[1][:1], steps=8).latents
    np.testing.assert_allclose(both[:1], alone, atol=1e-3)


def test_pixels_outside_the_mask_do_not_count(generator, faces):
    images, masks = faces[0].copy(), faces[1].copy()
    masks[:, :, SIZE // 2 :] = 0
    other = images.copy()
    other[:, :, SIZE // 2 :] = -other[:, :, SIZE // 2 :]
    inverter = Inverter(generator)
    results = [inverter.invert(x, masks, steps=8).latents for x in (images, other)]
    # The coarse scales of the loss mix pixels beside the mask's edge, in both alike.
    np.testing.assert_allclose(results[0], results[1], atol=0.2)


def test_the_step_is_compiled_once(generator, faces):
    inverter = Inverter(generator)
    inverter.invert(*faces, steps=4)
    step = inverter._steps[4]
    inverter.invert(*faces, steps=4)
    assert inverter._steps == {4: step}
    assert step.experimental_get_tracing_count() == 1


def test_an_interrupt_keeps_the_best_so_far(generator, faces):
    def stop(step, losses):
        if step == 3:
            raise KeyboardInterrupt

    found = Inverter(generator).invert(*faces, steps=50, on_step=stop)
    assert len(found.losses) == 4
    assert np.isfinite(found.latents).all()
