"""Blemishes painted on skin: what passes, and the marks that stay.

Both are painted in CIELAB, as a colour that is added inside a soft irregular shape, so
that the pores below go on through them. Colour and edge tell which of the two a spot
is: what passes is red and soft, or pale and ragged; a mole is brown and sharp.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

Floats = NDArray[np.float32]
Random = np.random.Generator


Lab = tuple[float, float, float]


class Stain(NamedTuple):
    """A shape in [0, 1] at a place, and the Lab colour that it adds."""

    top: int
    left: int
    shape: Floats  # (h, w)
    colour: Lab


def painted(lab: Floats, stains: list[Stain]) -> Floats:
    """Return a Lab picture (H, W, 3) with the stains added."""
    result = lab.copy()
    for top, left, shape, colour in stains:
        rows = slice(max(top, 0), max(top + shape.shape[0], 0))
        columns = slice(max(left, 0), max(left + shape.shape[1], 0))
        part = result[rows, columns]
        down, across = rows.start - top, columns.start - left
        inside = shape[down : down + part.shape[0], across : across + part.shape[1]]
        part += inside[..., None] * np.array(colour, np.float32)
    return result


# --- what passes --------------------------------------------------------------


def passing(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a pimple, a red spot, a flake or a scratch at a place.

    Args:
        size: the face's, in pixels.
    """
    kinds = (_pimple, _pimple, _red_spot, _dark_spot, _flakes, _scratch)
    return kinds[rng.integers(len(kinds))](rng, x, y, size)


def _pimple(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    radius = size * rng.uniform(0.006, 0.022)
    red = -rng.uniform(1, 11), rng.uniform(5, 18), rng.uniform(-2, 5)
    stains = [_spot(rng, x, y, radius, red, soft=rng.uniform(0.35, 0.9))]
    if rng.random() < 0.6:
        halo = 0.35 * red[0], 0.35 * red[1], 0.35 * red[2]
        stains.append(_spot(rng, x, y, radius * rng.uniform(1.8, 3), halo, soft=1.0))
    if rng.random() < 0.35:  # a pale head
        head = rng.uniform(4, 14), -rng.uniform(2, 8), rng.uniform(0, 6)
        stains.append(_spot(rng, x, y, radius * rng.uniform(0.25, 0.5), head, soft=0.5))
    if rng.random() < 0.4:  # it stands out: lit from one side
        shift = radius * rng.normal(0, 0.5, 2)
        lit = rng.uniform(2, 7), 0.0, 0.0
        stains.append(
            _spot(rng, x + shift[0], y + shift[1], radius * 0.5, lit, soft=0.8)
        )
    return stains


def _red_spot(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    radius = size * rng.uniform(0.008, 0.035)
    red = -rng.uniform(0, 5), rng.uniform(4, 12), rng.uniform(-1, 4)
    return [_spot(rng, x, y, radius, red, soft=rng.uniform(0.7, 1), ragged=0.35)]


def _dark_spot(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """What a pimple leaves for some weeks: reddish brown, soft."""
    radius = size * rng.uniform(0.005, 0.018)
    tone = -rng.uniform(4, 12), rng.uniform(3, 9), rng.uniform(-2, 2)
    return [_spot(rng, x, y, radius, tone, soft=rng.uniform(0.6, 1), ragged=0.3)]


def _flakes(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    stains = []
    for _ in range(rng.integers(2, 9)):
        pale = rng.uniform(4, 14), -rng.uniform(0, 4), -rng.uniform(0, 4)
        at = rng.normal(0, 0.014 * size, 2)
        radius = size * rng.uniform(0.002, 0.006)
        stains.append(_spot(rng, x + at[0], y + at[1], radius, pale, 0.5, 0.6))
    return stains


def _scratch(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    angle, length = rng.uniform(0, np.pi), size * rng.uniform(0.02, 0.07)
    wide, bend = size * rng.uniform(0.002, 0.005), rng.normal(0, 0.4)
    red = -rng.uniform(2, 9), rng.uniform(6, 16), rng.uniform(0, 4)
    reach = int(length / 2 + 3 * wide + 2)
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = u * np.cos(angle) + v * np.sin(angle)
    aside = v * np.cos(angle) - u * np.sin(angle)
    aside = aside + bend * along**2 / length
    ends = np.clip((length / 2 - np.abs(along)) / (0.3 * length), 0, 1)
    shape = np.exp(-0.5 * (aside / wide) ** 2) * ends
    top, left = round(y) - reach, round(x) - reach
    return [Stain(top, left, shape.astype(np.float32), red)]


# --- what stays ---------------------------------------------------------------


def lasting(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a mole, a group of freckles or a scar at a place."""
    kinds = (mole, mole, freckles, _scar)
    return kinds[rng.integers(len(kinds))](rng, x, y, size)


def mole(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a brown spot with a sharp edge, nearly round."""
    radius = size * rng.uniform(0.004, 0.016)
    brown = -rng.uniform(12, 42), rng.uniform(-2, 6), -rng.uniform(-4, 8)
    soft = rng.uniform(0.12, 0.4)
    return [_spot(rng, x, y, radius, brown, soft, ragged=0.1)]


def freckles(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a group of small brown spots."""
    stains, spread = [], size * rng.uniform(0.03, 0.12)
    for _ in range(rng.integers(5, 30)):
        tone = -rng.uniform(3, 12), rng.uniform(0, 4), rng.uniform(2, 8)
        at = rng.normal(0, spread, 2)
        radius = size * rng.uniform(0.002, 0.007)
        stains.append(_spot(rng, x + at[0], y + at[1], radius, tone, 0.5, 0.3))
    return stains


def _scar(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    (line,) = _scratch(rng, x, y, 1.6 * size)
    pale = rng.uniform(-9, 12), -rng.uniform(0, 3), -rng.uniform(0, 3)
    return [line._replace(colour=pale)]


# --- shapes -------------------------------------------------------------------


def _spot(
    rng: Random,
    x: float,
    y: float,
    radius: float,
    colour: Lab,
    soft: float,
    ragged: float = 0.2,
) -> Stain:
    """Return an irregular disc.

    Args:
        soft: which part of the radius the edge takes.
        ragged: how far the edge strays from a circle, in radii.
    """
    radius = max(radius, 0.7)
    reach = int(radius * (1.3 + soft + 2 * ragged) + 2)
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    u, v = u - np.float32(x - round(x)), v - np.float32(y - round(y))
    u = u * np.float32(rng.uniform(0.8, 1.25))
    angle, away = np.arctan2(v, u), np.hypot(u, v) / radius
    edge = 1 + ragged * sum(
        rng.normal(0, 0.6) * np.cos(k * angle + rng.uniform(0, 6.3)) / k
        for k in (1, 2, 3, 5)
    )
    depth = np.clip((edge + soft / 2 - away) / max(soft, 0.05), 0, 1)
    shape = depth * depth * (3 - 2 * depth)
    shape = shape * (1 + 0.2 * _mottled(rng, len(shape)))
    if radius < 3:
        shape = gaussian_filter(shape, 0.45)
    return Stain(round(y) - reach, round(x) - reach, shape.astype(np.float32), colour)


def _mottled(rng: Random, count: int) -> Floats:
    coarse = rng.standard_normal((6, 6)).astype(np.float32)
    return np.clip(zoom(coarse, -(-count // 6) + 1, order=1)[:count, :count], -2, 2)
