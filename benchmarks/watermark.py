"""How surely the hidden mark is found again, and how seldom where there is none.

    python -m benchmarks.watermark ../shared/faces/parsing --photos 100 --patterns 1000

Each photo's largest face is marked. It is looked for as it is, as JPEG of quality 75,
and as such of half the size. False alarms are counted with patterns that no picture
carries, and their tail is drawn on by Gumbel's law, which maxima follow.
"""

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import gumbel_r

from retouch.faces.detect import Detector
from retouch.photos.photo import read
from retouch.provenance import watermark

QUALITY = 75
TOGETHER = 50  # patterns that are looked for at once
STATES = ("as it is", "JPEG", "JPEG, half")


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--patterns", type=int, default=1000)
    words = parser.parse_args()
    detector, found, chance, noise = Detector(), [], [], []
    others = strangers(words.patterns)
    for pixels in photos(words.folder, words.photos):
        faces = detector.find(pixels)
        if not faces:
            continue
        marked = watermark.add(pixels, faces[0])
        found.append([faces[0].size, *seen_again(detector, marked)])
        noise.append(decibels(pixels, marked))
        spectra = list(watermark.spectra(pixels, faces[0]))
        chance += [watermark.likeness_to(part, spectra) for part in others]
    tell(np.array(found), np.concatenate(chance), np.array(noise))


def strangers(count: int) -> list[NDArray]:
    """Return the templates of so many patterns that no picture carries, in parts."""
    known = np.stack([watermark.template(seed) for seed in range(1, count + 1)])
    return np.array_split(known, max(count // TOGETHER, 1))


def photos(folder: Path, count: int) -> Iterator[NDArray]:
    """Yield the pixels of so many photos, spread over the folder."""
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".webp", ".jpg"))
    for place in np.linspace(0, len(paths) - 1, min(count, len(paths))):
        yield read(paths[int(place)]).pixels


def seen_again(detector: Detector, pixels: NDArray) -> list[float]:
    """Return the likeness in the photo, in its JPEG, and in that of half the size."""
    whole = Image.fromarray(pixels)
    half = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.LANCZOS)
    found = []
    for image in (pixels, jpeg(whole), jpeg(half)):
        faces = detector.find(image)
        found.append(max((watermark.likeness(image, f) for f in faces), default=0.0))
    return found


def jpeg(image: Image.Image) -> NDArray:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(file).convert("RGB"))


def decibels(before: NDArray, after: NDArray) -> float:
    """Return the ratio to white, where pixels of the mark's window changed."""
    differs = (before != after).any(-1)
    rows, columns = (np.flatnonzero(differs.any(axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    gap = after[box].astype(float) - before[box]
    return float(10 * np.log10(255**2 / (gap**2).mean()))


def tell(found: NDArray, chance: NDArray, noise: NDArray) -> None:
    least = watermark.PRESENT
    print(f"{len(found)} faces of {found[:, 0].min():.0f} px or more")
    for name, column in zip(STATES, found.T[1:], strict=True):
        share = (column >= least).mean()
        print(f"{name}: {share:.0%} found; median {np.median(column):.1f}", end="")
        print(f", 5 % below {np.percentile(column, 5):.1f}, least {column.min():.1f}")
    place, scale = gumbel_r.fit(chance)
    beyond = gumbel_r.sf(least, place, scale)
    print(f"false alarms: {(chance >= least).sum()} of {len(chance)};", end=" ")
    print(f"highest {chance.max():.2f}, by Gumbel's law {beyond:.1e} at {least}")
    print(f"noise: {noise.min():.1f} dB in the box of the face at worst")


if __name__ == "__main__":
    main()
