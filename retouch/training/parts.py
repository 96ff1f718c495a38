"""What is known of a picture's parts: for each pixel, the set of what it may show.

A drawn mask says less than the network tells apart (a mouth, not lips and teeth), and
landmarks say less still. So a label is a set, as bits of an integer, and a network is
asked only that the pixel's part be in it.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull

from retouch.geometry import (
    INNER_LIPS,
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_INSIDE,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    TIGHT,
    UPPER_INSIDE,
)
from scorers.parsing import PARTS

Sets = NDArray[np.int32]  # (R, R), bit i is set where the part i may show
Points = NDArray[np.floating]

BIT = {name: 1 << i for i, name in enumerate(PARTS)}
ANYTHING = (1 << len(PARTS)) - 1
# What the hand-drawn masks call 0 to 5.
DRAWN = (
    ("background",),
    ("skin",),
    ("hair", "brows"),
    ("white", "iris"),
    ("nose",),
    ("lips", "teeth"),
)
CLOSED = 0.13  # an eye's height for its width, below which no iris is sought
ALOOF = 0.85  # face sizes from the nose, beyond which hair hardly reaches
IRIS = 0.195  # its radius for an eye's width


def bits(*names: str) -> int:
    """Return the set of these parts."""
    return sum(BIT[name] for name in names)


# --- of masks drawn by hand ---------------------------------------------------


def of_drawn(
    mask: NDArray[Any], landmarks: Points | None, image: NDArray[np.uint8]
) -> Sets:
    """Return the sets that a hand-drawn mask tells; landmarks tell brows from hair."""
    table = np.array([bits(*names) for names in DRAWN], np.int32)
    sets = table[mask]
    if landmarks is None:
        return sets
    size, hair = _size(landmarks), mask == 2
    near = _lines(mask.shape, _brows(landmarks), 0.16 * size)
    pieces, count = ndimage.label(hair)
    small = [i for i in range(1, count + 1) if _within(pieces == i, near)]
    brow = np.isin(pieces, small)
    sets[hair & ~near] = bits("hair")
    sets[brow] = bits("brows")
    for eye in (LEFT_EYE, RIGHT_EYE):
        _mark_iris(sets, image, landmarks[eye], mask == 3)
    _mark_mouth(sets, landmarks, mask == 5)
    return sets


def _within(piece: NDArray[np.bool_], area: NDArray[np.bool_]) -> bool:
    return bool((piece & area).sum() > 0.8 * piece.sum())


def _mark_mouth(sets: Sets, landmarks: Points, mouth: NDArray[np.bool_]) -> None:
    inner, size = landmarks[INNER_LIPS], _size(landmarks)
    if _opening(landmarks) < 0.02 * size:
        sets[mouth] = bits("lips")
        return
    sets[mouth & ~_hull(mouth.shape, inner, 0.012 * size)] = bits("lips")
    sets[mouth & _hull(mouth.shape, inner, -0.008 * size)] = bits("teeth")


# --- of landmarks -------------------------------------------------------------


def of_landmarks(
    image: NDArray[np.uint8], landmarks: Points, *, glasses: bool = True
) -> Sets:
    """Return the sets that 68 landmarks tell.

    Args:
        glasses: whether the person may wear some.
    """
    shape, size = image.shape[:2], _size(landmarks)
    worn = bits("glasses") if glasses else 0
    cover = bits("hair") | worn
    sets = np.full(shape, bits("background", "skin") | cover, np.int32)
    sets[_aloof(shape, landmarks)] = bits("background")
    jaw, brows = landmarks[JAW], _brows(landmarks)
    eyes_line = landmarks[[36, 45]].mean(0)
    up = np.concatenate(brows).mean(0) - landmarks[33]
    lifted = np.concatenate([b + 0.45 * up for b in brows])
    face = np.concatenate([jaw, lifted])
    sets[_hull(shape, face, 0.02 * size)] |= bits("skin", "brows")
    sets[_hull(shape, face, -0.03 * size)] = bits("skin", "brows") | cover
    middle = landmarks[33] + 0.82 * (jaw - landmarks[33])
    sure = _hull(shape, np.concatenate([middle[1:16], landmarks[[39, 42]]]))
    below = np.arange(shape[0])[:, None] + 0.5 > eyes_line[1] + 0.04 * size
    sets[sure & below] = bits("skin") | worn
    for brow in brows:
        sets[_lines(shape, [brow], 0.07 * size)] |= bits("brows")
        core = _lines(shape, [brow[1:4]], 0.014 * size)
        sets[core] = bits("brows") | cover
    _mark_nose(sets, landmarks, worn)
    for eye in (LEFT_EYE, RIGHT_EYE):
        _mark_eye(sets, image, landmarks[eye], size, worn)
    outer, inner = landmarks[OUTER_LIPS], landmarks[INNER_LIPS]
    sets[_hull(shape, outer, 0.02 * size)] |= bits("lips", "skin")
    sets[_hull(shape, outer, -0.012 * size)] = bits("lips")
    sets[_hull(shape, inner, 0.012 * size)] |= bits("teeth")
    if _opening(landmarks) > 0.03 * size:
        sets[_hull(shape, inner, -0.008 * size)] = bits("teeth")
    return sets


def _aloof(shape: tuple[int, ...], landmarks: Points) -> NDArray[np.bool_]:
    """Return what lies beside and above a head, where hardly any hair reaches."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    x, y = landmarks[33]
    away = np.hypot(rows - y, columns - x) > ALOOF * _size(landmarks)
    above = rows < np.concatenate(_brows(landmarks))[:, 1].min()
    return away & above


