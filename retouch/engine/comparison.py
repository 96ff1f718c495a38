"""Before beside after: the whole photo, and beneath it each face enlarged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.engine.report import FaceReport
from retouch.faces.crop import cut
from retouch.geometry import Similarity
from retouch.photos.levels import eight_bit
from retouch.photos.photo import Photo

Pixels = NDArray[Any]  # uint8 or uint16
GAP = 8  # pixels of white between pictures
AROUND = 1.7  # of a face's box, so that hair and chin are seen, too
LEAST, MOST = 480, 1024  # pixels across the enlarged faces of one half
CELL = 384  # pixels a side of a face on a sheet of strengths
HEADING = 40  # pixels above it, for its label


def compared(before: Photo, after: Photo, faces: Sequence[FaceReport]) -> Photo:
    """Return one photo that shows both, with the second's metadata.

    Beneath each stand the faces that were worked on, in the same order.
    """
    shown = _worked_on(faces)
    halves = [_half(photo.on_white, shown) for photo in (before, after)]
    gap = _white(halves[0], halves[0].shape[0], GAP)
    pixels = np.concatenate([halves[0], gap, halves[1]], 1)
    return replace(after, pixels=pixels, alpha=None, original=None)


def graded(steps: Sequence[tuple[str, Photo]], faces: Sequence[FaceReport]) -> Photo:
    """Return a sheet: a column for each labelled photo, a row for each face.

    Photos in which no face was worked on are shown whole.
    """
    shown = _worked_on(faces)
    columns = [_column(label, photo, shown) for label, photo in steps]
    gap = _white(columns[0], columns[0].shape[0], GAP)
    parts = [part for column in columns for part in (column, gap)][:-1]
    return Photo(np.concatenate(parts, 1), format=steps[0][1].format)


def _worked_on(faces: Sequence[FaceReport]) -> list[FaceReport]:
    return [face for face in faces if face.share or not face.note]


def _half(pixels: Pixels, faces: Sequence[FaceReport]) -> Pixels:
    if not faces:
        return pixels
    width = max(pixels.shape[1], LEAST)
    columns = int(np.ceil(np.sqrt(len(faces))))
    side = (min(width, MOST) - GAP * (columns - 1)) // columns
    cells = [_enlarged(pixels, face, side) for face in faces]
    parts = [_row([pixels], width)]
    for i in range(0, len(cells), columns):
        row = _row(cells[i : i + columns], width)
        parts += [_white(pixels, GAP, width), row]
    return np.concatenate(parts)


def _row(cells: list[Pixels], width: int) -> Pixels:
    """Return pictures beside each other, with white up to the width."""
    gap = _white(cells[0], cells[0].shape[0], GAP)
    parts = [part for cell in cells for part in (cell, gap)][:-1]
    rest = width - sum(part.shape[1] for part in parts)
    return np.concatenate([*parts, _white(gap, gap.shape[0], rest)], 1)


def _column(label: str, photo: Photo, faces: Sequence[FaceReport]) -> Pixels:
    pixels = eight_bit(photo.on_white)
    parts = [_enlarged(pixels, face, CELL) for face in faces] or [pixels]
    heading = Image.fromarray(_white(parts[0], HEADING, parts[0].shape[1]))
    pen = ImageDraw.Draw(heading)
    pen.text((GAP, GAP), label, "black", font_size=HEADING - 2 * GAP)
    return np.concatenate([np.asarray(heading), *parts])


def _white(like: Pixels, height: int, width: int) -> Pixels:
    most = np.iinfo(like.dtype).max
    return np.full((height, width, like.shape[2]), most, like.dtype)


def _enlarged(pixels: Pixels, face: FaceReport, side: int) -> Pixels:
    """Return the square around a face, `side` pixels wide, moved into the photo."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = face.box
    reach = min(AROUND * max(right - left, bottom - top), height, width) / 2
    x = np.clip((left + right) / 2, reach, width - reach)
    y = np.clip((top + bottom) / 2, reach, height - reach)
    corner = reach - float(x), reach - float(y)
    place = Similarity.scaling(side / (2 * reach)) @ Similarity.shifting(*corner)
    picture = cut(pixels, place, side)
    return np.rint(picture.clip(0, np.iinfo(pixels.dtype).max)).astype(pixels.dtype)
