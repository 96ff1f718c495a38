"""Hand over a variational network: its weights, its reader of traits, its vectors.

    retouch train release runs/data runs/vae NETWORKS --kind vae

The reader holds regressions of every trait that can be read off the latents of
people held out, and moves fitted to what pictures show (`training.straight_moves`).
The vectors are differences of means, one deviation long. What can not be read off well
enough is left out, and the record beside the weights says so.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators import weights
from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.loading import load_judge, load_shape
from pretrained.registry import Library, Shelf
from retouch.errors import SettingsError
from retouch.training import vae, vqvae
from retouch.training.conditions import (
    CONDITIONS,
    Conditions,
    descriptors_of,
    label,
    read_once,
)
from retouch.training.export.files import keep
from retouch.training.rated import RATED
from retouch.training.shards import Shards, as_images
from retouch.training.straight_moves import keep_reader, people, with_moves
from scorers.guide import Guide
from scorers.latent import LIGHT, LatentTraits, Space, ridge

Floats = NDArray[np.float32]
KINDS = ("vae", "cvae", "vqvae")
LABELLED = (
    "smiling", "young", "male", "glasses", "moustache", "beard", "sideburns", "anger",
    "contempt", "disgust", "fear", "neutral", "sadness", "surprise", "eye_makeup",
    "lip_makeup", "bald", "hair_black", "hair_blond", "hair_brown", "hair_red",
    "hair_gray", "pitch", "roll", "yaw", "forehead_occluded", "eye_occluded",
    "mouth_occluded", "blur", "noise",
)  # fmt: skip
UNOFFERED = ("skin-color", "attractive")  # of which no vectors are made
DIMENSIONS = {"vae": 160, "cvae": 160, "vqvae": 96}
AXES = 120  # along which samples are drawn
HOLD = 300.0  # strength of the ridge
LEAST = 0.4  # correlation with labels of people held out
SOURCES = {"utk": 0.3, "lfw": 0.3}  # part of a source's crops that is enough
AT_ONCE = 50
FACE = slice(24, 112)  # pixels of a crop where its contrast is compared
WIDEST, SLIGHT = 1.15, 1.03  # factors of contrast: the largest, the least applied
JUDGED = 300  # crops of people held out that tell the factor
EXTREME = 0.25  # part of the crops on each side of a difference of means
ARCHITECTURES = {"vae": "sight", "cvae": "sight", "vqvae": "maps"}  # of the encoders


@dataclass(frozen=True, eq=False)
class Read:
    """The latents of crops with all that is known of their traits."""

    latents: Floats  # (N, size)
    traits: Conditions  # of the same crops
    labels: Floats  # (N, names), NaN where no table speaks
    testing: NDArray[np.bool_]


# --- networks -----------------------------------------------------------------


def restored(run: Path, kind: str) -> tuple[keras.Model, keras.Model, int]:
    """Return the decoder and the encoder of a run, and how many images it saw."""
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise SettingsError(f"kind is one of {known}; got '{kind}'.")
    if kind == "vqvae":
        pair = vqvae.networks()
        return *pair, vqvae.restore(run, *pair)
    decoder, encoder = vae.networks(CONDITIONS if kind == "cvae" else ())
    return decoder, encoder, vae.restore(run, decoder, encoder)


def with_prior(decoder: keras.Model, latents: Floats) -> keras.Model:
    """Return the decoder with the mean of latents and, if it has axes, their spread."""
    own = weights.arrays(decoder)
    own["mean_latent"] = latents.mean(0)
    if hasattr(decoder.config, "axes"):
        space = Space.fit(latents, AXES)
        own["spread"] = space.axes * space.deviations[:, None]
        config = replace(decoder.config, axes=len(space.deviations))
        decoder = type(decoder)(config, name=decoder.name)
    weights.assign(decoder, own)
    return decoder


def unpaled(decoder: keras.Model, latents: Floats, images: Floats) -> float:
    """Widen the decoder's contrast to that of the pictures; return the factor.

    What a latent cannot hold, copies lack, and so they are paler than pictures. One
    number, taken from people held out, goes into the last layer: values are drawn
    apart around the middle of all pictures.
    """
    decode = compiled(decoder.decode)
    parts = [latents[i : i + AT_ONCE] for i in range(0, len(latents), AT_ONCE)]
    copies = np.concatenate(
        [np.asarray(decode(ops.convert_to_tensor(p))) for p in parts]
    )
    inner = [x[:, FACE, FACE] for x in (images, copies)]
    own, paler = (x.std((1, 2, 3)).mean() for x in inner)
    factor = float(np.clip(own / paler, 1, WIDEST))
    if factor < SLIGHT:
        return 1.0
    last = decoder.canvas.last.mix
    middle = np.tile(inner[0].mean((0, 1, 2)), 4)  # a pixel's four colours in turn
    last.kernel.assign(last.kernel * factor)
    last.bias.assign(last.bias * factor + (1 - factor) * middle)
    return factor


# --- what is known of crops ---------------------------------------------------


def gather(shards: Shards, encoder: keras.Model, run: Path, library: Library) -> Read:
    """Return latents and traits of enough crops of every source."""
    rng = np.random.default_rng(0)
    part = np.array([SOURCES.get(str(s), 1.0) for s in shards.sources])
    chosen = np.flatnonzero((rng.random(len(part)) < part) | shards.testing())
    names = (*RATED, *LIGHT, *LABELLED)
    guide = load_judge(library, "guide")
    descriptors = descriptors_of(shards, run / "descriptors.npz")
    traits = read_once(shards, names, guide, descriptors, run / "traits.npz")
    table = np.full((len(chosen), len(names)), np.nan, np.float32)
    for name in LABELLED:
        table[:, names.index(name)] = label(shards, name)[chosen]
    traits = Conditions(names, traits.values[chosen], traits.slopes, traits.skill)
    latents = latents_of(encoder, shards.images, chosen)
    return Read(latents, traits, table, shards.testing()[chosen])


def latents_of(
    encoder: keras.Model, images: NDArray[np.uint8], chosen: NDArray[np.int64]
) -> Floats:
    """Return the latents of the chosen crops."""
    encode, parts = compiled(encoder.encode), []
    for i in range(0, len(chosen), AT_ONCE):
        some = as_images(images[chosen[i : i + AT_ONCE]])
        # One size of batch: another would be compiled anew.
        grown = np.concatenate([some, np.repeat(some[:1], AT_ONCE - len(some), 0)])
        parts.append(np.asarray(encode(ops.convert_to_tensor(grown)))[: len(some)])
    return np.concatenate(parts)


def held_out(shards: Shards, encoder: keras.Model) -> tuple[Floats, Floats]:
    """Return latents and images of people kept aside."""
    index = np.flatnonzero(shards.testing())
    some = index[np.linspace(0, len(index) - 1, min(JUDGED, len(index))).astype(int)]
    return latents_of(encoder, shards.images, some), as_images(shards.images[some])


# --- readers ------------------------------------------------------------------


def fit(known: Read, dimensions: int, conditions: tuple[str, ...]) -> LatentTraits:
    """Return the reader of all traits, with each one's skill on people held out.

    A condition is read off its own place in the latent.
    """
    space = _space(known.latents[~known.testing], dimensions, len(conditions))
    inputs = np.asarray(space.coordinates(known.latents))
    learn, traits = ~known.testing, known.traits
    slopes, offsets = ridge(inputs[learn], traits.values[learn], HOLD)
    for i, name in enumerate(conditions):
        place = traits.names.index(name)
        slopes[:, place] = np.eye(len(slopes), dtype=np.float32)[i - len(conditions)]
        offsets[place] = 0
    guesses = inputs @ slopes + offsets
    skill = [
        _agreement(guesses[known.testing, i], known, i) for i in range(len(offsets))
    ]
    return LatentTraits(space, traits.names, slopes, offsets, np.array(skill, "f4"))


def _agreement(guesses: Floats, known: Read, column: int) -> float:
    """Return the correlation with labels, or where there are none with opinions."""
    labels = known.labels[known.testing, column]
    said = np.isfinite(labels)
    if not said.any():
        labels, said = known.traits.values[known.testing, column], np.ones_like(said)
    if labels[said].std() == 0:
        return 0.0
    return float(np.corrcoef(guesses[said], labels[said])[0, 1])


def _space(latents: Floats, dimensions: int, conditions: int) -> Space:
    """Return principal axes of the free numbers, then the conditions' unit vectors."""
    free = latents.shape[1] - conditions
    space = Space.fit(latents[:, :free], min(dimensions, free))
    if not conditions:
        return space
    count = len(space.deviations)
    axes = np.zeros((count + conditions, latents.shape[1]), np.float32)
    axes[:count, :free] = space.axes
    axes[count:, free:] = np.eye(conditions)
    mean = np.concatenate([space.mean, np.zeros(conditions, np.float32)])
    ones = np.ones(conditions, np.float32)
    return Space(mean, axes, np.concatenate([space.deviations, ones]))


