"""Directions in latent space from other projects' files, each bound to a family.

A family is a latent space: networks that share it give a direction the same meaning.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retouch.errors import WeightsError

FIRST = "stylegan1-ffhq"
SECOND = "stylegan2-ffhq"
COMPONENTS = (("comp", "std"), ("lat_comp", "lat_stdev"))
WIDEST = 8192  # numbers in a row of any latent


@dataclass(frozen=True)
class NamedDirection:
    """A displacement of latents: one row for all of them, or one for each."""

    name: str
    family: str
    vector: np.ndarray = field(repr=False)  # (1 or rows, width)


def convert(
    data: Any, path: Path, name: str, family: str | None = None
) -> list[NamedDirection]:
    """Return the directions within what `files.read` gave.

    They are those of InterFaceGAN, GANSpace, e4e or alike.

    Args:
        family: the latent space; by default what the file's kind and name tell.
    """
    if "boundary" in path.name and "_w_" not in path.name:
        raise WeightsError(
            f"{path} is a boundary in Z, which photographs are not turned into."
            " Use the one with _w_ in its name."
        )
    family = family or family_of(path)
    if isinstance(data, np.ndarray):
        return [NamedDirection(name, family, _rows(data, path))]
    for components, deviations in COMPONENTS:
        if isinstance(data, Mapping) and {components, deviations} <= data.keys():
            vectors = _scaled(data[components], data[deviations], path)
            return [
                NamedDirection(f"{name}/pc{i}", family, vector)
                for i, vector in enumerate(vectors)
            ]
    raise WeightsError(
        f"{path} holds no direction: wanted is one array, or principal components"
        " with their standard deviations."
    )


def family_of(path: Path) -> str:
    """Return the latent space that a file's name tells, else its kind's usual one."""
    if re.search(r"stylegan2[-_]ffhq", path.name):
        return SECOND
    if re.search(r"stylegan[-_]ffhq", path.name):
        return FIRST
    usual = {".npy": FIRST, ".pt": SECOND}
    if path.suffix not in usual:
        raise WeightsError(
            f"{path} does not tell which network its directions belong to."
            f" Say so with --family, for example --family {SECOND}."
        )
    return usual[path.suffix]


def check_family(direction: NamedDirection, model: str, family: str) -> None:
    """Raise if a direction was made for another latent space than the model's."""
    if direction.family != family:
        raise WeightsError(
            f"The direction '{direction.name}' was made for {direction.family};"
            f" '{model}' is of the family {family}, where it means something else."
            f" Use a direction of {family}."
        )


def fit(
    direction: NamedDirection, model: str, latent_shape: tuple[int, ...]
) -> np.ndarray:
    """Return the displacement with the shape of a model's latent."""
    rows, width = direction.vector.shape
    if width != latent_shape[-1] or rows not in (1, latent_shape[0]):
        raise WeightsError(
            f"The direction '{direction.name}' has the shape {(rows, width)};"
            f" latents of '{model}' have {latent_shape}. Use one made for it."
        )
    return np.broadcast_to(direction.vector, latent_shape)


def _rows(data: np.ndarray, path: Path) -> np.ndarray:
    """Return (1 or rows, width)."""
    shape = data.shape[1:] if data.ndim == 3 and len(data) == 1 else data.shape
    shape = (1, *shape) if len(shape) == 1 else shape
    if len(shape) != 2 or not 0 < shape[0] <= 64 or not 1 < shape[1] <= WIDEST:
        raise WeightsError(
            f"{path} holds an array of the shape {data.shape}; a direction has"
            " (1, width) or (rows, width), for example (18, 512)."
        )
    with np.errstate(all="ignore"):
        rows = data.reshape(shape).astype(np.float32)
    if data.dtype.kind != "f" or not np.isfinite(rows).all() or not rows.any():
        raise WeightsError(f"{path} holds no finite numbers other than 0.")
    return rows


def _scaled(components: Any, deviations: Any, path: Path) -> list[np.ndarray]:
    """Return each component so long that 1 is one standard deviation."""
    fits = (
        isinstance(components, np.ndarray)
        and isinstance(deviations, np.ndarray)
        and components.ndim in (2, 3)
        and deviations.shape == (len(components),)
        and 0 < len(components) <= 1024
    )
    if not fits:
        raise WeightsError(f"{path} holds components that do not fit their deviations.")
    pairs = zip(components, deviations, strict=True)
    with np.errstate(all="ignore"):
        return [_rows(component * deviation, path) for component, deviation in pairs]
