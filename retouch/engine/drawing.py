"""What was found in a photo, drawn on a copy for people to look at."""

import numpy as np
from PIL import Image, ImageDraw

from retouch.faces.crop import uncut, window_of
from retouch.faces.parse import COLOURS, parser
from retouch.geometry import FFHQ, TIGHT, Face
from retouch.photos.levels import eight_bit
from retouch.photos.photo import Photo
from retouch.stitching import mask

MASK_SIZE = 256
SHOWN = 0.6  # of the colour of a part, over what the photo shows
RED, GREEN, BLUE, WHITE = (230, 60, 60), (60, 200, 90), (70, 130, 240), (255, 255, 255)


def annotated(photo: Photo, faces: list[Face], *, parts: bool = False) -> Photo:
    """Return a copy with each face's box, landmarks, crop frames and mask drawn.

    Args:
        parts: draw the parts found of each, instead of frames and masks.
    """
    pixels = np.array(eight_bit(photo.pixels))
    for face in faces:
        (_colour if parts else _tint)(pixels, face)
    if parts:
        return Photo(pixels, photo.alpha, photo.format)
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    for index, face in enumerate(faces):
        _draw(pen, index, face)
    return Photo(np.asarray(image), photo.alpha, photo.format)


def _tint(pixels: np.ndarray, face: Face) -> None:
    transform = face.transform(TIGHT, MASK_SIZE)
    area = mask.draw(face, transform, MASK_SIZE, pixels.shape)
    window = window_of(transform, MASK_SIZE, pixels.shape)
    share = 0.25 * uncut(area[..., None], transform, window, linear=True)
    part = pixels[window.slices]
    part[:] = np.rint(part + share * (np.array(GREEN) - part)).astype(np.uint8)


def _colour(pixels: np.ndarray, face: Face) -> None:
    """Lay the colours of a face's parts over it, but for what is background."""
    parts = parser().parts(pixels, face)
    window = window_of(parts.transform, len(parts.chances), pixels.shape)
    shown = parts.chances @ np.array(COLOURS, np.float32)
    whole = np.concatenate([shown, 1 - parts.chance("background")[..., None]], -1)
    laid = uncut(whole, parts.transform, window, linear=True)
    part, share = pixels[window.slices], SHOWN * laid[..., 3:].clip(0, 1)
    part[:] = np.rint(part + share * (laid[..., :3].clip(0, 255) - part))


def _draw(pen: ImageDraw.ImageDraw, index: int, face: Face) -> None:
    line = max(1, round(face.size / 150))
    pen.rectangle(face.box, outline=WHITE, width=line)
    for template, colour in ((TIGHT, RED), (FFHQ, BLUE)):
        square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
        corners = face.transform(template, 1).inverse(square)
        pen.line([tuple(p) for p in corners], fill=colour, width=line)
    for x, y in face.landmarks:
        pen.ellipse((x - line, y - line, x + line, y + line), fill=GREEN)
    left, top = face.box[:2]
    pen.text((left + 2 * line, top + line), str(index), WHITE, font_size=8 * line + 8)
