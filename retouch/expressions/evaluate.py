"""What pictures of edited faces show: who it is, action units, pose and quality.

Nothing here guides an edit, and no generator is loaded. A folder of transfers is one
that `retouch transfer --range` wrote; a folder of edits or inversions holds the
pictures before in `before/` and those after, under the same names, in `after/`.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import laplace

from pretrained import dlib_files
from pretrained.loading import load_action_units, load_judge
from pretrained.registry import library
from retouch.crop import cut
from retouch.errors import FaceError, PhotoError, SettingsError
from retouch.expressions import openface
from retouch.finding.detect import Detector
from retouch.geometry import TIGHT, Face
from retouch.photo import Photo, read
from scorers.descriptor import Descriptors
from scorers.facenet import Facenet

Floats = NDArray[np.float32]
SIZE = 256  # pixels a side of the crops that are measured
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
GLAD = "happy"


@dataclass(frozen=True, eq=False)
class Seen:
    """What was measured of one face."""

    descriptor: Floats  # (128,)
    facenet: Floats | None  # (512,)
    units: Mapping[str, float]  # 0-5
    pose: tuple[float, float, float]  # degrees: to the side, up, turned
    happy: float  # by the judge, in deviations
    sharpness: float  # of the crop: edges' edges against contrast

    def distance(self, other: "Seen") -> float:
        return float(np.linalg.norm(self.descriptor - other.descriptor))

    def facenet_distance(self, other: "Seen") -> float | None:
        if self.facenet is None or other.facenet is None:
            return None
        return float(np.linalg.norm(self.facenet - other.facenet))

    def agreement(self, other: "Seen") -> float:
        """Return 1 for the same action units, 0 for the most different there can be."""
        gaps = [abs(self.units[name] - other.units[name]) for name in self.units]
        return 1 - float(np.mean(gaps)) / 5

    def turned(self, other: "Seen") -> float:
        """Return the degrees between two poses, the largest of the three."""
        pairs = zip(self.pose, other.pose, strict=True)
        return max(abs(a - b) for a, b in pairs)


class Assessor:
    """Measures faces; loads its models once."""

    def __init__(self) -> None:
        self.detector, shelf = Detector(), library()
        self.units, self.judge = load_action_units(shelf), load_judge(shelf, "judge")
        self.descriptors = Descriptors(dlib_files.locate(dlib_files.DESCRIPTOR))
        self.openface = openface.available()

    @cached_property
    def facenet(self) -> Facenet | None:
        """The second opinion on identity, where its package is installed."""
        return Facenet.installed()

    def face(self, photo: Photo, name: str, number: int = 0) -> Face:
        """Return a face of a photo, the largest if none is asked for."""
        faces = self.detector.find(photo.pixels)
        if number >= len(faces):
            raise FaceError(
                f"'{name}' shows {len(faces)} faces, and number {number} was to be"
                " measured. Take the picture out of the folder, or replace it."
            )
        return faces[number]

    def see(self, photo: Photo, face: Face) -> Seen:
        """Measure a face, its landmarks read anew, as they must be after an edit."""
        face = self.detector.again(photo.pixels, face)
        place = face.transform(TIGHT, SIZE)
        white = np.float32(np.iinfo(photo.pixels.dtype).max)
        crop = np.clip(cut(photo.pixels, place, SIZE) / white * 2 - 1, -1, 1)
        images, marks = crop[None], place(face.landmarks)[None].astype(np.float32)
        descriptors = self.descriptors.of(images, marks)
        scores = self.judge.score(descriptors, marks)[0]
        side, up = self.units.expressions.poses(marks)[0]
        return Seen(
            descriptors[0],
            None if self.facenet is None else self.facenet.embed(images)[0],
            self._units(images, marks),
            (float(side), float(up), face.roll),
            float(scores[self.judge.names.index(GLAD)]),
            sharpness(crop),
        )

    def _units(self, images: Floats, marks: Floats) -> Mapping[str, float]:
        if self.openface:
            pixels = np.rint(images[0] * 127.5 + 127.5).astype(np.uint8)
            found = openface.action_units(np.pad(pixels, [(64, 64), (64, 64), (0, 0)]))
            if found:
                return found
            raise FaceError(
                "OpenFace found no face in a crop that holds one. Take"
                f" {openface.PROGRAM} off the PATH to use retouch's own estimate."
            )
        scores = self.units.score(images, marks)[0]
        return dict(zip(self.units.names, map(float, scores), strict=True))


def sharpness(crop: Floats) -> float:
    """Return the deviation of the Laplacian against that of the luminance."""
    grey = crop @ LUMA
    return float(laplace(grey).std() / (grey.std() + 1e-6))


# --- what is measured ---------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Tables of what was measured, ready to be written."""

    rows: Sequence[Mapping[str, Any]]  # one an output
    units: Sequence[tuple[str, Mapping[str, float]]]  # one a picture
    distances: Sequence[Mapping[str, Any]] = ()  # two a series of transfers


