"""Hand over what a training made: generator and encoder as files that load."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import load_file

from encoders import compact
from generators import weights
from generators.gradients import compiled
from generators.stylegan2 import StyleGAN2
from retouch.errors import WeightsError
from scorers.latent import Space
from training.handover import LICENCE, keep, restore
from training.plan import Plan, learnt
from training.shards import Batches, Shards

CROPS = 4000  # whose latents tell where people's lie
AT_ONCE = 100
AXES = 100  # 40 draw smoother people, 400 smear them
LEAST = 1e-3  # spread of a latent's entry


def export(
    run: Path,
    shards: Shards,
    out: Path,
    *,
    name: str = "default",
    licence: str = LICENCE,
    crops: int = CROPS,
    plan: Plan | None = None,
) -> None:
    """Write a run's averaged networks, in half precision, with a manifest.

    The generator learns where the latents of training crops lie.

    Args:
        plan: of the networks; None reads what the run says.
    """
    plan = plan or Plan.read(run)
    generator, encoder = plan.networks()
    images = restore(run, learnt(generator, encoder), "generator")
    generator = with_prior(generator, latents_of(encoder, shards, crops))
    for title, kind, architecture, network in (
        (name, "generator", "stylegan2", generator),
        (f"{name}-encoder", "encoder", "compact", encoder),
    ):
        keep(
            out,
            title,
            kind,
            architecture,
            weights.arrays(network),
            config=asdict(network.config),
            licence=licence,
            family=name,
            resolution=plan.generator.resolution,
            crop=plan.generator.crop,
        )
    record = {"images": images, "crops": crops, "plan": asdict(plan)}
    (out / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def take(
    folder: Path, generator: keras.Model, encoder: keras.Model, name: str = "default"
) -> None:
    """Give networks the weights that were exported, so that a training goes on."""
    for network, file in ((generator, name), (encoder, f"{name}-encoder")):
        path = folder / f"{file}.safetensors"
        if not path.exists():
            raise WeightsError(f"{folder} holds no exported {path.name} to begin with.")
        arrays = {key: a.astype(np.float32) for key, a in load_file(path).items()}
        arrays.pop("axes", None)  # they are found anew when this is exported
        weights.assign(network, arrays)


def latents_of(encoder: compact.Compact, shards: Shards, crops: int) -> np.ndarray:
    """Return the latents of crops as a training draws them."""
    size = min(AT_ONCE, crops)
    batches, encode = Batches(shards, size, seed=0), compiled(encoder.encode)
    pictures = (batches.pictures(step) for step in range(crops // size))
    return np.concatenate([np.asarray(encode(images)) for images in pictures])


def with_prior(generator: StyleGAN2, latents: np.ndarray) -> StyleGAN2:
    """Return the generator with what latents of people tell of where they lie.

    That is their mean, the spread of each entry, and the principal axes along
    which they vary together: entries drawn one by one make no face.
    """
    space = Space.fit(latents, min(AXES, len(latents) - 1))
    along = space.axes * space.deviations[:, None]
    own = weights.arrays(generator)
    own["mean_latent"] = space.mean
    own["spread"] = np.maximum(latents.std(0), LEAST)
    if len(along):  # none where latents never differ
        own["axes"] = along.reshape(-1, *latents.shape[1:])
    new = StyleGAN2(replace(generator.config, axes=len(along)), name=generator.name)
    weights.assign(new, own)
    return new
