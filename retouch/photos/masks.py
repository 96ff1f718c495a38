"""Painted masks: pictures that say where a photo may change."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.errors import PhotoError
from retouch.photos.photo import Photo, Source, read

Floats = NDArray[np.float32]
MASKS = ("protect", "only")  # what they are called: white stays, white may change
ASKEW = 0.02  # by how much a mask's proportions may differ from the photo's


def held(photo: Photo, protect: Source | None, only: Source | None) -> Photo:
    """Return the photo as one that changes only where masks let it.

    Args:
        protect: a picture, white where the photo stays as it is.
        only: a picture, white where it may change.
    """
    if protect is None and only is None:
        return photo
    free = np.ones(photo.pixels.shape[:2], np.float32)
    if only is not None:
        free *= painted(only, photo.pixels.shape)
    if protect is not None:
        free *= 1 - painted(protect, photo.pixels.shape)
    return replace(photo, free=free)


def painted(mask: Source, shape: tuple[int, ...]) -> Floats:
    """Return how white a mask is, (H, W) in [0, 1], at the size of a photo."""
    pixels = read(mask).pixels
    top = np.float32(np.iinfo(pixels.dtype).max)
    grey = Image.fromarray(pixels.max(-1).astype(np.float32) / top)
    height, width = shape[:2]
    if abs(np.log(grey.width / grey.height * height / width)) > ASKEW:
        raise PhotoError(
            f"The mask has {grey.width} x {grey.height} pixels, the photo {width} x"
            f" {height}. Paint it on a copy of the photo."
        )
    fitted = grey.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(fitted, np.float32).clip(0, 1)
