"""Hand over what a training made: generator and encoder as files that load."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import load_file

from encoders import compact
from generators import weights
from generators.gradients import compiled
from generators.stylegan2 import StyleGAN2
from pretrained.registry import Shelf, library
from retouch.errors import WeightsError
from retouch.training.export.files import LICENCE, keep, restore
from retouch.training.plan import Plan
from retouch.training.shards import Batches, Shards
from scorers.latent import Space

CROPS = 4000  # whose latents tell where people's lie
AT_ONCE = 100
AXES = 100  # 40 draw smoother people, 400 smear them
LEAST = 1e-3  # spread of a latent's entry


def export(
    run: Path,
    shards: Shards,
    out: Path | None,
    *,
    name: str = "default",
    licence: str = LICENCE,
    crops: int = CROPS,
    plan: Plan | None = None,
) -> Path:
    """Write a run's averaged networks, in half precision; return their manifest.

    A generator that has learnt is told where the latents of training crops lie. One
    that was there before is written, with its readers, if it is to have a new name.

    Args:
        out: a folder; None keeps them in the user's library.
        plan: of the networks; None reads what the run says.
    """
    plan = plan or Plan.read(run)
    generator, encoder = plan.networks()
    command = "encoder" if plan.model else "generator"
    images = restore(run, plan.learnt(generator, encoder), command)
    shelf = _shelf(out, name, plan)
    terms = {
        "licence": licence,
        "family": name,
        "resolution": plan.generator.resolution,
        "crop": plan.generator.crop,
    }
    if plan.model:
        terms["family"] = library().row(plan.model, "generator").family
        if name != plan.model:
            _copy(shelf, plan.model, name)
    else:
        generator = with_prior(generator, latents_of(encoder, shards, crops))
        _keep(shelf, name, "generator", "stylegan2", generator, terms)
    _keep(shelf, f"{name}-encoder", "encoder", "compact", encoder, terms)
    record = {"images": images, "crops": crops, "plan": asdict(plan)}
    text = json.dumps(record, indent=2) + "\n"
    (shelf.folder / f"{name}.json").write_text(text, "utf-8")
    return shelf.manifest


def _shelf(out: Path | None, name: str, plan: Plan) -> Shelf:
    """Return the shelf of a folder, or the user's, where names must be free."""
    if out is not None:
        return Shelf(out)
    own = library()
    for title in {name, f"{name}-encoder"} - {plan.model}:
        own.check_free(title)
    return own.own


def _keep(
    shelf: Shelf,
    name: str,
    kind: str,
    architecture: str,
    network: Any,
    terms: dict[str, Any],
) -> None:
    config, arrays = asdict(network.config), weights.arrays(network)
    keep(shelf.folder, name, kind, architecture, arrays, config=config, **terms)


def _copy(shelf: Shelf, model: str, name: str) -> None:
    """Write a model of the library, without its encoder, under another name."""
    own = library()
    for row in own.rows():
        part = row.name.removeprefix(model)
        if row.name.startswith(model) and part in ("", "-traits", "-means"):
            new = replace(row, name=name + part, file=f"{name}{part}.safetensors")
            arrays = load_file(own.path(row))
            half = all(array.dtype == np.float16 for array in arrays.values())
            shelf.add(new, arrays, half=half)


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


def take_known(name: str, encoder: compact.Compact) -> None:
    """Give an encoder the weights of one in the library."""
    try:
        weights.assign(encoder, library().weights(name, "encoder"))
    except ValueError as error:
        raise WeightsError(f"'{name}' is no encoder to begin with: {error}") from None


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
