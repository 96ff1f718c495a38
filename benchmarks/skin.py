"""Whether blemishes go and marks stay, what becomes of texture, colour and the rest.

    python -m benchmarks.skin ../shared/faces [--count 40] [--seed 0] [--sheet FILE]

Crops of people held out are spotted by other painters than those that trainings use.
"""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.data import astronaut

from benchmarks.people import Crops, taught_nothing
from benchmarks.spots import KINDS, LASTING, PAINTERS, PASSING, pigment
from retouch.faces.detect import Detector
from retouch.faces.parse import parser
from retouch.geometry import Face
from retouch.photos.lab import to_lab
from retouch.photos.photo import Photo
from retouch.settings import Skin
from retouch.skin.canvas import Canvas
from retouch.skin.retouch import retouched

SPOTS = 5  # blemishes and as many marks on each face
SIZES = (0.0, 0.014, 0.02, 0.026, 1.0)  # radii, of the face's size
CONTRASTS = (0.0, 3.0, 6.0, 9.0, 100.0)  # of Lab
GONE, LEFT = 0.25, 0.8  # parts of a contrast, of either sign: healed below, kept above
TONES = (0.0, 45.0, 60.0, 101.0)  # L of skins: dark, middle, light
FINE = 1.2  # pixels: what is finer is texture
ROUNDS = 5


class Spot(NamedTuple):
    """A painted spot: where it is, and of which kind."""

    where: NDArray[np.bool_]
    kind: str

    @property
    def passes(self) -> bool:
        return self.kind in PASSING


class Outcome(NamedTuple):
    """What came of a spot."""

    kind: str
    size: float  # its radius, of the face's size
    contrast: float  # Lab by which it differs from the skin below
    left: float  # part of that which is left


class Trial(NamedTuple):
    """What came of one face."""

    tone: float  # L of its skin
    gone: list[Outcome]  # of the blemishes
    left: list[Outcome]  # of the marks
    healed: float  # texture on healed skin, to that beside it
    untouched: float  # texture elsewhere, to before
    moved: float  # the skin's mean Lab
    touched: float
    outside: int  # pixels changed beyond skin, eyes and teeth


def main(
    faces: Annotated[Path, typer.Argument()],
    count: int = 40,
    seed: int = 0,
    sheet: Path | None = None,
) -> None:
    """Print the tables."""
    trials, shown = [], []
    for number, (pixels, face) in enumerate(portraits(faces, count)):
        spotted, spots = painted(pixels, face, np.random.default_rng(seed + number))
        done, (touched,) = retouched(Photo(spotted), [face], Skin())
        after = done.pixels
        trials.append(tried(pixels, spotted, after, face, spots, touched))
        shown.append(np.concatenate([spotted, after, pixels], 1))
    if sheet is not None:
        rows = [
            np.concatenate(shown[i : i + 3], 1) for i in range(0, len(shown) - 2, 3)
        ]
        Image.fromarray(np.concatenate(rows)).save(sheet)
    tell(trials)
    clock()


def tell(trials: list[Trial]) -> None:
    """Print a line for each group of skin tones, one for all, and what spots made."""
    print(f"{'skin':8}{'faces':>6}{'healed':>8}{'kept':>6}{'texture':>9}", end="")
    print(f"{'elsewhere':>11}{'Lab':>6}{'touched':>9}{'outside':>9}")
    names = ("dark", "middle", "light")
    for name, low, high in zip(names, TONES, TONES[1:], strict=False):
        line(name, [t for t in trials if low <= t.tone < high])
    line("all", trials)
    spots = [spot for trial in trials for spot in (*trial.gone, *trial.left)]
    print(f"\n{'spots':20}{'number':>7}{'healed':>8}{'kept':>6}{'left':>7}")
    for kind in (*PASSING, *LASTING):
        group(kind, [s for s in spots if s.kind == kind])
    passing = [s for s in spots if s.kind in PASSING]
    for low, high in pairwise(SIZES):
        chosen = [s for s in passing if low <= s.size < high]
        group(f"radius from {low:.1%}", chosen)
    for low, high in pairwise(CONTRASTS):
        chosen = [s for s in passing if low <= s.contrast < high]
        group(f"contrast from {low:.0f}", chosen)


def group(name: str, spots: list[Outcome]) -> None:
    """Print how many spots of a group go and stay, and what is left of the middle."""
    if spots:
        left = np.array([s.left for s in spots])
        print(f"{name:20}{len(left):7}{(np.abs(left) < GONE).mean():8.0%}", end="")
        print(f"{(left > LEFT).mean():6.0%}{np.median(left):7.2f}")


def line(name: str, trials: list[Trial]) -> None:
    if not trials:
        return
    gone = np.array([s.left for t in trials for s in t.gone])
    left = np.array([s.left for t in trials for s in t.left])
    print(f"{name:8}{len(trials):6}{(np.abs(gone) < GONE).mean():8.0%}", end="")
    print(f"{(left > LEFT).mean():6.0%}", end="")
    print(f"{np.nanmedian([t.healed for t in trials]):9.0%}", end="")
    print(f"{np.median([t.untouched for t in trials]):11.1%}", end="")
    print(f"{np.max([t.moved for t in trials]):6.2f}", end="")
    print(f"{np.median([t.touched for t in trials]):9.1%}", end="")
    print(f"{sum(t.outside for t in trials):9}")


