"""Scarves, hoods and flowers, laid before faces: painted, with textures of pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw
from scipy.ndimage import gaussian_filter

from retouch.faces.parse import LIFT
from retouch.geometry import LEFT_EYE, NOSE_BASE, RIGHT_EYE, hull, oval
from retouch.training.parts import BIT, Points
from retouch.training.scenes import Floats, Random, Scene, drawn, lay, noise, scaled

Draw = Callable[[ImageDraw.ImageDraw], None]
CHIN, NOSE_TIP = 8, 30
HEM = 24  # corners of a hem


def cloth(scene: Scene, rng: Random, texture: Floats) -> Scene:
    """A scarf over the chin, up to the nose, or a hood around the face.

    Beyond the face it may as well be taken for clothes, which are background.
    """
    edge = _hood(scene, rng) if rng.random() < 0.5 else _scarf(scene, rng)
    count = len(scene.image)
    alpha = drawn(count, lambda pen: pen.polygon(scaled(edge), fill=255))
    if rng.random() < 0.4:
        alpha = gaussian_filter(alpha, rng.uniform(0.4, 1.5))
    colour = _weave(rng, texture) * _folds(rng, count)[..., None]
    shade = rng.uniform(0, 0.5)
    laid = lay(scene, colour.clip(0, 255).astype(np.float32), alpha, "front", shade)
    beyond = (drawn(count, _face(scene)) < 0.5) & (laid.sets == BIT["front"])
    sets = np.where(beyond, laid.sets | BIT["background"], laid.sets)
    return laid._replace(sets=sets.astype(np.int32))


def _face(scene: Scene) -> Draw:
    """Return what draws the face from the jaw to the forehead."""
    corners = hull(oval(scene.landmarks, LIFT))
    return lambda pen: pen.polygon(scaled(corners), fill=255)


def _axes(scene: Scene) -> tuple[Points, Points]:
    """Return which ways are right and down of a face, as long as it is large."""
    right = scene.landmarks[RIGHT_EYE].mean(0) - scene.landmarks[LEFT_EYE].mean(0)
    right = right / max(float(np.hypot(*right)), 1e-6) * scene.size
    return right, np.array([-right[1], right[0]])


def _scarf(scene: Scene, rng: Random) -> Points:
    """Return what lies below a wavy hem between the nose and below the chin."""
    right, down = _axes(scene)
    chin, nose = scene.landmarks[CHIN], scene.landmarks[NOSE_BASE]
    middle = chin + rng.uniform(-0.1, 0.9) * (nose - chin)
    across = np.linspace(-1.5, 1.5, HEM)
    sag = rng.normal(0, 0.5) * across + rng.uniform(-0.6, 0.2) * across**2
    along = sag + _wavy(rng, HEM, 0.05)
    hem = middle + across[:, None] * right + along[:, None] * down
    return np.concatenate([hem, hem[::-1] + 3 * down])


def _hood(scene: Scene, rng: Random) -> Points:
    """Return what lies around an oval, of which the top may be open."""
    right, down = _axes(scene)
    centre = scene.landmarks[NOSE_TIP] + rng.normal(0, 0.04, 2) * scene.size
    gap = rng.uniform(0, 2.4) if rng.random() < 0.5 else 0.0
    angle = np.linspace(gap / 2, 2 * np.pi - gap / 2, 2 * HEM)  # from the top
    wide, tall = rng.uniform(0.3, 0.55), rng.uniform(0.4, 0.7)
    reach = 1 + _wavy(rng, 2 * HEM, 0.05)
    x, y = reach * wide * np.sin(angle), -reach * tall * np.cos(angle)
    inner = centre + x[:, None] * right + y[:, None] * down
    wider = rng.uniform(0.15, 1.5) / np.hypot(x, y)
    outer = inner + (wider * x)[:, None] * right + (wider * y)[:, None] * down
    return np.concatenate([inner, outer[::-1]])


def _wavy(rng: Random, count: int, depth: float) -> NDArray[Any]:
    rough = gaussian_filter(rng.standard_normal(count), rng.uniform(1, 4), mode="wrap")
    return rng.uniform(0, depth) * rough / max(float(rough.std()), 1e-6)


def _weave(rng: Random, texture: Floats) -> Floats:
    """Return a cloth's colours: of a picture, or plain, striped, checked or knitted."""
    if rng.random() < 0.35:
        return texture
    count = len(texture)
    first, second = _tone(rng), _tone(rng)
    angle, width = rng.uniform(0, np.pi), rng.uniform(1.5, 14)
    rows, columns = np.mgrid[:count, :count] / width
    u = columns * np.cos(angle) + rows * np.sin(angle) + noise(rng, count, 6)
    v = rows * np.cos(angle) - columns * np.sin(angle) + noise(rng, count, 6)
    kinds = 0 * u, np.sin(u), (np.sin(u) + np.sin(v)) / 2, np.sin(u) * np.sin(v)
    pattern = kinds[rng.integers(len(kinds))] * rng.uniform(1, 4)
    part = (0.5 + 0.5 * np.clip(pattern, -1, 1)) * rng.uniform(0.2, 1)
    grain = 1 + rng.uniform(0, 0.12) * rng.standard_normal((count, count, 1))
    return ((first + part[..., None] * (second - first)) * grain).astype(np.float32)


