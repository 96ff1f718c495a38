"""Retouching faces of a photograph: what each wish adds, laid in at full size.

Every wish is worked out at full strength, one after the other, and what each adds is
kept apart: the result is the photograph plus their sum, each times its strength. So it
is linear in every strength, exact at 0, and no pixel outside an area changes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels, Window, uncut, window_of
from retouch.faces.parse import parser
from retouch.geometry import Face
from retouch.photos.lab import to_lab, to_rgb
from retouch.photos.levels import differing
from retouch.photos.photo import Photo
from retouch.settings import Skin
from retouch.skin import features, heal, tone
from retouch.skin.canvas import Canvas
from retouch.smoothing import ramp

FINER = 0.75  # of the photo's scale: below, the photo shows what the canvas does not
LEAST = 0.2  # levels of 255: what changes a canvas less is left out
HEALED = (3.0, 12.0)  # levels by which healing changes a blemish's core


@dataclass(frozen=True, eq=False)
class Change:
    """What retouching adds to a canvas, and where a blemish's finest detail goes."""

    added: Pixels  # (S, S, 3), levels of 255
    healed: Pixels  # (S, S) in [0, 1]


def retouched(
    photo: Photo, faces: Iterable[Face], wishes: Skin, strength: float = 1.0
) -> tuple[Photo, list[float]]:
    """Return the photo with the skin of faces retouched.

    Beside it stands which share of the photo's pixels each face's retouching touched.
    """
    if not strength or wishes.is_nothing:
        return photo, [0.0 for _ in faces]
    shares = []
    for face in faces:
        before = photo
        photo = photo.with_pixels(_one(photo.pixels, face, wishes, strength))
        shares.append(float(differing(photo.pixels, before.pixels).mean()))
    return photo, shares


def _one(
    pixels: NDArray[Any], face: Face, wishes: Skin, strength: float
) -> NDArray[Any]:
    parts = parser().parts(pixels, face)
    canvas = Canvas.of(pixels, face, parts) if parts.sure else None
    if canvas is None:
        return pixels
    change = worked_out(canvas, wishes)
    window = window_of(canvas.transform, canvas.side, pixels.shape)
    added = uncut(change.added, canvas.transform, window, linear=True)
    if canvas.transform.scale < FINER and change.healed.any():
        added += _finest(pixels, canvas, change.healed, window)
    return _laid_in(pixels, np.float32(strength) * added, window)


def worked_out(canvas: Canvas, wishes: Skin) -> Change:
    """Return what the wishes add to the canvas."""
    part = wishes.filled()
    healed = heal.healed(canvas) if part["blemishes"] else canvas.image
    before, total = canvas.image, np.zeros_like(canvas.image)
    for strength, after in _steps(canvas, healed, part, wishes.keep_marks):
        total += np.float32(strength) * (after - before)
        before = after
    total[np.abs(total).max(-1) < LEAST] = 0
    core = ramp(np.abs(healed - canvas.image).max(-1), *HEALED)
    return Change(total, np.float32(part["blemishes"]) * core)


def _steps(
    canvas: Canvas, image: Pixels, part: dict[str, float], keep_marks: bool
) -> Iterator[tuple[float, Pixels]]:
    """Yield a wish's strength and the picture after it, one wish after the other.

    Args:
        image: healed already.
        part: how much of each is wished.
    """
    yield part["blemishes"], image
    stays = heal.marks(canvas, to_lab(image))
    if not keep_marks:
        image = heal.unmarked(canvas, image, stays)
        yield 1.0, image
        stays = np.zeros_like(stays)
    for strength, work in (
        (part["even"], partial(tone.evened, stays=stays)),
        (part["shine"], tone.dulled),
        (part["circles"], tone.lightened),
        (1 - part["texture"], tone.softened),
        (part["whiten_teeth"], features.whitened),
        (part["brighten_eyes"], features.brightened),
    ):
        if strength:
            lab = to_lab(image)
            image = image + to_rgb(work(canvas, lab)) - to_rgb(lab)
            yield strength, image
    if part["red_eye"]:
        yield part["red_eye"], features.unreddened(canvas, image)


# --- at the photograph's own size ---------------------------------------------


def _finest(
    pixels: NDArray[Any], canvas: Canvas, healed: Pixels, window: Window
) -> Pixels:
    """Return what turns a blemish's finest detail into that of skin beside it."""
    scale = np.float32(255 / np.iinfo(pixels.dtype).max)
    own = pixels[window.slices].astype(np.float32) * scale
    coarse = uncut(canvas.image, canvas.transform, window, linear=True)
    fine = own - coarse
    where = uncut(healed[..., None], canvas.transform, window, linear=True)[..., 0]
    skin = uncut(canvas.skin[..., None], canvas.transform, window, linear=True)[..., 0]
    return heal.grown(fine, where, skin) - where[..., None] * fine


def _laid_in(pixels: NDArray[Any], added: Pixels, window: Window) -> NDArray[Any]:
    top = np.iinfo(pixels.dtype).max
    result = pixels.copy()
    mixed = pixels[window.slices] + added * np.float32(top / 255)
    result[window.slices] = np.rint(mixed).clip(0, top).astype(pixels.dtype)
    return result
