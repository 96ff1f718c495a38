"""Who moves are learnt from: crops as latents, with what is seen of them as traits."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained.registry import Row, library
from retouch.errors import SettingsError
from retouch.geometry import INNER_LIPS, JAW, LEFT_BROW, RIGHT_BROW, Face
from retouch.models import Model
from retouch.training.export.files import LICENCE, keep
from retouch.training.moves import Crowd, Recipe, learn
from retouch.training.rated import openness, standardised
from retouch.training.shards import Shards, as_images
from retouch.training.traits import lighting

Floats = NDArray[np.float32]
AT_ONCE = 32
LIT = ("light", "light-side")  # of what `lighting` measures, the first two
SHAPES = (
    *("mouth-open", "mouth-width", "corners-up", "eyes-open", "eye-width"),
    *("brow-height", "brow-gap", "lip-thickness", "jaw-width", "chin-length"),
    *("nose-width", "nose-length"),
)


def teach_moves(data: Path, name: str, out: Path | None = None) -> Row:
    """Learn the moves of a model from shards, and keep them with their row.

    Args:
        out: a folder; None keeps them in the user's library.
    """
    if out is None:
        library().check_free(f"{name}-moves", "Name a folder for yours: --out FOLDER")
    shards, model = Shards.read(data), Model.load(name)
    shards.contents.check(model.generator.crop, model.generator.resolution)
    moves = learn(crowd_of(shards, model.in_keras), Recipe())
    own = {key: getattr(moves, key) for key in ("together", "mean", "spread", "rest")}
    return keep(
        out or library().own.folder,
        f"{name}-moves",
        "scorer",
        "moves",
        {**own, **moves.weights},
        config={"names": list(moves.names), "styles": moves.styles},
        licence=LICENCE,
        family=library().row(name, "generator").family,
    )


def crowd_of(shards: Shards, model: Model) -> Crowd:
    """Return the people of shards who may teach, as a model's encoder sees them."""
    if model.encoder is None or model.guide is None:
        raise SettingsError(f"The model '{model.name}' has no encoder, or no guide.")
    shape = tuple(model.generator.latent_shape)
    if len(shape) != 2:
        raise SettingsError(
            f"Moves are learnt for latents of rows of styles; those of '{model.name}'"
            f" are {shape}."
        )
    kept = np.flatnonzero(~shards.testing())
    marks = shards.landmarks[kept].astype(np.float32)
    latents, mirrored, descriptors, light = [], [], [], []
    for i in range(0, len(kept), AT_ONCE):
        pixels = shards.images[kept[i : i + AT_ONCE]]
        images = as_images(pixels)
        latents.append(model.inverter.encode(images))
        mirrored.append(model.inverter.encode(images[:, :, ::-1]))
        descriptors.append(model.embed(images))
        light.append(lighting(pixels)[:, : len(LIT)])
    told = model.guide.score(np.concatenate(descriptors), marks)
    parts = told, shapes(marks), standardised(np.concatenate(light))
    names = (*model.guide.names, *SHAPES, "yaw", "pitch", *LIT)
    new = [names.index(name) for name in dict.fromkeys(names)]
    shares = shards.contents.sources
    weights = [shares[str(source)].weight for source in shards.sources[kept]]
    return Crowd(
        np.concatenate(latents),
        np.concatenate(mirrored),
        np.concatenate(parts, 1)[:, new].astype(np.float32),
        tuple(names[i] for i in new),
        np.array(weights, np.float32),
        *_layout(model, shape),
    )


def _layout(model: Model, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many rows of a latent are styles, and how many places a side is."""
    channels = getattr(getattr(model.generator, "config", None), "code", 0)
    if not channels:
        return shape[0], 0
    encoder: Any = model.encoder
    side = encoder.config.side
    return shape[0] - side**2 * channels // shape[1], side


def shapes(landmarks: Floats) -> Floats:
    """Return SHAPES, yaw and pitch of landmarks (N, 68, 2), in deviations.

    A turned head looks like another one: what yaw and pitch tell of shapes is taken
    out of them.
    """
    p = np.asarray(landmarks, np.float64)
    eyes = p[:, 36:42].mean(1), p[:, 42:48].mean(1)
    across = eyes[1] - eyes[0]
    unit = np.linalg.norm(across, axis=1)
    down = np.stack([-across[:, 1], across[:, 0]], -1) / unit[:, None]

    def far(a: int, b: int) -> NDArray[np.float64]:
        return np.linalg.norm(p[:, a] - p[:, b], axis=1) / unit

    def below(points: NDArray[Any], origin: NDArray[Any]) -> NDArray[np.float64]:
        return ((points - origin) * down).sum(-1) / unit

    lips = p[:, INNER_LIPS]
    gaps = np.linalg.norm(lips[:, 1:4] - lips[:, [7, 6, 5]], axis=-1).mean(1) / unit
    middle = (eyes[0] + eyes[1]) / 2
    brows = p[:, np.r_[LEFT_BROW, RIGHT_BROW]].mean(1)
    corners = (p[:, 48] + p[:, 54]) / 2
    columns = [
        gaps / far(48, 54),
        far(48, 54),
        -below(corners, (p[:, 51] + p[:, 57]) / 2),
        openness(p.astype(np.float32)),
        (far(36, 39) + far(42, 45)) / 2,
        -below(brows, middle),
        far(21, 22),
        far(51, 62) + far(66, 57),
        far(JAW.start + 4, JAW.start + 12),
        far(57, 8),
        far(31, 35),
        far(27, 33),
    ]
    yaw = np.array([Face(points, (0.0, 0.0, 1.0, 1.0)).yaw for points in p])
    pitch = below(p[:, 30], middle) / np.maximum(below(corners, middle), 1e-3)
    turns = standardised(np.stack([yaw, pitch], 1).astype(np.float32))
    known = np.concatenate([np.ones((len(p), 1)), turns, turns**2], 1)
    own = np.stack(columns, 1)
    own -= known @ np.linalg.lstsq(known, own, rcond=None)[0]
    return np.concatenate([standardised(own.astype(np.float32)), turns], 1)
