"""Hands and what they hold, laid before faces: painted, or cut out of pictures."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter

from retouch.faces.crop import cut
from retouch.geometry import HEAD, INNER_LIPS, JAW, OUTER_LIPS, Similarity
from retouch.training.parts import BIT, Points
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

FLESH = (190, 145, 120)  # where a scene shows too little skin
PAPER, CORK, ASH = (235, 230, 222), (205, 140, 75), (120, 112, 108)  # of a cigarette
ASTRAY = {"hand": 0.1, "front": 0.1, "glasses": 0.015}  # face sizes
TURNED = {"hand": 14.0, "front": 14.0, "glasses": 2.5}  # degrees


class Cutout(NamedTuple):
    """Something that lies in front of the face in a real picture."""

    image: NDArray[np.uint8]  # (H, W, 3)
    area: NDArray[np.bool_]  # (H, W)
    landmarks: Points  # of the face there
    kind: str  # hand, front or glasses


def pasted(scene: Scene, cutout: Cutout, rng: Random) -> Scene:
    """Return the scene with a cutout about where it was before its own face."""
    size = len(scene.image)
    layers = np.dstack([cutout.image, 255 * cutout.area]).astype(np.float32)
    placed = cut(layers, _place(scene, cutout, rng), size, linear=True)
    alpha = gaussian_filter(placed[..., 3] / 255, rng.uniform(0.3, 0.9)).clip(0, 1)
    colour: NDArray[Any] = placed[..., :3]
    if cutout.kind == "hand":
        own = np.median(cutout.image[cutout.area], 0)
        same = min(1.0, rng.uniform(0, 1.6))  # often the person's own
        gain = (_tone(scene) / np.maximum(own, 8)) ** same
        colour = colour * gain.clip(0.3, 3) * rng.uniform(0.85, 1.2)
    else:
        colour = colour * rng.uniform(0.5, 1.5) * rng.uniform(0.8, 1.2, 3)
    shade = rng.uniform(0, 0.4)
    part = "glasses" if cutout.kind == "glasses" else "front"
    return lay(scene, colour.clip(0, 255).astype(np.float32), alpha, part, shade)


def _place(scene: Scene, cutout: Cutout, rng: Random) -> Similarity:
    """Return the way from a cutout's picture to the scene, somewhat off."""
    count, kind = len(scene.image), cutout.kind
    there = HEAD.transform(cutout.landmarks, count)
    here = HEAD.transform(scene.landmarks, count)
    x, y = scene.landmarks.mean(0)
    to = rng.normal((x, y), ASTRAY[kind] * scene.size)
    scale = Similarity.scaling(float(np.exp(rng.normal(0, 1.5 * ASTRAY[kind]))))
    turn = Similarity.turning(rng.normal(0, TURNED[kind]))
    off = Similarity.shifting(*to) @ turn @ scale @ Similarity.shifting(-x, -y)
    return off @ here.inverse @ there


def _tone(scene: Scene) -> NDArray[Any]:
    """Return the colour of the scene's skin."""
    skin = (scene.sets & BIT["skin"] > 0) & (scene.sets & BIT["background"] == 0)
    if skin.sum() < 50:
        return np.array(FLESH, np.float32)
    return np.median(scene.image[skin], 0)


def hand(scene: Scene, rng: Random) -> Scene:
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
    return lay(scene, _flesh(scene, rng, depth), alpha, "front", rng.uniform(0, 0.5))


def _capsules(count: int, path: list[Points], wide: float) -> Floats:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.line(scaled(np.array(path)), fill=255, width=max(1, round(wide * FINER)))
        for x, y in scaled(np.array(path)):
            r = wide * FINER / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)

    return drawn(count, draw)


def _over(alpha: Floats, depth: Floats, shape: Floats) -> tuple[Floats, Floats]:
    """Lay a rounded shape over what there is; depth is 0 at edges and rises to 1."""
    deep = distance_transform_edt(shape > 0.5).astype(np.float32)
    rounded = np.sqrt(np.clip(deep / max(0.7 * deep.max(), 1), 0, 1))
    return np.maximum(alpha, shape), np.where(shape > 0.5, rounded, depth)