def transfers(assessor: Assessor, folder: Path) -> Evaluation:
    """Measure every series of transfers in a folder and in those within it."""
    rows, units, distances = [], [], []
    for path in sorted(existing(folder).rglob("transfer.json")):
        record = _record(path)
        names = {part: path.parent / record[part] for part in ("source", "target")}
        photos = {part: read(name) for part, name in names.items()}
        faces = {
            part: assessor.face(photo, str(names[part]), record[f"{part}_face"])
            for part, photo in photos.items()
        }
        ends = {part: assessor.see(photos[part], faces[part]) for part in photos}
        series = f"{names['source'].stem}_{names['target'].stem}"
        line: dict[str, dict[str, Any]] = {
            part: {"output_images": f"{series}_{part}"} for part in ends
        }
        for made in record["outputs"]:
            photo = read(path.parent / made["file"])
            seen = assessor.see(photo, faces["target"])
            rows.append(
                {"file": made["file"], "series": series, "alpha": made["alpha"]}
                | {"model": record["model"], "method": record["method"]}
                | _against(seen, ends["target"], "target")
                | _against(seen, ends["source"], "source")
                | {"happier": round(seen.happy - ends["target"].happy, 4)}
            )
            units.append((made["file"], seen.units))
            for part, end in ends.items():
                line[part][f"{made['alpha']:g}"] = seen.distance(end)
        for part, own in line.items():
            own |= {name: ends[part].distance(end) for name, end in ends.items()}
            units.append((names[part].name, ends[part].units))
            distances.append(own)
    if not rows:
        raise SettingsError(
            f"'{folder}' holds no transfers. Make some: retouch transfer SOURCE TARGET"
            f" --range alpha=0.3:0.5:11 --out {folder}"
        )
    return Evaluation(rows, units, distances)


def pairs(assessor: Assessor, folder: Path) -> Evaluation:
    """Measure pictures in `after` against those of the same name in `before`."""
    before, after = existing(folder) / "before", folder / "after"
    found = {p.stem: p for p in before.glob("*") if p.is_file()}
    made = sorted(p for p in after.glob("*") if p.is_file() and p.stem in found)
    if not made:
        raise SettingsError(
            f"'{folder}' holds no pairs. Put pictures in '{before}' and what was made"
            f" of them, under the same names, in '{after}'."
        )
    rows, units = [], []
    for path in made:
        old, new = read(found[path.stem]), read(path)
        if old.pixels.shape[:2] != new.pixels.shape[:2]:
            raise PhotoError(
                f"'{path}' is not of the size of '{found[path.stem]}'; the two cannot"
                " be compared."
            )
        face = assessor.face(old, str(found[path.stem]))
        was, seen = assessor.see(old, face), assessor.see(new, face)
        error = (old.pixels.astype(np.float64) - new.pixels) / np.iinfo(
            old.pixels.dtype
        ).max
        signal = -10 * np.log10(max(float((error**2).mean()), 1e-10))
        rows.append(
            {"file": path.name}
            | _against(seen, was, "target")
            | {"happier": round(seen.happy - was.happy, 4), "psnr": round(signal, 2)}
        )
        units += [
            (f"before/{path.name}", was.units),
            (f"after/{path.name}", seen.units),
        ]
    return Evaluation(rows, units)


def existing(folder: Path) -> Path:
    """Return the folder if there is one."""
    if not folder.is_dir():
        raise SettingsError(f"There is no folder '{folder}'; check the name.")
    return folder


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
        wanted = "source", "target", "source_face", "target_face", "outputs", "model"
        if missing := [key for key in (*wanted, "method") if key not in record]:
            raise ValueError(f"it lacks {missing[0]}")
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"'{path}' is no list of transfers ({error}). Make it anew: retouch"
            " transfer --range"
        ) from None
    return record


def _against(seen: Seen, other: Seen, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        f"identity_{name}": round(seen.distance(other), 4),
        f"agreement_{name}": round(seen.agreement(other), 4),
        f"turned_{name}": round(seen.turned(other), 2),
        f"sharpness_{name}": round(seen.sharpness / (other.sharpness + 1e-6), 3),
    }
    if (far := seen.facenet_distance(other)) is not None:
        row[f"facenet_{name}"] = round(far, 4)
    return row


# --- tables -------------------------------------------------------------------


def table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as a CSV; its columns are all that any row has."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def unit_table(found: Evaluation) -> bytes:
    """Return the action units as OpenFace names and rounds them."""
    rows = [
        {"filename": name} | {f"{k}_r": f"{v:.2f}" for k, v in units.items()}
        for name, units in found.units
    ]
    return table(rows)


def summary(found: Evaluation) -> dict[str, Any]:
    """Return the means of all numbers; of transfers also those at each alpha."""
    whole: dict[str, Any] = {"outputs": len(found.rows), "mean": _means(found.rows)}
    if values := sorted({row["alpha"] for row in found.rows if "alpha" in row}):
        whole["alphas"] = [
            {"alpha": v} | _means([row for row in found.rows if row["alpha"] == v])
            for v in values
        ]
    return whole


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    names = [k for k, v in rows[0].items() if isinstance(v, float) and k != "alpha"]
    return {k: round(float(np.mean([row[k] for row in rows])), 4) for k in names}