def chosen(reader: LatentTraits) -> tuple[LatentTraits, list[str]]:
    """Return the reader without the labels that it reads badly, and their names."""
    badly = [
        name
        for name, skill in zip(reader.names, reader.skill, strict=True)
        if name in LABELLED and not skill >= LEAST
    ]
    kept = [i for i, name in enumerate(reader.names) if name not in badly]
    names = tuple(reader.names[i] for i in kept)
    parts = reader.slopes[:, kept], reader.offsets[kept], reader.skill[kept]
    return LatentTraits(reader.space, names, *parts), badly


def means(known: Read, names: tuple[str, ...]) -> dict[str, Floats]:
    """Return differences of means (size,) that are one deviation of the trait long."""
    vectors = {}
    for name in names:
        column = known.traits.names.index(name)
        values = known.traits.values[:, column]
        low, high = np.quantile(values, [EXTREME, 1 - EXTREME])
        groups = values >= high, values <= low
        latents = [known.latents[group].mean(0) for group in groups]
        apart = values[groups[0]].mean() - values[groups[1]].mean()
        vectors[name] = (latents[0] - latents[1]) / apart
    return vectors


# --- what is kept -------------------------------------------------------------


def release(
    data: Path,
    run: Path,
    out: Path,
    kind: str,
    *,
    name: str = "",
    licence: str = "unknown",
    readers: Path | None = None,
) -> Path:
    """Write a run's networks and readers with their rows; return the record's path.

    Args:
        readers: a folder of weights that holds the guide; None is the one that ships.
    """
    from pretrained.registry import library

    name = name or kind
    weights_of = Library(Shelf(readers), Shelf(out)) if readers else library()
    decoder, encoder, images = restored(run, kind)
    shards = Shards.read(data)
    known = gather(shards, encoder, run, weights_of)
    conditions = CONDITIONS if kind == "cvae" else ()
    reader, left_out = chosen(fit(known, DIMENSIONS[kind], conditions))
    decoder = with_prior(decoder, known.latents[~known.testing])
    factor = 1.0 if kind == "vqvae" else unpaled(decoder, *held_out(shards, encoder))
    terms: dict[str, Any] = {"licence": licence, "family": name}
    _keep_networks(decoder, encoder, name, kind, out, terms)
    guide = Guide(
        dlib_files.identity(crop=decoder.crop),
        load_judge(weights_of, "guide"),
        load_shape(weights_of, "shape"),
    )
    latents = people(shards, decoder, encoder, guide)
    reader, seen = with_moves(reader, decoder, guide, latents)
    keep_reader(reader, seen, name, out, terms)
    if kind == "vae":
        vectors = means(known, tuple(n for n in reader.names if n not in UNOFFERED))
        arrays, names = {"vectors": np.stack(list(vectors.values()))}, list(vectors)
        config = {"names": names}
        keep(out, f"{name}-means", "scorer", "means", arrays, config=config, **terms)
    record = {
        "images": images,
        "contrast widened": factor,
        "training": json.loads((run / "config.json").read_text("utf-8")),
        "skill": dict(zip(reader.names, map(float, reader.skill), strict=True)),
        "left out": left_out,
    }
    path = out / f"{name}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return path


def _keep_networks(
    decoder: keras.Model,
    encoder: keras.Model,
    name: str,
    kind: str,
    out: Path,
    terms: dict[str, Any],
) -> None:
    """Write a decoder and its encoder with their rows."""
    size = {"resolution": decoder.resolution, "crop": decoder.crop}
    for network, own, role, architecture in (
        (decoder, name, "generator", kind),
        (encoder, f"{name}-encoder", "encoder", ARCHITECTURES[kind]),
    ):
        arrays, config = weights.arrays(network), asdict(network.config)
        keep(out, own, role, architecture, arrays, config=config, **terms, **size)
