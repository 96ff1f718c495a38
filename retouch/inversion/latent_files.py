"""Latent files: what an inversion found of one face, kept for later edits.

A file is NumPy's .npz of plain numbers, read without pickle. `about` holds, as JSON
in bytes, the model's name and the hash of its weights, the photo's size and where
the face lies; `latents` and `losses` are the search's, and `tuned/...` the factors
by which this face's generator differs from the model's.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pretrained.files import read
from retouch.errors import SettingsError, WeightsError
from retouch.geometry import Face
from retouch.photos.disk import check_path, put

Floats = NDArray[np.float32]
VERSION = 1
TUNED = "tuned/"
REMEDY = "Invert the photo again: retouch invert PHOTO --save FILE"


@dataclass(frozen=True, eq=False)
class SavedFace:
    """The latents of one face, and what they belong to."""

    latents: Floats  # latent_shape
    model: str
    sha256: str  # of the model's weights
    face: Face
    photo: tuple[int, int]  # its height and width
    fidelity: float  # decibels: how like the photo's face their picture is
    losses: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    tuned: Mapping[str, NDArray[Any]] = field(
        default_factory=dict
    )  # see `retouch.inversion.tune`

    @property
    def loss(self) -> float | None:
        """The loss of the latents, if they were searched for."""
        known = self.losses[np.isfinite(self.losses)]
        return float(known.min()) if known.size else None

    def check_model(self, model: str, sha256: str, shape: tuple[int, ...]) -> None:
        """Raise if the latents are another model's, or another version's."""
        if (self.model, self.sha256) != (model, sha256):
            same = self.model == model
            other = "another version" if same else f"'{self.model}'"
            raise SettingsError(
                f"The latents were made with {other} and the model is '{model}'."
                f" Take --model {self.model}, or {REMEDY[0].lower()}{REMEDY[1:]}"
            )
        if self.latents.shape != shape:
            raise WeightsError(
                f"The latents have the shape {self.latents.shape}, and '{model}' takes"
                f" {shape}. {REMEDY}"
            )

    def check_photo(self, shape: tuple[int, ...]) -> None:
        """Raise if a photo of that shape cannot be the one that was inverted."""
        if tuple(shape[:2]) != self.photo:
            was, got = (f"{w} x {h}" for h, w in (self.photo, shape[:2]))
            raise SettingsError(
                f"The latents are of a photo of {was} pixels, and this one has {got}."
                f" {REMEDY}"
            )


def save(saved: SavedFace, path: Path, *, force: bool = False) -> None:
    """Write a face to a file: whole, or not at all."""
    check_target(path, force=force)
    buffer = io.BytesIO()
    dump(saved, buffer)
    put(path, buffer.getvalue())


def dump(saved: SavedFace, file: BinaryIO) -> None:
    """Write a face to a stream."""
    about = json.dumps(_about(saved), sort_keys=True).encode()
    np.savez_compressed(
        file,
        allow_pickle=False,
        about=np.frombuffer(about, np.uint8),
        latents=np.asarray(saved.latents, np.float32),
        losses=np.asarray(saved.losses, np.float32),
        **{TUNED + name: np.asarray(a, np.float16) for name, a in saved.tuned.items()},
    )


def check_target(path: Path, *, force: bool) -> None:
    """Refuse a name that no latent file can have, or that is taken."""
    if path.suffix != ".npz":
        raise SettingsError(f"A latent file ends in .npz; got '{path.name}'.")
    check_path(path, force=force)


def load(path: Path) -> SavedFace:
    """Read a file; whatever is wrong with it is said in a sentence."""
    if path.exists() and not zipfile.is_zipfile(path):
        raise WeightsError(f"{path} is no latent file of retouch. {REMEDY}")
    arrays = read(path)
    try:
        about = json.loads(bytes(arrays["about"]).decode())
        version = about["version"]
        latents, losses = (
            np.asarray(arrays[name], np.float32) for name in ("latents", "losses")
        )
        face = Face(
            np.array(about["landmarks"], np.float64).reshape(68, 2),
            tuple(float(x) for x in about["box"]),  # type: ignore[arg-type]
            float(about["confidence"]),
        )
        height, width = (int(x) for x in about["photo"])
        fidelity = float(about["fidelity"])
        name, sha256 = str(about["model"]), str(about["sha256"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{path} is no latent file of retouch ({error}). {REMEDY}"
        ) from None
    tuned = _tuned(arrays)
    _check(path, version, [latents, face.landmarks, *tuned.values()])
    size = height, width
    return SavedFace(latents, name, sha256, face, size, fidelity, losses, tuned)


def _about(saved: SavedFace) -> dict[str, Any]:
    return {
        "version": VERSION,
        "model": saved.model,
        "sha256": saved.sha256,
        "photo": list(saved.photo),
        "fidelity": saved.fidelity,
        "landmarks": np.asarray(saved.face.landmarks, np.float64).tolist(),
        "box": [float(x) for x in saved.face.box],
        "confidence": float(saved.face.confidence),
    }


def _tuned(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(TUNED): np.asarray(array, np.float32)
        for name, array in arrays.items()
        if name.startswith(TUNED)
    }


def _check(path: Path, version: Any, arrays: list[NDArray[Any]]) -> None:
    if version != VERSION:
        raise WeightsError(
            f"{path} is of the version {version!r}, and this retouch reads {VERSION}."
            f" Update retouch, or {REMEDY[0].lower()}{REMEDY[1:]}"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise WeightsError(f"{path} holds numbers that are not finite. {REMEDY}")
