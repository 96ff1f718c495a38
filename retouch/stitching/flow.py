"""Flow: where each point of an edited crop comes from in the unedited one.

A flow (S, S, 2) holds in crop pixels how far to go, so that
after(p) = before(p + flow(p)). It is estimated as Lucas and Kanade did (1981), from
coarse to fine, on pictures whose lighting has been evened out.
"""

from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt

from retouch.faces.crop import Pixels, resized
from retouch.geometry import Points
from retouch.sampling import sampled
from retouch.smoothing import REACH, smoothed

COARSEST, FINEST = 24, 128  # pixels a side at which flow is sought
STEPS = 4  # improvements at each size
CALMINGS = 8  # before a flow that still folds is shortened, there and around
NEAR = 1 / 48  # of the side: what moves together
STIFF = 0.002  # how sure structure must be before it moves anything
MISMATCH = 1.0  # standard deviations at which a pixel counts half
LEAST_AREA, MOST_AREA = 0.35, 2.5  # to which a flow may shrink or stretch a pixel
BARELY, STEEP = 0.02, 0.35  # where nothing moves; pixels of a move for one from there
COVERED = 0.5  # of a pixel: what lies beneath so much paint is hardly seen
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def estimate(before: Pixels, after: Pixels, where: Pixels) -> Pixels:
    """Return the smooth flow by which before becomes most like after.

    Args:
        where: how much each pixel counts, (S, S).
    """
    size = before.shape[0]
    flow = np.zeros((COARSEST, COARSEST, 2), np.float32)
    for side in _sides(size):
        first, second = (_even(resized(image, side)) for image in (before, after))
        weight = np.clip(resized(where[..., None], side)[..., 0], 0, 1)
        flow = resized(flow, side) * np.float32(side / flow.shape[0])
        for _ in range(STEPS):
            flow = _improved(flow, first, second, weight)
    return resized(flow, size) * np.float32(size / flow.shape[0])


def between(source: ArrayLike, target: ArrayLike, size: int) -> Pixels:
    """Return the smooth flow that takes source points of a crop to target points.

    The crop's rim stays; between the points a thin plate bends.
    """
    p, q = np.asarray(source, np.float64), np.asarray(target, np.float64)
    edge = np.linspace(0, size, 9)
    rim = [(x, y) for x in edge for y in edge if {x, y} & {0.0, float(size)}]
    known = np.concatenate([q, rim])
    moves = np.concatenate([p - q, np.zeros((len(rim), 2))])
    side = min(size, 64)
    points = np.stack(np.meshgrid(*[(np.arange(side) + 0.5) * size / side] * 2), -1)
    moved = bent(known, moves, 1e-3 * size, points.reshape(-1, 2))
    return resized(moved.reshape(side, side, 2).astype(np.float32), size)


def bent(known: Points, moves: Points, slack: float, points: Points) -> Points:
    """Return the moves of points (N, 2) on the thin plate that known points bend.

    Args:
        slack: how far it may miss them; 0 is not at all.
    """
    count = len(known)
    flat = np.pad(known, ((0, 0), (1, 0)), constant_values=1)  # what bends nothing
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bending(known, known) + slack * np.eye(count)
    system[:count, count:], system[count:, :count] = flat, flat.T
    weights = np.linalg.solve(system, np.pad(moves, ((0, 3), (0, 0))))
    plane = np.pad(points, ((0, 0), (1, 0)), constant_values=1) @ weights[count:]
    return np.asarray(_bending(points, known) @ weights[:count] + plane)


def _bending(points: Points, known: Points) -> NDArray[np.float64]:
    """Return r^2 log r of the distances r between points, (N, K)."""
    square = sum((points[:, None, i] - known[None, :, i]) ** 2 for i in (0, 1))
    return np.asarray(0.5 * square * np.log(np.maximum(square, 1e-300)))


def warped(image: Pixels, points: ArrayLike, target: ArrayLike) -> Pixels:
    """Return the image (S, S, C) with its points moved to others."""
    return fetch(image, between(points, target, len(image)))


def fetch(image: Pixels, flow: Pixels, *, linear: bool = False) -> Pixels:
    """Return the image (S, S, C) as the flow moves it."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    where = rows + flow[..., 1], columns + flow[..., 0]
    return sampled(image, *where, linear=linear)


def moved(plane: Pixels, flow: Pixels) -> Pixels:
    """Return the plane (S, S) as the flow moves it, within its own range."""
    return fetch(plane[..., None], flow, linear=True)[..., 0]


def bounded(flow: Pixels, limit: float | Pixels) -> Pixels:
    """Return the flow with no move longer than limit, short ones hardly changed.

    Args:
        limit: of all, or (S, S, 1).
    """
    length = np.hypot(flow[..., :1], flow[..., 1:]) / np.float32(limit)
    return np.asarray(flow / np.sqrt(np.hypot(1, length**2)), np.float32)


def tapered(flow: Pixels, where: Pixels) -> Pixels:
    """Return the flow with moves that end softly where nothing may move, (S, S).

    A cheek beside hair that lies before it would be torn along its edge.
    """
    return bounded(flow, np.maximum(STEEP * room(where), 1e-3)[..., None])


def room(where: Pixels) -> Pixels:
    """Return how far each pixel is from those where nothing may change, (S, S)."""
    away: Pixels = distance_transform_edt(where > BARELY).astype(np.float32)
    return away


def area(flow: Pixels) -> NDArray[np.float32]:
    """Return what each pixel's area is scaled by (S, S): below 0 the flow folds."""
    (xx, xy), (yx, yy) = (np.gradient(flow[..., i], axis=(1, 0)) for i in (0, 1))
    return np.asarray((1 + xx) * (1 + yy) - xy * yx, np.float32)