def _flesh(scene: Scene, rng: Random, depth: Floats) -> Floats:
    tone = _tone(scene) * rng.uniform(0.75, 1.2) * rng.uniform(0.94, 1.06, 3)
    side = np.roll(depth, rng.integers(-6, 7), 1)  # light from one side
    shade = gaussian_filter(0.6 + 0.25 * depth + 0.2 * side, rng.uniform(0, 1.5))
    count = len(depth)
    grain = 0.06 * noise(rng, count, 8) + 0.03 * noise(rng, count, 64)
    return np.clip(tone * (shade + grain)[..., None], 0, 255).astype(np.float32)


def thing(scene: Scene, rng: Random, texture: Floats) -> Scene:
    """A microphone, a cup, a telephone: a plain or patterned shape and its handle."""
    count, size = len(scene.image), scene.size
    around = scene.landmarks[OUTER_LIPS if rng.random() < 0.6 else JAW].mean(0)
    centre = around + rng.normal(0, 0.22 * size, 2)
    angle, power = rng.uniform(0, np.pi), rng.uniform(2, 7)
    x = np.array([np.cos(angle), np.sin(angle)])
    y = np.array([-x[1], x[0]])
    wide, tall = rng.uniform(0.08, 0.3, 2) * size
    rim = superellipse(centre, x, y, wide, tall, power)
    end = centre + np.array([rng.uniform(-0.5, 0.5), 1]) * 1.5 * size

    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.polygon(scaled(rim), fill=255)
        if rng.random() < 0.6:
            path, line = scaled(np.array([centre, end])), 0.7 * min(wide, tall)
            pen.line(path, fill=255, width=max(1, round(line * FINER)))

    alpha = drawn(count, draw)
    tone = rng.uniform(5, 245, 3)
    grain = 0.2 * noise(rng, count, 4) + 0.1 * noise(rng, count, 90)
    plain = tone * (1 + grain)[..., None]
    colour = texture if rng.random() < 0.4 else np.clip(plain, 0, 255)
    shade = rng.uniform(0, 0.5)
    return lay(scene, colour.astype(np.float32), alpha, "front", shade)


def stick(scene: Scene, rng: Random) -> Scene:
    """A cigarette, a straw, a pen: from between the lips outwards, or across."""
    count, size = len(scene.image), scene.size
    start = scene.landmarks[INNER_LIPS][rng.integers(8)] + rng.normal(0, 0.01 * size, 2)
    angle = rng.uniform(-0.35, np.pi + 0.35)  # 0 is to the right, then downwards
    along = np.array([np.cos(angle), np.sin(angle)])
    long, wide = rng.uniform(0.15, 0.6) * size, rng.uniform(0.02, 0.06) * size
    ends = np.array([start - rng.uniform(0, 0.05) * size * along, start + long * along])

    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.line(scaled(ends), fill=255, width=max(2, round(wide * FINER)))

    rows, columns = np.mgrid[:count, :count] + 0.5
    away = np.stack([columns, rows], -1) - start
    across = away @ np.array([-along[1], along[0]]) / wide  # -0.5 to 0.5
    round_off = 1 - rng.uniform(0.3, 1.2) * (across - rng.uniform(-0.3, 0.3)) ** 2
    light = _tone(scene).mean() / 160 * rng.uniform(0.7, 1.2)
    colour = _wrapping(away @ along / long, rng) * (light * round_off)[..., None]
    colour = colour.clip(0, 255).astype(np.float32)
    return lay(scene, colour, drawn(count, draw), "front", rng.uniform(0, 0.5))


def _wrapping(part: NDArray[Any], rng: Random) -> NDArray[Any]:
    """Return a stick's colours by the part of its length: cigarettes have filters."""
    smoked = rng.random() < 0.6
    tone = np.array(PAPER) if smoked else rng.uniform(10, 245, 3)
    tip = np.array(CORK) if smoked and rng.random() < 0.6 else tone
    wrapped = np.where((part < rng.uniform(0.15, 0.35))[..., None], tip, tone)
    burnt = smoked & (part > rng.uniform(0.8, 1.1))
    ash = np.array(ASH) * rng.uniform(0.3, 1.2, (*part.shape, 1))
    return np.where(burnt[..., None], ash, wrapped)