def _mark_nose(sets: Sets, landmarks: Points, worn: int) -> None:
    size, half = _size(landmarks), (landmarks[35] - landmarks[31]) / 2
    base, top = landmarks[33], landmarks[27]
    down = (landmarks[33] - landmarks[30]) / 3
    corners = [
        top + 0.35 * (landmarks[28] - top) - 0.22 * half,
        top + 0.35 * (landmarks[28] - top) + 0.22 * half,
        landmarks[30] + 1.35 * half,
        base + 1.5 * half,
        base + 0.6 * half + down,
        base - 0.6 * half + down,
        base - 1.5 * half,
        landmarks[30] - 1.35 * half,
    ]
    area = np.array(corners)
    sets[_hull(sets.shape, area, 0.025 * size)] = bits("nose", "skin") | worn
    sets[_hull(sets.shape, area, -0.02 * size)] = bits("nose") | worn


def _mark_eye(
    sets: Sets, image: NDArray[np.uint8], eye: Points, size: float, worn: int
) -> None:
    area = _hull(sets.shape, eye)
    sets[_hull(sets.shape, eye, 0.02 * size)] |= bits("white", "iris", "skin")
    if _height(eye) < CLOSED:
        sets[area] = bits("white", "iris", "skin") | worn
        return
    sets[area] = bits("white", "iris") | worn
    if not worn:
        _mark_iris(sets, image, eye, area)


def _mark_iris(
    sets: Sets, image: NDArray[np.uint8], eye: Points, area: NDArray[np.bool_]
) -> None:
    """Tell the iris from the white: the darkest disc, and what lies well beside it."""
    width = float(np.hypot(*(eye[3] - eye[0])))
    if _height(eye) < CLOSED or width < 6:
        return
    opening = _hull(area.shape, eye)
    x, y = _darkest(image, eye, IRIS * width, opening)
    rows, columns = np.mgrid[: area.shape[0], : area.shape[1]] + 0.5
    away = np.hypot(rows - y, columns - x) / (IRIS * width)
    inside = area & opening
    sets[inside & (away < 0.8)] = bits("iris")
    beside = inside & (away > 1.35) & (np.abs(columns - x) > 1.2 * IRIS * width)
    sets[beside] = bits("white")


def _darkest(
    image: NDArray[np.uint8], eye: Points, radius: float, opening: NDArray[np.bool_]
) -> tuple[float, float]:
    grey = image.astype(np.float32).mean(-1)
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]] + 0.5
    middle, across = eye.mean(0), (eye[3] - eye[0])
    best = (np.inf, *middle)
    for step in np.linspace(-0.28, 0.28, 9):
        x, y = middle + step * across
        disc = opening & (np.hypot(rows - y, columns - x) < radius)
        if disc.sum() > 4:
            best = min(best, (float(grey[disc].mean()), x, y))
    return float(best[1]), float(best[2])


# --- shapes -------------------------------------------------------------------


def _size(landmarks: Points) -> float:
    return 1 / TIGHT.transform(landmarks, 1).scale


def _brows(landmarks: Points) -> list[Points]:
    return [landmarks[LEFT_BROW], landmarks[RIGHT_BROW]]


def _opening(landmarks: Points) -> float:
    return float(
        np.hypot(*(landmarks[UPPER_INSIDE] - landmarks[LOWER_INSIDE]).T).mean()
    )


def _height(eye: Points) -> float:
    tall = np.hypot(*(eye[[1, 2]] - eye[[5, 4]]).T).mean()
    return float(tall / max(np.hypot(*(eye[3] - eye[0])), 1e-6))


def _hull(
    shape: tuple[int, ...], points: Points, grow: float = 0.0
) -> NDArray[np.bool_]:
    """Return the hull of points, its outline moved outwards; inwards below 0."""
    outline = points[ConvexHull(points).vertices] - 0.5
    corners = [tuple(p) for p in outline]
    canvas = Image.new("L", (shape[1], shape[0]))
    pen = ImageDraw.Draw(canvas)
    pen.polygon(corners, fill=1)
    if width := round(2 * abs(grow)):
        closed = [*corners, *corners[:2]]
        pen.line(closed, fill=int(grow > 0), width=width, joint="curve")
    return np.asarray(canvas, bool)


def _lines(
    shape: tuple[int, ...], lines: Iterable[Points], width: float
) -> NDArray[np.bool_]:
    canvas = Image.new("L", (shape[1], shape[0]))
    pen = ImageDraw.Draw(canvas)
    for line in lines:
        points = [tuple(p) for p in line - 0.5]
        pen.line(points, fill=1, width=max(1, round(width)), joint="curve")
    return np.asarray(canvas, bool)
