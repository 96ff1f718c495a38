"""How fast and how steady the camera's loop is, over clips that stand in for one.

    python -m benchmarks.live FOLDER_OF_CLIPS [--effect mask] [--frames 60]

Every clip is enlarged or shrunk to 640x480 beforehand. Frames a second are those of
the whole loop, by the clock, and by the processor's time on two cores: the second
figure is what idle cores would give. Flicker is the difference between neighbouring
frames inside the face after the effect, against the same of the frames as they came.
At rest, where the face moves less than two thousandths of its size, it tells of
trembling; where a face moves it tells of edges, for a move costs as much as there are
edges, and a painted face has more than one that the camera blurs: `edges` is how many.
A portrait with a camera's noise stands for a face that does not move. The distances
between frames of one masked person stand beside those of the driver's own face.
"""

import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import skimage.data
import typer
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter

from retouch.faces.crop import cut
from retouch.faces.detect import Detector
from retouch.faces.identity import apart
from retouch.geometry import TIGHT, Similarity
from retouch.photos.film import Film
from retouch.video.live import Live, Picture
from retouch.video.mask_effect import MaskEffect
from retouch.video.track import Tracker, describe

RESULTS = Path(__file__).parent / "results" / "live.json"
SIZE = 640, 480
CORES = 2
WARM = 3  # frames before the clock starts: the first compiles
APART = 0.35  # of descriptors, at most, between frames of one masked person
REST = 0.002  # of its size: a face that moves less from frame to frame is at rest
LEAST = 0.2  # of 255: pairs of frames that differ less are one frame shown twice
FEWEST = 4  # pairs at rest that tell something


def main(
    clips: Annotated[Path, typer.Argument(help="Folder of clips.")],
    frames: int = 60,
) -> None:
    """Measure the mask over all clips and write the figures."""
    detector = Detector()
    rows = [run(path, frames, detector) for path in sorted(clips.iterdir())]
    rows.append(run(None, frames, detector))
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(width=180).print(table)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    record = {"load": round(os.getloadavg()[0], 1), "clips": rows}
    RESULTS.write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def run(path: Path | None, count: int, detector: Detector) -> dict:
    """Return the figures of one clip, or of a portrait that stands still."""
    shown = read(path, count + WARM) if path else still(count + WARM)
    live = Live(Tracker(detector), MaskEffect.load(7))
    for moment, pixels in shown[:WARM]:
        live.show(pixels, moment)
    clock, used = time.perf_counter(), time.process_time()
    pictures = [live.show(pixels, moment) for moment, pixels in shown[WARM:]]
    clock, used = time.perf_counter() - clock, time.process_time() - used
    number = len(pictures)
    parts = {
        name: 1000 * np.mean([p.seconds.get(name, 0) for p in pictures])
        for name in ("tracking", "mask")
    }
    return {
        "clip": path.name if path else "(portrait with noise)",
        "frames": number,
        "with a face": sum(bool(p.faces) for p in pictures),
        "fps": round(number / clock, 1),
        "fps, two idle cores": round(number / (used / CORES), 1),
        "fps, one": round(number / used, 1),
        **{f"{name} ms": round(float(ms), 1) for name, ms in parts.items()},
        **flicker(pictures),
        "same person": sameness(pictures, detector, masked=True),
        "driver": sameness(pictures, detector, masked=False),
    }


def read(path: Path, count: int) -> list[tuple[float, NDArray[np.uint8]]]:
    """Return the first frames of a clip at 640x480 with their times."""
    shown = []
    with Film(path) as film:
        for frame in film.frames():
            image = Image.fromarray(frame.pixels).resize(SIZE, Image.Resampling.BICUBIC)
            shown.append((frame.moment, np.asarray(image)))
            if len(shown) == count:
                break
    return shown


def still(count: int) -> list[tuple[float, NDArray[np.uint8]]]:
    """Return a portrait that does not move, with the noise of a camera."""
    portrait = skimage.data.astronaut()[:480, :].astype(np.float32)
    portrait = np.pad(portrait, ((0, 0), (64, 64), (0, 0)), "edge")
    rng = np.random.default_rng(0)
    noisy = (portrait + rng.normal(0, 3, portrait.shape) for _ in range(count))
    return [
        (i / 30, n.clip(0, 255).round().astype(np.uint8)) for i, n in enumerate(noisy)
    ]


def flicker(pictures: list[Picture]) -> dict[str, float | int | None]:
    """Return how much more a face changes from frame to frame than it did."""
    ratios, still, edges = [], [], []
    for one, other in pairwise(pictures):
        if not (one.faces and other.faces):
            continue
        place = one.faces[0].transform(TIGHT, 64)
        old, older = (_inside(p.before, place) for p in (other, one))
        new, newer = (_inside(p.after, place) for p in (other, one))
        gap = float(np.abs(old - older).mean())
        if gap < LEAST:
            continue  # the clip shows one frame twice
        ratios.append(float(np.abs(new - newer).mean()) / gap)
        still.append(moved(older, old) < 64 * REST)
        edges.append(_edges(newer) / _edges(older))
    if not ratios:
        return {"flicker": None, "at rest": None, "pairs": 0, "edges": None}
    rest = np.array(ratios)[still]
    return {
        "flicker": round(float(np.median(ratios)), 2),
        "at rest": round(float(np.median(rest)), 2) if len(rest) >= FEWEST else None,
        "pairs": len(rest),
        "edges": round(float(np.median(edges)), 2),
    }


def moved(before: NDArray, after: NDArray) -> float:
    """Return by how many pixels a picture has moved (Lucas and Kanade, 1981)."""
    grey = [gaussian_filter(picture.mean(-1), 1.5) for picture in (before, after)]
    down, across = np.gradient((grey[0] + grey[1]) / 2)
    slopes = np.stack([across.ravel(), down.ravel(), np.ones(across.size)], 1)
    shift = np.linalg.lstsq(slopes, (grey[0] - grey[1]).ravel(), rcond=None)[0]
    return float(np.hypot(*shift[:2]))


def _edges(picture: NDArray) -> float:
    return float(np.hypot(*np.gradient(picture.mean(-1))).mean())


def _inside(pixels: NDArray, place: Similarity) -> NDArray:
    return cut(pixels, place, 64, linear=True)[18:58, 12:52]


def sameness(
    pictures: list[Picture], detector: Detector, *, masked: bool
) -> str | None:
    """Return how far apart frames of the first person lie, masked or as they came."""
    rows = []
    for picture in pictures[::5]:
        for track, face in zip(picture.tracks, picture.faces, strict=True):
            if track.number == 0 and abs(face.yaw) < 30:
                shown = picture.after if masked else picture.before
                rows.append(describe(shown, detector.again(shown, face)))
    if len(rows) < 3:
        return None
    gaps = [apart(a, b) for i, a in enumerate(rows) for b in rows[:i]]
    return f"{np.mean(gaps):.2f}, {np.mean(np.array(gaps) <= APART):.0%} <= {APART}"


if __name__ == "__main__":
    typer.run(main)