def clock() -> None:
    """Print how long a portrait of 12 megapixels takes."""
    head = Image.fromarray(astronaut()[:360, 50:530]).resize((4000, 3000))
    pixels = np.asarray(head)
    start, processor = time.perf_counter(), time.process_time()
    face = Detector().find(pixels)[0]
    found = time.process_time() - processor
    processor = time.process_time()
    retouched(Photo(pixels), [face], Skin())
    spent = time.process_time() - processor
    print(f"\n12 megapixels, a face of {face.size:.0f} px: seconds of the processor")
    print(f"finding {found:.2f}, retouching {spent:.2f}", end="")
    print(f"; by the clock {time.perf_counter() - start:.2f}")


# --- faces and spots ----------------------------------------------------------


def portraits(folder: Path, count: int) -> Iterator[tuple[NDArray, Face]]:
    """Yield crops of people held out, with their faces."""
    crops = Crops.read(folder / "crops" / "mebeauty.npz")
    held = [i for i, who in enumerate(crops.people) if taught_nothing("me", who)]
    for i in held[:count]:
        pixels = crops.photo(i).pixels
        box = (0.0, 0.0, *pixels.shape[1::-1])
        yield pixels, Face(crops.landmarks[i], box)


def painted(
    pixels: NDArray, face: Face, rng: np.random.Generator
) -> tuple[NDArray, list[Spot]]:
    """Return the photo with spots on bare skin, and where each of them is."""
    canvas = Canvas.of(pixels, face, parser().parts(pixels, face))
    light = (pixels / 255.0) ** 2.2
    if canvas is None:
        return pixels, []
    ys, xs = np.nonzero(ndimage.minimum_filter(canvas.skin, 9) > 0.9)
    spots, used = [], np.zeros(pixels.shape[:2], bool)
    for number in range(4 * SPOTS):
        if len(spots) == 2 * SPOTS or not len(ys):
            break
        kind = KINDS[number % len(KINDS)]
        pick = rng.integers(len(ys))
        place = canvas.transform.inverse((xs[pick] + 0.5, ys[pick] + 0.5))
        density, lit = PAINTERS[kind](pixels.shape[:2], *place, face.size, rng)
        where = density > 0.15 * density.max()
        if (
            not where.any()
            or (ndimage.binary_dilation(where, iterations=6) & used).any()
        ):
            continue
        used |= where
        light *= np.exp(-density[..., None] * pigment(kind)) * lit[..., None]
        spots.append(Spot(where, kind))
    return np.rint(255 * light.clip(0, 1) ** (1 / 2.2)).astype(np.uint8), spots


# --- what is measured ---------------------------------------------------------


def tried(
    clean: NDArray,
    spotted: NDArray,
    after: NDArray,
    face: Face,
    spots: list[Spot],
    touched: float,
) -> Trial:
    labs = [to_lab(p.astype(np.float32)) for p in (clean, spotted, after)]
    canvas = Canvas.of(clean, face, parser().parts(clean, face))
    assert canvas is not None
    skin = in_photo(canvas, canvas.skin, clean.shape)
    own = labs[0][skin > 0.9]
    healed = np.any([s.where for s in spots if s.passes] or [skin < 0], 0)
    marked = np.any([s.where for s in spots] or [skin < 0], 0)
    plain = (skin > 0.9) & ~ndimage.binary_dilation(marked, iterations=4)
    fine = [lab[..., 0] - ndimage.gaussian_filter(lab[..., 0], FINE) for lab in labs]
    ring = ndimage.binary_dilation(healed, iterations=8) & plain
    moved = np.abs((labs[2] - labs[1])[plain].mean(0)).max()
    return Trial(
        float(np.median(own[:, 0])) if len(own) else 0.0,
        [outcome(labs, s, face.size) for s in spots if s.passes],
        [outcome(labs, s, face.size) for s in spots if not s.passes],
        _energy(fine[2], healed) / _energy(fine[2], ring),
        _energy(fine[2], plain) / _energy(fine[1], plain),
        float(moved),
        touched,
        int(((after != spotted).any(-1) & (_allowed(spotted, face) == 0)).sum()),
    )


def outcome(labs: list[NDArray], spot: Spot, size: float) -> Outcome:
    """Return what is left of a spot: of its difference to the clean skin below.

    Where tone is evened all around, that is no part of the spot.
    """
    clean, spotted, after = labs
    where = spot.where
    ring = ndimage.binary_dilation(where, iterations=5)
    ring &= ~ndimage.binary_dilation(where, iterations=2)
    shift = (after - spotted)[ring].mean(0)
    was = (spotted - clean)[where].mean(0)
    now = (after - clean)[where].mean(0) - shift
    radius = np.sqrt(where.sum() / np.pi) / size
    left = now @ was / max(was @ was, 1e-6)
    return Outcome(spot.kind, radius, float(np.hypot.reduce(was)), float(left))


def _energy(fine: NDArray, where: NDArray[np.bool_]) -> float:
    return float(fine[where].std()) if where.sum() > 8 else float("nan")


def _allowed(pixels: NDArray, face: Face) -> NDArray:
    """Return where retouching may touch the photo at all."""
    canvas = Canvas.of(pixels, face, parser().parts(pixels, face))
    assert canvas is not None
    area = np.maximum.reduce(
        [canvas.skin, canvas.area("teeth"), canvas.area("white"), canvas.area("iris")]
    )
    return in_photo(canvas, ndimage.maximum_filter(area, 5), pixels.shape)


def in_photo(canvas: Canvas, area: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return what an area of a canvas is in its photo, (H, W)."""
    data, kind = tuple(canvas.transform.matrix.ravel()), Image.Transform.AFFINE
    image = Image.fromarray(np.ascontiguousarray(area))
    moved = image.transform(shape[1::-1], kind, data, Image.Resampling.BILINEAR)
    return np.asarray(moved)


if __name__ == "__main__":
    typer.run(main)
