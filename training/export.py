"""Hand over what a training made: generator and encoder as files that load."""

import json
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
from keras import ops
from safetensors.numpy import load_file

from encoders import compact
from generators import weights
from generators.gradients import compiled
from retouch.errors import WeightsError
from training.loop import State, values
from training.plan import Plan, learnt
from training.shards import Batches, Shards

CROPS = 4000  # whose latents tell where people's lie
AT_ONCE = 100
LEAST = 1e-3  # spread of a latent's entry
LICENCE = "non-commercial research"


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

    The generator gets the mean and the spread of the latents of training crops.

    Args:
        plan: of the networks; None reads what the run says.
    """
    plan = plan or Plan.read(run)
    generator, encoder = plan.networks()
    images = restore(run, generator, encoder)
    mean, spread = latents_of(encoder, shards, crops)
    generator.mean_latent.assign(mean)
    generator.spread.assign(spread)
    _keep(generator, name, out, plan, "generator", licence)
    _keep(encoder, f"{name}-encoder", out, plan, "encoder", licence)
    record = {"images": images, "crops": crops, "plan": asdict(plan)}
    (out / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def restore(run: Path, generator: keras.Model, encoder: keras.Model) -> int:
    """Give networks the moving average of a run; return how many images it saw."""
    path = run / "state.safetensors"
    if not path.exists():
        raise WeightsError(
            f"{run} holds no state of a training. Train first: retouch train"
            f" generator DATA {run}"
        )
    variables = learnt(generator, encoder)
    state = State({"mean": values(variables)})
    state.load(path)
    for variable, tensor in zip(variables, state.lists["mean"], strict=True):
        variable.assign(tensor)
    return state.images


def take(
    folder: Path, generator: keras.Model, encoder: keras.Model, name: str = "default"
) -> None:
    """Give networks the weights that were exported, so that a training goes on."""
    for network, file in ((generator, name), (encoder, f"{name}-encoder")):
        path = folder / f"{file}.safetensors"
        if not path.exists():
            raise WeightsError(f"{folder} holds no exported {path.name} to begin with.")
        arrays = {key: a.astype(np.float32) for key, a in load_file(path).items()}
        weights.assign(network, arrays)


def latents_of(
    encoder: compact.Compact, shards: Shards, crops: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and spread of the latents of crops as a training draws them."""
    size = min(AT_ONCE, crops)
    batches, encode = Batches(shards, size, seed=0), compiled(encoder.encode)
    total = square = 0.0
    for step in range(crops // size):
        images = ops.convert_to_tensor(batches.pictures(step))
        latents = np.asarray(ops.convert_to_numpy(encode(images)), np.float64)
        total, square = total + latents.sum(0), square + (latents**2).sum(0)
    count = crops // size * size
    mean = total / count
    deviation = np.sqrt(np.maximum(square / count - mean**2, LEAST**2))
    return mean.astype(np.float32), deviation.astype(np.float32)


def _keep(
    network: keras.Model, name: str, out: Path, plan: Plan, kind: str, licence: str
) -> None:
    from pretrained.registry import Row, Shelf

    arrays = weights.arrays(network)
    limit = np.finfo(np.float16).max
    wrong = [n for n, a in arrays.items() if not (np.abs(a) <= limit).all()]
    if wrong:
        raise WeightsError(
            f"Weights of the {kind} are no finite half-precision numbers: {wrong[:3]}."
            " The training has failed; go on from an earlier state."
        )
    row = Row(
        name,
        kind,
        f"{name}.safetensors",
        architecture="stylegan2" if kind == "generator" else "compact",
        config=asdict(network.config),
        licence=licence,
        source="trained by this project",
        family=name.removesuffix("-encoder"),
        resolution=plan.generator.resolution,
        crop=plan.generator.crop,
    )
    Shelf(out).add(row, arrays, half=True)