def unfolded(
    flow: Pixels, where: Pixels | None = None, unseen: Pixels | None = None
) -> Pixels:
    """Return the flow, calmed where it would fold, or shrink or stretch too much.

    Args:
        where: how freely each pixel may move, (S, S); where it is 0 none will.
        unseen: where it may do so all the same, for paint covers that, (S, S).
    """
    seen = np.ones(flow.shape[:2], bool) if unseen is None else unseen < COVERED
    wide = max(flow.shape[0] / 64, 1.0)
    free = np.full_like(flow[..., :1], 0.8)
    if where is not None:
        free *= where[..., None]
    for _ in range(CALMINGS):
        wrong = _extreme(flow) & seen
        if not wrong.any():
            return flow
        flow = _calmed(flow, wrong, wide, free)
    while (wrong := _extreme(flow) & seen).any():
        wide = min(1.5 * wide, flow.shape[0] / 4)
        flow = flow * (1 - np.float32(0.3) * _around(wrong, wide))
    return flow


def _calmed(
    flow: Pixels, wrong: NDArray[np.bool_], wide: float, free: Pixels
) -> Pixels:
    """Return the flow smoothed near the places that are wrong, (S, S).

    Most often these are few, and nothing else is worked out.
    """
    around = ceil(REACH * wide)
    inner = _box(wrong, around)
    outer = _box(wrong, around + ceil(REACH * 2 * wide))
    within = tuple(
        slice(i.start - o.start, i.stop - o.start)
        for i, o in zip(inner, outer, strict=True)
    )
    calm = free[inner] * smoothed(flow[outer], 2 * wide)[within]
    result = flow.copy()
    result[inner] += _around(wrong[inner], wide) * (calm - flow[inner])
    return result


def _box(places: NDArray[np.bool_], beyond: int) -> tuple[slice, ...]:
    """Return the rectangle that holds places, and so many pixels beyond them."""
    ends = (np.flatnonzero(places.any(axis))[[0, -1]].tolist() for axis in (1, 0))
    return tuple(slice(max(0, a - beyond), b + 1 + beyond) for a, b in ends)


def _around(places: NDArray[np.bool_], width: float) -> Pixels:
    """Return 1 at places, less further off, (S, S, 1)."""
    near = smoothed(places.astype(np.float32), width)
    return np.minimum(2 * near / near.max(), 1)[..., None]


def _extreme(flow: Pixels) -> NDArray[np.bool_]:
    scale = area(flow)
    return (scale < LEAST_AREA) | (scale > MOST_AREA)


def _sides(size: int) -> list[int]:
    finest = min(size, FINEST)
    count = max(1, round(np.log2(finest / COARSEST)) + 1)
    return [max(1, round(finest / 2**i)) for i in reversed(range(count))]


def _even(image: Pixels) -> Pixels:
    """Return luminance with lighting and contrast evened out, (S, S)."""
    grey = image @ LUMINANCE
    grey -= grey[0, 0]  # what is flat is nothing, to the last bit
    wide = image.shape[0] / 16
    detail = grey - smoothed(grey, wide)
    contrast = np.sqrt(smoothed(detail**2, wide) + 9.0)
    return detail / contrast


def _improved(flow: Pixels, before: Pixels, after: Pixels, weight: Pixels) -> Pixels:
    """Return the flow that brings before, as it is moved, nearer to after."""
    moved = fetch(before[..., None], flow, linear=True)[..., 0]
    y, x = np.gradient((moved + after) / 2)
    error = after - moved
    weight = weight / (1 + (error / MISMATCH) ** 2)  # what is new came from nowhere
    near = max(1.5, after.shape[0] * NEAR)
    products = np.stack([x * x, x * y, y * y, x * error, y * error], -1)
    sums = smoothed(weight[..., None] * products, near)
    xx, xy, yy, xe, ye = np.moveaxis(sums, -1, 0)
    # Where there is structure in two directions the step is sure, and spreads.
    trust = ((xx * yy - xy * xy) / (xx + yy + 1e-6))[..., None] + 1e-4
    xx, yy = xx + STIFF, yy + STIFF
    step = np.stack([yy * xe - xy * ye, xx * ye - xy * xe], -1)
    step = np.clip(step / (xx * yy - xy * xy)[..., None], -1, 1)
    both = smoothed(np.concatenate([trust * (flow + step), trust], -1), near)
    return both[..., :2] / both[..., 2:]
