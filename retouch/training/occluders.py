"""Made-up things in front of faces: hands, hair, glasses and objects, with their sets.

Pictures of people with a hand before the mouth are rare and nobody has drawn their
masks; here the thing is painted, so that its place is known exactly.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom

from retouch.geometry import JAW, LEFT_BROW, LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from retouch.training.parts import BIT, Points, Sets

Floats = NDArray[np.float32]
Random = np.random.Generator
FINER = 2  # times, at which shapes are drawn, so that their edges are smooth
COVERED = 0.5  # of a thing's opacity: from here on, the pixel shows the thing
HAIR = (
    *((12, 9, 8), (38, 26, 20), (78, 52, 34), (140, 105, 70), (200, 170, 120)),
    *((120, 52, 26), (150, 148, 145)),
)


class Scene(NamedTuple):
    """A picture as it is made: what it shows, what is known of it, and the face."""

    image: Floats  # (R, R, 3), 0 to 255
    sets: Sets
    landmarks: Points
    size: float  # the face's, in pixels


def covered(scene: Scene, rng: Random, texture: Floats) -> Scene:
    """Return the scene with none to three things in front of the face.

    Args:
        texture: of some other picture, for objects.
    """
    for thing, chance in ((_hair, 0.2), (_glasses, 0.3), (_hand, 0.25)):
        if rng.random() < chance:
            scene = thing(scene, rng)
    if rng.random() < 0.12:
        scene = _object(scene, rng, texture)
    return scene


# --- laying in ----------------------------------------------------------------


def _lay(
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


def _drawn(size: int, draw: Callable[[ImageDraw.ImageDraw], None]) -> Floats:
    """Return what is drawn with coordinates of FINER times the size, in [0, 1]."""
    canvas = Image.new("L", (size * FINER, size * FINER))
    draw(ImageDraw.Draw(canvas))
    small = canvas.resize((size, size), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def _points(points: Points) -> list[tuple[float, float]]:
    return [(float(x) * FINER, float(y) * FINER) for x, y in points]


def _noise(rng: Random, size: int, cells: int) -> Floats:
    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    return zoom(coarse, size / cells, order=1)[:size, :size]


# --- the things ---------------------------------------------------------------


def _glasses(scene: Scene, rng: Random) -> Scene:
    marks, count = scene.landmarks, len(scene.image)
    left, right = (marks[eye].mean(0) for eye in (LEFT_EYE, RIGHT_EYE))
    across = right - left
    away = float(np.hypot(*across))
    if away < 8:
        return scene
    wide, power = rng.uniform(0.3, 0.47) * away, rng.uniform(2, 5)
    tall = wide * rng.uniform(0.55, 1.05)
    down = np.array([-across[1], across[0]]) / away
    sink = rng.uniform(-0.03, 0.12) * away
    centres = [
        eye + sink * down + s * 0.02 * away for eye, s in ((left, -1), (right, 1))
    ]
    rims = [_rim(c, across / away, down, wide, tall, power) for c in centres]
    line = max(1.0, rng.uniform(0.012, 0.075) * away) * FINER
    half = rng.random() < 0.2  # frames without a lower rim

    def frame(pen: ImageDraw.ImageDraw) -> None:
        for rim in rims:
            outline = rim[len(rim) // 2 :] if half else np.concatenate([rim, rim[:2]])
            pen.line(_points(outline), fill=255, width=round(line), joint="curve")
        _bridge(pen, rims, down, line, rng)
        for rim, ear in zip(rims, (marks[0], marks[16]), strict=True):
            side = rim[np.argmin(np.hypot(*(rim - ear).T))]
            end = ear - 0.05 * away * down
            pen.line(_points(np.array([side, end])), fill=255, width=round(line))

    def panes(pen: ImageDraw.ImageDraw) -> None:
        for rim in rims:
            pen.polygon(_points(rim), fill=255)

    glass = _drawn(count, panes)
    scene = _tinted(scene, glass, rng)
    dark = rng.random() < 0.65
    tone = rng.uniform(8, 60, 3) if dark else rng.uniform(60, 215, 3)
    tone = tone.mean() + rng.uniform(0.1, 1) * (tone - tone.mean())
    sheen = 1 + 0.25 * _noise(rng, count, 12)[..., None]
    strength = rng.uniform(0.75, 1)
    alpha = np.clip(_drawn(count, frame) * strength, 0, 1)
    colour = np.clip(tone * sheen, 0, 255).astype(np.float32)
    return _lay(scene, colour, alpha, "glasses", rng.uniform(0, 0.35))


def _rim(
    centre: Points, x: Points, y: Points, wide: float, tall: float, power: float
) -> Points:
    """Return a superellipse; its second half is the upper one."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    u = wide * np.sign(c) * np.abs(c) ** (2 / power)
    v = tall * np.sign(s) * np.abs(s) ** (2 / power)
    return centre + u[:, None] * x + v[:, None] * y


