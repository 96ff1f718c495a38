"""Blemishes painted on skin: what passes, and the marks that stay.

Both are painted in CIELAB, as a colour that is added inside a soft irregular shape, so
that the pores below go on through them. Colour and edge tell which of the two a spot
is: what passes is red and soft, or pale and ragged; a mole is brown and sharp. Long
lines stay: folds, strands of hair, the rims of glasses and their shadows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

Floats = NDArray[np.float32]
Random = np.random.Generator


Lab = tuple[float, float, float]
STRONG = 0.2, 1.15  # times the colours below


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
    """Return a pimple, a red spot, a flake or a scratch at a place, strong or faint.

    Args:
        size: the face's, in pixels.
    """
    kinds = [_pimple] * 3 + [_red_spot] * 2 + [_rash, _dark_spot, _flakes, _scratch]
    stains = kinds[rng.integers(len(kinds))](rng, x, y, size)
    strong = rng.uniform(*STRONG)
    return [stain._replace(colour=_times(stain.colour, strong)) for stain in stains]


def _times(colour: Lab, factor: float) -> Lab:
    light, a, b = colour
    return light * factor, a * factor, b * factor


def _pimple(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    radius = size * rng.uniform(0.004, 0.023)
    red = -rng.uniform(1, 13), rng.uniform(5, 18), rng.uniform(-2, 5)
    stains = [_spot(rng, x, y, radius, red, soft=rng.uniform(0.25, 0.9))]
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


def _rash(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a few small pimples close to one another."""
    stains, spread = [], size * rng.uniform(0.015, 0.05)
    for _ in range(rng.integers(3, 9)):
        at = rng.normal(0, spread, 2)
        stains += _pimple(rng, x + at[0], y + at[1], size * rng.uniform(0.4, 0.8))
    return stains


def _red_spot(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    radius = size * rng.uniform(0.008, 0.042)
    red = -rng.uniform(0, 9), rng.uniform(4, 12), rng.uniform(-2, 4)
    soft, ragged = rng.uniform(0.5, 1.2), rng.uniform(0.1, 0.6)
    return [_spot(rng, x, y, radius, red, soft, ragged)]


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
    length, wide = rng.uniform(0.015, 0.05), rng.uniform(0.002, 0.005)
    red = -rng.uniform(2, 9), rng.uniform(6, 16), rng.uniform(0, 4)
    return [_line(rng, x, y, size * length, size * wide, red)]


# --- what stays ---------------------------------------------------------------


def lasting(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a mole, freckles, a scar, a fold, hair or a rim at a place."""
    kinds = (mole, mole, mole, freckles, _age_spot, _scar, _fold, _fold, _strands, _rim)
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


def _age_spot(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    radius = size * rng.uniform(0.008, 0.03)
    brown = -rng.uniform(4, 16), rng.uniform(-1, 3), rng.uniform(1, 8)
    return [_spot(rng, x, y, radius, brown, rng.uniform(0.2, 0.6), ragged=0.4)]


def _scar(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    length, wide = rng.uniform(0.03, 0.11), rng.uniform(0.003, 0.008)
    pale = rng.uniform(-9, 12), -rng.uniform(0, 3), -rng.uniform(0, 3)
    return [_line(rng, x, y, size * length, size * wide, pale)]


def _fold(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return one to four furrows side by side, each with a lit bank."""
    length, wide = size * rng.uniform(0.06, 0.35), size * rng.uniform(0.003, 0.016)
    dark = -rng.uniform(3, 18), rng.uniform(-1, 8), rng.uniform(-2, 4)
    lit = rng.uniform(0, 7), -rng.uniform(0, 2), 0.0
    angle, apart = rng.uniform(0, np.pi), size * rng.uniform(0.02, 0.06)
    bend, side = rng.normal(0, 0.4), rng.choice((-2.0, 2.0)) * wide
    right, down = -float(np.sin(angle)), float(np.cos(angle))
    stains = []
    for number in range(rng.choice((1, 1, 1, 2, 3, 4))):
        for beside, colour in ((0.0, dark), (side, lit)):
            away = number * apart + beside
            place = x + away * right, y + away * down
            stains.append(_line(rng, *place, length, wide, colour, angle, bend))
    return stains


def _strands(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return hair that lies on skin: thin, long, dark or light."""
    tone = rng.uniform(-40, 14), rng.uniform(-3, 6), rng.uniform(-6, 8)
    angle, stains = rng.uniform(0, np.pi), []
    for _ in range(rng.integers(1, 7)):
        place = x + rng.normal(0, 0.03 * size), y + rng.normal(0, 0.03 * size)
        length, wide = size * rng.uniform(0.05, 0.4), size * rng.uniform(0.001, 0.003)
        turned, bend = angle + rng.normal(0, 0.25), rng.normal(0, 0.5)
        stains.append(_line(rng, *place, length, wide, tone, turned, bend))
    return stains


def _rim(rng: Random, x: float, y: float, size: float) -> list[Stain]:
    """Return a piece of a rim of glasses, or of its shadow alone."""
    length, wide = size * rng.uniform(0.12, 0.4), size * rng.uniform(0.003, 0.009)
    angle, bend = rng.uniform(0, np.pi), rng.normal(0, 0.5)
    shade = -rng.uniform(3, 14), rng.uniform(-1, 7), rng.uniform(-2, 5)
    away = size * rng.uniform(0, 0.03)
    place = x - away * float(np.sin(angle)), y + away * float(np.cos(angle))
    stains = [_line(rng, *place, length, 1.6 * wide, shade, angle, bend)]
    if rng.random() < 0.5:
        metal = rng.uniform(-45, 25), rng.uniform(-4, 8), rng.uniform(-8, 12)
        stains.append(_line(rng, x, y, length, wide, metal, angle, bend))
    return stains


# --- shapes -------------------------------------------------------------------


def _line(
    rng: Random,
    x: float,
    y: float,
    length: float,
    wide: float,
    colour: Lab,
    angle: float | None = None,
    bend: float | None = None,
) -> Stain:
    """Return a bent line whose ends fade; where it points and bends, if not said."""
    angle = rng.uniform(0, np.pi) if angle is None else angle
    bend = rng.normal(0, 0.4) if bend is None else bend
    wide = max(wide, 0.5)
    reach = int(length / 2 + 3 * wide + 2)
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along = u * np.cos(angle) + v * np.sin(angle)
    aside = v * np.cos(angle) - u * np.sin(angle)
    aside = aside + bend * along**2 / length
    ends = np.clip((length / 2 - np.abs(along)) / (0.3 * length), 0, 1)
    shape = np.exp(-0.5 * (aside / wide) ** 2) * ends
    return Stain(round(y) - reach, round(x) - reach, shape.astype(np.float32), colour)


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
