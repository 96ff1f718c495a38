"""Made-up things in front of faces: hands, hair, glasses and objects, with their sets.

Pictures of people with a hand before the mouth are rare, and masks of them rarer; here
the thing is painted, or cut out of such a picture, so that its place is known exactly.
"""

from collections.abc import Sequence

import numpy as np
from PIL import ImageDraw

from retouch.geometry import LEFT_BROW, LEFT_EYE, RIGHT_EYE
from retouch.training.draped import cloth, flower
from retouch.training.handheld import Cutout, hand, pasted, stick, thing
from retouch.training.parts import Points
from retouch.training.scenes import (
    FINER,
    Floats,
    Random,
    Scene,
    drawn,
    lay,
    noise,
    scaled,
    superellipse,
)

HAIR = (
    *((12, 9, 8), (38, 26, 20), (78, 52, 34), (140, 105, 70), (200, 170, 120)),
    *((120, 52, 26), (150, 148, 145)),
)


def covered(
    scene: Scene, rng: Random, texture: Floats, cutouts: Sequence[Cutout] = ()
) -> Scene:
    """Return the scene with none to a few things in front of the face.

    Args:
        texture: of some other picture, for things.
        cutouts: of other pictures.
    """
    likely = (hair, 0.2), (glasses, 0.28), (stick, 0.1), (hand, 0.1), (flower, 0.06)
    for laid, chance in likely:
        if rng.random() < chance:
            scene = laid(scene, rng)
    for woven, chance in ((thing, 0.12), (cloth, 0.1)):
        if rng.random() < chance:
            scene = woven(scene, rng, texture)
    if cutouts and rng.random() < 0.3:
        scene = pasted(scene, cutouts[int(rng.integers(len(cutouts)))], rng)
    return scene


def glasses(scene: Scene, rng: Random) -> Scene:
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
    rims = [superellipse(c, across / away, down, wide, tall, power) for c in centres]
    line = max(1.0, rng.uniform(0.012, 0.075) * away) * FINER
    half = rng.random() < 0.2  # frames without a lower rim
    double = rng.random() < 0.15  # a second bridge, along the rims' tops

    def frame(pen: ImageDraw.ImageDraw) -> None:
        for rim in rims:
            outline = rim[len(rim) // 2 :] if half else np.concatenate([rim, rim[:2]])
            pen.line(scaled(outline), fill=255, width=round(line), joint="curve")
        _bridge(pen, rims, down, line, rng)
        if double:
            tops = [rim[np.argmin(rim @ down)] for rim in rims]
            pen.line(scaled(np.array(tops)), fill=255, width=round(line))
        for rim, ear in zip(rims, (marks[0], marks[16]), strict=True):
            side = rim[np.argmin(np.hypot(*(rim - ear).T))]
            end = ear - 0.05 * away * down
            pen.line(scaled(np.array([side, end])), fill=255, width=round(line))

    def panes(pen: ImageDraw.ImageDraw) -> None:
        for rim in rims:
            pen.polygon(scaled(rim), fill=255)

    glass = drawn(count, panes)
    scene = _tinted(scene, glass, rng)
    dark = rng.random() < 0.65
    tone = rng.uniform(8, 60, 3) if dark else rng.uniform(60, 215, 3)
    tone = tone.mean() + rng.uniform(0.1, 1) * (tone - tone.mean())
    polish = rng.uniform(0.1, 0.6)  # of metal, most
    sheen = 1 + polish * noise(rng, count, int(rng.integers(6, 40)))[..., None]
    strength = rng.uniform(0.75, 1)
    alpha = np.clip(drawn(count, frame) * strength, 0, 1)
    colour = np.clip(tone * sheen, 0, 255).astype(np.float32)
    return lay(scene, colour, alpha, "glasses", rng.uniform(0, 0.35))


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
    path = scaled(np.array([inner[0], middle, inner[1]]))
    pen.line(path, fill=255, width=round(line), joint="curve")


def _tinted(scene: Scene, glass: Floats, rng: Random) -> Scene:
    """Return the scene with what lenses do: nothing, a tint, shade or a reflection."""
    kind, count = rng.random(), len(glass)
    if kind < 0.3:  # sunglasses
        tone = rng.uniform(5, 60, 3).astype(np.float32) + 0 * scene.image
        rows = np.linspace(1, rng.uniform(0.75, 1), count, dtype=np.float32)
        alpha = glass * rows[:, None] * np.float32(rng.uniform(0.72, 0.98))
        return lay(scene, tone + 25 * noise(rng, count, 4)[..., None], alpha, "glasses")
    if kind < 0.5:
        tone = rng.uniform(40, 255, 3).astype(np.float32)
        part = glass[..., None] * np.float32(rng.uniform(0.03, 0.18))
        return scene._replace(image=scene.image + part * (tone - scene.image))
    if kind < 0.7:
        streak = np.clip(noise(rng, count, 5) - 0.6, 0, 1) * glass
        white = np.full_like(scene.image, rng.uniform(190, 255))
        alpha = (streak * np.float32(rng.uniform(0.4, 1))).astype(np.float32)
        return lay(scene, white, alpha, "glasses")
    return scene


def hair(scene: Scene, rng: Random) -> Scene:
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
            pen.line(scaled(path), fill=255, width=wide, joint="curve")

    alpha = drawn(count, draw)
    stripes = np.repeat(rng.standard_normal((1, count)), count, 0)
    colour = tone * (1 + 0.15 * stripes + 0.15 * noise(rng, count, 6))[..., None]
    shade = rng.uniform(0, 0.4)
    alpha = alpha * np.float32(rng.uniform(0.85, 1))
    return lay(scene, np.clip(colour, 0, 255).astype(np.float32), alpha, "hair", shade)