def _bridge(
    pen: ImageDraw.ImageDraw,
    rims: Sequence[Points],
    down: Points,
    line: float,
    rng: Random,
) -> None:
    inner = rims[0][np.argmax(rims[0][:, 0])], rims[1][np.argmin(rims[1][:, 0])]
    lift = rng.uniform(-0.1, 0.6) * np.hypot(*(inner[1] - inner[0]))
    middle = (inner[0] + inner[1]) / 2 - lift * down
    path = _points(np.array([inner[0], middle, inner[1]]))
    pen.line(path, fill=255, width=round(line), joint="curve")


def _tinted(scene: Scene, glass: Floats, rng: Random) -> Scene:
    """Return the scene with what lenses do: nothing, a tint, shade or a reflection."""
    kind, count = rng.random(), len(glass)
    if kind < 0.3:  # sunglasses
        tone = rng.uniform(5, 60, 3).astype(np.float32) + 0 * scene.image
        rows = np.linspace(1, rng.uniform(0.75, 1), count, dtype=np.float32)
        alpha = glass * rows[:, None] * np.float32(rng.uniform(0.72, 0.98))
        return _lay(
            scene, tone + 25 * _noise(rng, count, 4)[..., None], alpha, "glasses"
        )
    if kind < 0.5:
        tone = rng.uniform(40, 255, 3).astype(np.float32)
        part = glass[..., None] * np.float32(rng.uniform(0.03, 0.18))
        return scene._replace(image=scene.image + part * (tone - scene.image))
    if kind < 0.7:
        streak = np.clip(_noise(rng, count, 5) - 0.6, 0, 1) * glass
        white = np.full_like(scene.image, rng.uniform(190, 255))
        alpha = (streak * np.float32(rng.uniform(0.4, 1))).astype(np.float32)
        return _lay(scene, white, alpha, "glasses")
    return scene


def _hair(scene: Scene, rng: Random) -> Scene:
    """Strands from above or from a side, or a whole fringe."""
    count, size = len(scene.image), scene.size
    tone = np.array(HAIR[rng.integers(len(HAIR))], np.float32) * rng.uniform(0.7, 1.25)
    fringe = rng.random() < 0.5
    brows = scene.landmarks[LEFT_BROW.start : 27]
    top = brows.mean(0) - rng.uniform(0.5, 0.75) * np.array([0, size])
    strands = rng.integers(60, 160) if fringe else rng.integers(3, 26)
    middle = rng.uniform(-0.4, 0.4) * size
    spread = rng.uniform(0.25, 0.5) if fringe else rng.uniform(0.02, 0.15)
    fall = rng.uniform(0.45, 0.8) if fringe else rng.uniform(0.5, 1.3)
    bend = rng.uniform(-0.25, 0.25) * size

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(strands):
            start = top + np.array([middle + rng.normal(0, spread) * size, 0])
            length = fall * size * rng.uniform(0.8, 1.15)
            steps = np.linspace(0, 1, 8)[:, None]
            path = start + steps * (0, length) + steps**2 * (bend, 0)
            path = path + np.cumsum(rng.normal(0, 0.008 * size, (8, 2)), 0)
            wide = max(1, round(rng.uniform(0.004, 0.02) * size * FINER))
            pen.line(_points(path), fill=255, width=wide, joint="curve")

    alpha = _drawn(count, draw)
    stripes = np.repeat(rng.standard_normal((1, count)), count, 0)
    colour = tone * (1 + 0.15 * stripes + 0.15 * _noise(rng, count, 6))[..., None]
    shade = rng.uniform(0, 0.4)
    alpha = alpha * np.float32(rng.uniform(0.85, 1))
    return _lay(scene, np.clip(colour, 0, 255).astype(np.float32), alpha, "hair", shade)