def _tone(rng: Random) -> NDArray[Any]:
    """Return a colour, mostly a dull one."""
    tone = rng.uniform(8, 245, 3)
    return tone.mean() + rng.uniform(0.05, 1) ** 2 * (tone - tone.mean())


def _folds(rng: Random, count: int) -> Floats:
    """Return how light a cloth is where it falls in folds, about 1."""
    angle = rng.uniform(0, np.pi)
    rows, columns = np.mgrid[:count, :count] / count
    along = columns * np.cos(angle) + rows * np.sin(angle)
    bent = along + 0.06 * noise(rng, count, 4)
    waves = np.sin(2 * np.pi * rng.uniform(2, 12) * bent) + 0.5 * noise(rng, count, 10)
    return (1 + rng.uniform(0.03, 0.3) * waves).clip(0.15, 1.8).astype(np.float32)


# --- flowers ------------------------------------------------------------------


def flower(scene: Scene, rng: Random) -> Scene:
    """Petals around a heart, or leaves of a twig, that reach over the face's edge."""
    count, size = len(scene.image), scene.size
    heart = scene.landmarks[rng.integers(0, 60)] + rng.normal(0, 0.25, 2) * size
    long = rng.uniform(0.12, 0.55) * size
    rows, columns = np.mgrid[:count, :count] + 0.5
    away = np.hypot(rows - heart[1], columns - heart[0]) / long
    alpha, colour = _petals(heart, long, away, rng)
    if rng.random() < 0.6:
        disc = np.clip((rng.uniform(0.15, 0.35) - away) * 8, 0, 1).astype(np.float32)
        colour += disc[..., None] * (rng.uniform(20, 230, 3) - colour)
        alpha = np.maximum(alpha, disc)
    colour *= (1 + 0.08 * noise(rng, count, 40))[..., None]
    soft = gaussian_filter(alpha, rng.uniform(0, 1.5))
    shade, seen = rng.uniform(0, 0.4), colour.clip(0, 255).astype(np.float32)
    return lay(scene, seen, soft, "front", shade)


def _petals(
    heart: Points, long: float, away: NDArray[Any], rng: Random
) -> tuple[Floats, NDArray[Any]]:
    """Return where petals are and their colours, darker towards the heart."""
    alpha, colour = np.zeros(away.shape, np.float32), np.zeros((*away.shape, 3))
    tone, count = rng.uniform(0, 255, 3), int(rng.integers(3, 20))
    tone[rng.integers(3)] *= rng.uniform(0, 0.4)  # strong of colour
    for number in rng.permutation(count):
        angle = 2 * np.pi * number / count + rng.normal(0, 0.15)
        shape = drawn(len(away), _petal(heart, angle, long, rng))
        shade = rng.uniform(0.75, 1.2) * (0.75 + 0.3 * away.clip(0, 1))
        colour += shape[..., None] * (tone * shade[..., None] - colour)
        alpha = np.maximum(alpha, shape)
    return alpha, colour


def _petal(heart: Points, angle: float, long: float, rng: Random) -> Draw:
    """Return what draws a leaf that points away from a heart."""
    long = long * rng.uniform(0.7, 1.2)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    part = np.linspace(0, np.pi, 12)
    u = long * (1 - np.cos(part)) / 2
    v = long * rng.uniform(0.1, 0.35) * np.sin(part) ** rng.uniform(0.6, 1.4)
    sides = [heart + u[:, None] * along + s * v[:, None] * across for s in (1, -1)]
    corners = scaled(np.concatenate([sides[0], sides[1][::-1]]))
    return lambda pen: pen.polygon(corners, fill=255)
