"""Pictures of heads as they are made, and how things are laid before them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, zoom

from retouch.training.parts import BIT, Points, Sets

Floats = NDArray[np.float32]
Random = np.random.Generator
FINER = 2  # times, at which shapes are drawn, so that their edges are smooth
COVERED = 0.5  # of a thing's opacity: from here on, the pixel shows the thing


class Scene(NamedTuple):
    """A picture as it is made: what it shows, what is known of it, and the face."""

    image: Floats  # (R, R, 3), 0 to 255
    sets: Sets
    landmarks: Points
    size: float  # the face's, in pixels


def lay(
    scene: Scene, colour: Floats, alpha: Floats, part: str, shadow: float = 0.0
) -> Scene:
    """Return the scene with a colour over it, and the part where it covers."""
    image = scene.image
    if shadow:
        reach = 0.02 * scene.size
        shade = np.roll(gaussian_filter(alpha, reach), round(reach), 0)
        image = image * (1 - shadow * shade[..., None])
    image = image + alpha[..., None] * (colour - image)
    sets = np.where(alpha > COVERED, BIT[part], scene.sets)
    vague = (alpha > 0.15) & (alpha <= COVERED)
    sets = np.where(vague, sets | BIT[part], sets).astype(np.int32)
    return scene._replace(image=image.astype(np.float32), sets=sets)


def drawn(size: int, draw: Callable[[ImageDraw.ImageDraw], None]) -> Floats:
    """Return what is drawn with coordinates of FINER times the size, in [0, 1]."""
    canvas = Image.new("L", (size * FINER, size * FINER))
    draw(ImageDraw.Draw(canvas))
    small = canvas.resize((size, size), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def scaled(points: Points) -> list[tuple[float, float]]:
    return [(float(x) * FINER, float(y) * FINER) for x, y in points]


def noise(rng: Random, size: int, cells: int) -> Floats:
    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    return zoom(coarse, size / cells, order=1)[:size, :size]


def superellipse(
    centre: Points, x: Points, y: Points, wide: float, tall: float, power: float
) -> Points:
    """Return a superellipse; its second half is the upper one."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    u = wide * np.sign(c) * np.abs(c) ** (2 / power)
    v = tall * np.sign(s) * np.abs(s) ** (2 / power)
    return centre + u[:, None] * x + v[:, None] * y
