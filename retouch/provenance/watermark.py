"""A mark that nobody sees: noise that is known, spread over a face, and looked for.

Spread spectrum (Cox and others 1997) in the crop of the face, so that the mark turns
and scales with it. What is looked for is one pattern, the same in all pictures: it
tells that retouch changed the face and nothing else, and whoever knows this file can
take it out again. It is no proof; a signed manifest is.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from retouch.faces.crop import Pixels, cut, uncut, window_of
from retouch.geometry import TIGHT, Face, Similarity
from retouch.stitching import mask

SIDE = 192  # pixels of the crop
LOW, HIGH = 12, 48  # cycles a crop: coarser the face is too strong, finer JPEG
LEVELS = 1.37  # of 255, root mean square where the mark lies: 45 dB and more
SEED = 20_261_202
FAINT = 1e-3  # of the mask
# How the crop is moved when the mark is looked for: landmarks are never quite the same.
SCALES = np.arange(-2, 3) * 0.02
TURNS = np.arange(-2, 3) * 2.0  # degrees
SHIFT = 8  # crop pixels
PRESENT = 11.0  # a likeness that one of 114,800 looks had by chance
DARKEST = 0.008  # of the lightest: detail fainter than that is not made stronger
CYCLES = np.arange(-HIGH, HIGH + 1)
PLACES = np.ix_(CYCLES, CYCLES)  # of the band in a spectrum
BAND = np.abs(np.hypot(CYCLES[:, None], CYCLES) - (LOW + HIGH) / 2) <= (HIGH - LOW) / 2
WAVES = np.exp(2j * np.pi * np.outer(np.arange(-SHIFT, SHIFT + 1), CYCLES) / SIDE)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def place(face: Face) -> Similarity:
    """Return where a face lies in the crop that is marked."""
    return face.transform(TIGHT, SIDE)


def add(
    pixels: NDArray[Any],
    face: Face,
    regions: Iterable[str] = ("face",),
    visible: Pixels | None = None,
) -> NDArray[Any]:
    """Return the photo (H, W, 3), 8 or 16 bit, with the mark on a face.

    Args:
        visible: what nothing hides of the crop, (SIDE, SIDE) in [0, 1].
    """
    to_crop = place(face)
    room = mask.draw(face, to_crop, SIDE, pixels.shape, regions, visible)
    if not room.any():
        return pixels
    window = window_of(to_crop, SIDE, pixels.shape)
    planes = np.stack([pattern(SEED) * room, room], -1)
    laid = uncut(planes, to_crop, window, linear=True)
    inside = laid[..., 1] > FAINT
    noise = np.where(inside, laid[..., 0], 0)
    top = np.iinfo(pixels.dtype).max
    noise *= LEVELS * top / 255 / max(np.sqrt((noise[inside] ** 2).mean()), 1e-6)
    result = pixels.copy()
    marked = np.rint(pixels[window.slices] + noise[..., None]).clip(0, top)
    result[window.slices] = np.where(inside[..., None], marked, pixels[window.slices])
    return result


def likeness(pixels: NDArray[Any], face: Face) -> float:
    """Return how much a face looks marked; `PRESENT` or more is no chance."""
    return float(likeness_to(template(SEED), spectra(pixels, face)))


def template(seed: int) -> NDArray[Any]:
    """Return what a pattern's spectrum is compared with, (97, 97)."""
    return np.conj(_spectrum(pattern(seed)))


def likeness_to(
    templates: NDArray[Any], found: Iterable[NDArray[Any]]
) -> NDArray[np.floating[Any]]:
    """Return how much spectra look as if they had each pattern in them, (...).

    It is the highest correlation near the middle, in deviations of all.

    Args:
        templates: of one pattern or of many, (..., 97, 97).
    """
    return np.max([_peaks(spectrum * templates) for spectrum in found], axis=0)


def spectra(pixels: NDArray[Any], face: Face) -> Iterator[NDArray[Any]]:
    """Yield the phases of the face's crop, moved as landmarks may have been."""
    to_crop, middle = place(face), Similarity.shifting(SIDE / 2, SIDE / 2)
    for scale in SCALES:
        for turn in TURNS:
            move = Similarity.scaling(1 + scale) @ Similarity.turning(turn)
            moved = middle @ move @ middle.inverse @ to_crop
            crop = cut(pixels, moved, SIDE, linear=True)
            spectrum = _spectrum(_flattened(crop @ LUMA))
            yield spectrum / (np.abs(spectrum) + 1e-6)


def pattern(seed: int) -> Pixels:
    """Return noise of the band, (SIDE, SIDE), with a deviation of 1."""
    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    spectrum = np.zeros((SIDE, SIDE), complex)
    spectrum[PLACES] = np.fft.fft2(noise)[PLACES] * BAND
    found = np.fft.ifft2(spectrum).real
    return (found / found.std()).astype(np.float32)


def _spectrum(plane: Pixels) -> NDArray[Any]:
    """Return what a plane has of the band, (97, 97); its middle counts the most."""
    fade = np.hanning(SIDE)
    return np.asarray(np.fft.fft2(plane * np.outer(fade, fade))[PLACES] * BAND)


def _flattened(plane: Pixels) -> Pixels:
    """Return a plane without its coarse shape, everywhere as strong."""
    fine = plane - gaussian_filter(plane, SIDE / LOW / 2.5)
    power = gaussian_filter(fine * fine, SIDE / LOW / 1.5)
    least = DARKEST * max(float(plane.max()), 1.0)
    return fine / np.sqrt(power + least**2)


def _peaks(products: NDArray[Any]) -> NDArray[np.floating[Any]]:
    near = (WAVES @ products @ WAVES.T).real.max((-2, -1))
    return np.asarray(near / np.sqrt((np.abs(products) ** 2).sum((-2, -1)) + 1e-12))
