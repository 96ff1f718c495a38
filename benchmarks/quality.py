"""How well the default model reproduces faces that it never saw.

    python -m benchmarks.quality FOLDER_OF_PORTRAITS [--steps 100] [--sheet out.png]

Prints a table and writes it, with the commit, to benchmarks/results/quality.json.
Everything is measured on tight crops, inside the face mask; descriptors are
dlib's own, taken at the original's landmarks. The sheet has a column a face and, for
pictures and copies in turn, rows of faces, of eyes and mouths enlarged, and both once
more of the faces whose skin is darkest.
"""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter

from retouch.faces.detect import Detector
from retouch.faces.face_crop import FaceCrop
from retouch.faces.identity import apart, descriptors
from retouch.geometry import TIGHT
from retouch.models import Model
from retouch.photos.photo import read
from retouch.stitching import mask
from retouch.training.closeups import close_ups, region, tones
from retouch.training.loop import sheet as write_sheet

Floats = NDArray[np.float32]
RESULTS = Path(__file__).parent / "results"
COLUMNS = 12  # faces on a sheet


@dataclass(frozen=True, eq=False)
class Portraits:
    """Crops of faces, their masks and landmarks."""

    images: Floats  # (N, R, R, 3) in [-1, 1]
    masks: Floats  # (N, R, R, 1)
    landmarks: Floats  # (N, 68, 2)

    @classmethod
    def read(cls, folder: Path, size: int) -> "Portraits":
        """Cut the largest face out of every picture of the folder."""
        detector, rows = Detector(), []
        for path in sorted(p for p in folder.iterdir() if p.is_file()):
            pixels = read(path).pixels
            faces = detector.find(pixels)
            if not faces:
                continue
            seen = FaceCrop.of(pixels, faces[0], TIGHT, size)
            area = mask.draw(faces[0], seen.transform, size, pixels.shape)
            rows.append((seen.image, area[..., None], seen.landmarks))
        return cls(*(np.stack(x).astype(np.float32) for x in zip(*rows, strict=True)))

    def darkest(self) -> NDArray[np.int64]:
        """Return the order of the faces from the darkest skin to the lightest."""
        return np.argsort(-tones([self.images], self.landmarks, TIGHT.name))


def signal_to_noise(images: Floats, copies: Floats, masks: Floats) -> Floats:
    """Return the peak signal-to-noise ratio inside the masks in decibels, (N,)."""
    square = (masks * (images - copies) ** 2).mean(-1).sum((1, 2))
    return 10 * np.log10(4 / (square / masks[..., 0].sum((1, 2))))


def structure(images: Floats, copies: Floats, masks: Floats) -> Floats:
    """Return MS-SSIM (Wang et al., 2003) of luminance inside the masks, (N,)."""
    powers = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    x, y, area = images.mean(-1) / 2, copies.mean(-1) / 2, masks[..., 0]
    total = np.ones(len(x))
    for level, power in enumerate(powers):
        light, contrast = _similarity(x, y)
        part = light * contrast if level == len(powers) - 1 else contrast
        part = (part * area).sum((1, 2)) / area.sum((1, 2))
        total *= np.maximum(part, 0) ** power
        x, y, area = (_halved(a) for a in (x, y, area))
    return total


def _similarity(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    def mean(a):
        return gaussian_filter(a, (0, 1.5, 1.5), truncate=3.5)

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    light = (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
    return light, (2 * both + 9e-4) / (vx + vy + 9e-4)


def _halved(images: Floats) -> Floats:
    n, h, w = images.shape
    return images.reshape(n, h // 2, 2, w // 2, 2).mean((2, 4))


def detail(images: Floats, masks: Floats, width: float) -> Floats:
    """Return the deviation of what is finer than a blur of that width, (N,)."""
    fine = images - gaussian_filter(images, (0, width, width, 0))
    area = masks[..., 0].sum((1, 2))
    return np.sqrt((masks * fine**2).mean(-1).sum((1, 2)) / area)


def measure(portraits: Portraits, copies: Floats) -> dict:
    """Return every figure of a reconstruction."""
    images, masks, marks = portraits.images, portraits.masks, portraits.landmarks
    seen = masks * copies + (1 - masks) * images
    own = descriptors(images, marks)
    gap = apart(descriptors(copies, marks), own)
    inside = apart(descriptors(seen, marks), own)
    return {
        "PSNR in the face, dB": float(signal_to_noise(images, copies, masks).mean()),
        **_by_part(portraits, copies),
        "MS-SSIM in the face": float(structure(images, copies, masks).mean()),
        "descriptor distance": float(gap.mean()),
        "descriptor distance, 90th percentile": float(np.quantile(gap, 0.9)),
        "descriptor distance, face alone exchanged": float(inside.mean()),
        **{
            f"detail kept, finer than {width} px": float(
                (detail(copies, masks, width) / detail(images, masks, width)).mean()
            )
            for width in (1.0, 2.0)
        },
    }


def _by_part(portraits: Portraits, copies: Floats) -> dict[str, float]:
    """Return the signal-to-noise ratio where copies are hardest."""
    parts = {}
    for name in ("mouth", "eyes", "skin"):
        area = portraits.masks * region(portraits.images, portraits.landmarks, name)
        parts[name] = signal_to_noise(portraits.images, copies, area)
    rows = {f"PSNR in the {name}, dB": float(x.mean()) for name, x in parts.items()}
    dark = portraits.darkest()[: max(1, len(copies) // 3)]
    rows["PSNR in the skin, darkest third, dB"] = float(parts["skin"][dark].mean())
    return rows


def main(
    folder: Path,
    steps: int = 100,
    model: str = "default",
    sheet: Path | None = None,
) -> None:
    """Measure a model on a folder of portraits."""
    network = Model.load(model)
    portraits = Portraits.read(folder, network.generator.resolution)
    columns = {}
    pictures = [portraits.images]
    for count in (0, steps):
        start = time.perf_counter()
        found = network.inverter.invert(portraits.images, portraits.masks, steps=count)
        copies = network.decode(found.latents)
        seconds = (time.perf_counter() - start) / len(copies)
        figures = measure(portraits, copies)
        figures["seconds a face, with compiling"] = seconds
        columns["encoder" if count == 0 else f"{count} steps"] = figures
        pictures.append(copies)
    if sheet is not None:
        _write_sheet(portraits, pictures, sheet)
    _show(columns, len(portraits.images))
    _keep(columns, model, len(portraits.images))


def _write_sheet(portraits: Portraits, pictures: list[Floats], path: Path) -> None:
    rows: list[Floats] = []
    for shown in (slice(COLUMNS), portraits.darkest()[:COLUMNS]):
        marks = portraits.landmarks[shown]
        rows += [p[shown] for p in pictures]
        rows += [close_ups(p[shown], marks) for p in pictures]
    write_sheet(np.concatenate(rows), len(rows[0]), path)


def _show(columns: dict[str, dict[str, float]], count: int) -> None:
    table = Table("figure", *columns, title=f"{count} portraits")
    for name in next(iter(columns.values())):
        table.add_row(name, *(f"{figures[name]:.3f}" for figures in columns.values()))
    Console().print(table)


def commit() -> str:
    """Return the commit that is measured."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _keep(columns: dict[str, dict[str, float]], model: str, count: int) -> None:
    record = {"commit": commit(), "model": model, "portraits": count}
    record["figures"] = columns
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "quality.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
