"""A range of transfers: one picture an alpha, a sheet, and a list of them.

The list, transfer.json, says what was made of what, so that `retouch evaluate
transfers` can measure it.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retouch.engine.session import Result, Session
from retouch.errors import SettingsError
from retouch.expressions.transfer_options import Transferring
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT
from retouch.jobs.ranges import Range
from retouch.photos import disk
from retouch.photos.photo import Photo, Provenance, encode
from retouch.photos.photo import write as write_photo
from retouch.settings import Settings

if TYPE_CHECKING:
    from retouch.expressions.transfer import Transfers

LIST = "transfer.json"
SHOWN = 192  # pixels a side of a face on the sheet


def alphas(text: str, wish: Transferring) -> list[float]:
    """Return the alphas of "alpha=0.3:0.5:11", each of them possible."""
    span = Range.parse(text)
    if span.name != "alpha":
        raise SettingsError(f"--range takes alpha=0.3:0.5:11 here; got '{text}'.")
    values = [round(value, 6) for value in span.values]
    for value in values:
        dataclasses.replace(wish, alpha=value)
    return values


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces that take part, one a session, and where their photos lie."""

    source: Session
    target: Session
    neutral: Sequence[Session]
    names: tuple[Path, Path]  # of the source and the target


def write(
    engine: "Transfers",
    faces: Faces,
    values: Sequence[float],
    wish: Transferring,
    settings: Settings,
    folder: Path,
) -> list[dict[str, Any]]:
    """Write a picture an alpha, their sheet and their list; return the list's rows."""
    parts = faces.source, faces.target, faces.neutral
    photos = engine.ranged(*parts, values, wish, settings)
    with disk.refusing(f"'{folder}'"):
        folder.mkdir(parents=True, exist_ok=True)
    stem = f"{faces.names[1].stem}_{faces.names[0].stem}"
    rows = []
    for alpha, photo in zip(values, photos, strict=True):
        name = f"{stem}_{alpha:g}.png"
        made = Provenance(settings.model, f"transfer {alpha:g}", settings.strength)
        seal = Result(photo, faces.target.photo, (), made, settings).seal
        write_photo(photo, folder / name, force=True, provenance=made, seal=seal)
        rows.append({"alpha": alpha, "file": name})
    own = dataclasses.replace(settings, reversible=False)
    seal = Result(photos[-1], faces.target.photo, (), made, own).seal
    sheet = Photo(_sheet(faces, photos))
    disk.put(folder / "sheet.png", encode(sheet, provenance=made, seal=seal))
    source, target = (_from(folder, name) for name in faces.names)
    record = {
        "source": source,
        "target": target,
        "source_face": faces.source.chosen[0],
        "target_face": faces.target.chosen[0],
        "model": settings.model,
        "method": wish.method,
        "outputs": rows,
    }
    disk.put(folder / LIST, (json.dumps(record, indent=1) + "\n").encode())
    return rows


def _from(folder: Path, name: Path) -> str:
    """Return how a file is called from a folder, so that both can move together."""
    return Path(os.path.relpath(name.resolve(), folder.resolve())).as_posix()


def _sheet(faces: Faces, photos: Sequence[Photo]) -> NDArray[np.uint8]:
    """Return source, target and results side by side, cut alike."""
    (source,), (target,) = faces.source.faces, faces.target.faces
    shown = [(faces.source.photo, source), (faces.target.photo, target)]
    shown += [(photo, target) for photo in photos]
    crops = [FaceCrop.of(photo.pixels, face, TIGHT, SHOWN) for photo, face in shown]
    return np.concatenate([crop.picture for crop in crops], 1)