def _hand(scene: Scene, rng: Random) -> Scene:
    """Fingers and a palm of nearly the face's colour, rounded by shading."""
    count, size = len(scene.image), scene.size
    target = scene.landmarks[rng.integers(0, 68)] + rng.normal(0, 0.05 * size, 2)
    angle = rng.uniform(-0.2, np.pi + 0.2)  # where the arm comes from: mostly below
    towards = -np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-towards[1], towards[0]])
    wide = rng.uniform(0.06, 0.12) * size
    fingers, fan = rng.integers(1, 6), rng.uniform(0.85, 1.35)
    alpha = np.zeros((count, count), np.float32)
    depth = np.zeros_like(alpha)
    palm = target - towards * rng.uniform(3.2, 6) * wide
    for i in range(fingers):
        offset = (i - (fingers - 1) / 2) * fan * wide
        tip = target + aside * offset - towards * rng.uniform(0, 1.3) * wide
        root = palm + aside * 0.9 * offset
        joint = (tip + root) / 2 + aside * rng.normal(0, 0.25) * wide
        shape = _capsules(count, [tip, joint, root], wide * rng.uniform(0.85, 1.1))
        alpha, depth = _over(alpha, depth, shape)
    if rng.random() < 0.75:
        width = wide * max(2.4, fingers * fan * 1.05)
        far = palm - towards * 2 * size
        alpha, depth = _over(alpha, depth, _capsules(count, [palm, far], width))
    return _lay(scene, _flesh(scene, rng, depth), alpha, "front", rng.uniform(0, 0.5))


def _capsules(count: int, path: list[Points], wide: float) -> Floats:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.line(_points(np.array(path)), fill=255, width=max(1, round(wide * FINER)))
        for x, y in _points(np.array(path)):
            r = wide * FINER / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)

    return _drawn(count, draw)


def _over(alpha: Floats, depth: Floats, shape: Floats) -> tuple[Floats, Floats]:
    """Lay a rounded shape over what there is; depth is 0 at edges and rises to 1."""
    deep = distance_transform_edt(shape > 0.5).astype(np.float32)
    rounded = np.sqrt(np.clip(deep / max(0.7 * deep.max(), 1), 0, 1))
    return np.maximum(alpha, shape), np.where(shape > 0.5, rounded, depth)


def _flesh(scene: Scene, rng: Random, depth: Floats) -> Floats:
    skin = scene.sets == BIT["skin"]
    tone: NDArray[Any] = np.array([190, 145, 120], np.float32)
    if skin.sum() > 50:
        tone = np.median(scene.image[skin], 0)
    tone = tone * rng.uniform(0.75, 1.2) * rng.uniform(0.94, 1.06, 3)
    side = np.roll(depth, rng.integers(-6, 7), 1)  # light from one side
    shade = 0.55 + 0.3 * depth + 0.2 * side
    shade = (
        shade + 0.05 * _noise(rng, len(depth), 8) + 0.02 * _noise(rng, len(depth), 64)
    )
    return np.clip(tone * shade[..., None], 0, 255).astype(np.float32)


def _object(scene: Scene, rng: Random, texture: Floats) -> Scene:
    """A microphone, a cup, a telephone: a plain or patterned shape and its handle."""
    count, size = len(scene.image), scene.size
    around = scene.landmarks[OUTER_LIPS if rng.random() < 0.6 else JAW].mean(0)
    centre = around + rng.normal(0, 0.22 * size, 2)
    angle, power = rng.uniform(0, np.pi), rng.uniform(2, 7)
    x = np.array([np.cos(angle), np.sin(angle)])
    y = np.array([-x[1], x[0]])
    wide, tall = rng.uniform(0.08, 0.3, 2) * size
    rim = _rim(centre, x, y, wide, tall, power)
    end = centre + np.array([rng.uniform(-0.5, 0.5), 1]) * 1.5 * size

    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.polygon(_points(rim), fill=255)
        if rng.random() < 0.6:
            path, line = _points(np.array([centre, end])), 0.7 * min(wide, tall)
            pen.line(path, fill=255, width=max(1, round(line * FINER)))

    alpha = _drawn(count, draw)
    tone = rng.uniform(5, 245, 3)
    plain = (
        tone
        * (1 + 0.2 * _noise(rng, count, 4) + 0.1 * _noise(rng, count, 90))[..., None]
    )
    colour = texture if rng.random() < 0.4 else np.clip(plain, 0, 255)
    shade = rng.uniform(0, 0.5)
    return _lay(scene, colour.astype(np.float32), alpha, "front", shade)
