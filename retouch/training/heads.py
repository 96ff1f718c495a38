"""Heads with what is known of their parts, turned into batches that vary.

Drawn masks teach hair, skin and background; crops with landmarks alone teach mouths,
eyes, and skins and lights that the drawn pictures lack.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.geometry import HEAD, Face, Similarity
from retouch.training import occluders, parts
from retouch.training.handheld import Cutout
from retouch.training.scenes import Scene
from retouch.training.shards import Shards
from scorers.parsing import RESOLUTION

Floats = NDArray[np.float32]
Random = np.random.Generator
ROOM = 96  # pixels around a picture, mirrored: what lies there is not known
LONGEST = 400  # pixels of a picture's side
HELD_OUT = ("personne03", "personne10", "personne13", "f5", "f10", "f15", "f20")
# Of a batch: from masks drawn by hand, and with what lies in front outlined by hand.
DRAWN_SHARE, OUTLINED_SHARE = 0.35, 0.2
DARK, LIGHT = 0.45, 1.35  # how much an exposure varies


@dataclass(frozen=True, eq=False)
class Head:
    """A picture of a head, with what each pixel may show."""

    name: str
    image: NDArray[np.uint8]  # (H, W, 3)
    sets: parts.Sets
    landmarks: parts.Points
    drawn: bool = False  # by hand
    outlined: bool = False  # by hand, what lies in front

    @property
    def has_room(self) -> bool:
        """Whether the picture is so wide that its corners show a background."""
        landmarks = np.asarray(self.landmarks, np.float64)
        return Face(landmarks, (0, 0, 1, 1)).size < 0.85 * self.image.shape[1]

    def placed(self, transform: Similarity) -> Scene:
        """Return the head as a transform into the network's square shows it."""
        pad = ((ROOM, ROOM), (ROOM, ROOM))
        image = np.pad(self.image, (*pad, (0, 0)), "reflect")
        sets = np.pad(self.sets, pad, constant_values=parts.ANYTHING)
        move = (transform @ Similarity.shifting(-ROOM, -ROOM)).inverse
        data, size = tuple(move.matrix.ravel()), (RESOLUTION, RESOLUTION)
        kind, linear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
        shown = Image.fromarray(image).transform(size, kind, data, linear)
        known = Image.fromarray(sets).transform(
            size, kind, data, Image.Resampling.NEAREST, fillcolor=parts.ANYTHING
        )
        marks = transform(self.landmarks)
        face = Face(marks, (0, 0, *size)).size
        return Scene(
            np.asarray(shown, np.float32), np.array(known, np.int32), marks, face
        )


def person(name: str) -> str:
    """Return who a hand-drawn picture shows: "personne01143_0-45" is "personne01"."""
    return name[:10] if name.startswith("personne") else name


def drawn(folder: Path) -> Iterator[Head]:
    """Yield the pictures of a folder of hand-drawn masks in which a face is found."""
    detector = Detector()
    for path in sorted(folder.glob("*.webp")):
        with Image.open(path) as picture:
            image = np.array(picture.convert("RGB"))
        mask = np.array(Image.open(path.with_suffix(".png")))
        if faces := detector.find(image):
            marks = faces[0].landmarks
            sets = parts.of_drawn(mask, marks, image)
            yield Head(path.stem, image, sets, marks, drawn=True)


def from_shards(shards: Shards) -> Iterator[Head]:
    """Yield the crops of people not held out; labels may tell who wears glasses."""
    worn = np.full(len(shards.names), np.nan, np.float32)
    if "glasses" in shards.traits:
        worn = shards.labels[:, shards.traits.index("glasses")]
    for i in np.flatnonzero(~shards.testing()):
        image, marks = shards.images[i], shards.landmarks[i].astype(np.float64)
        sets = parts.of_landmarks(image, marks, glasses=not worn[i] < 0.5)
        yield Head(f"{shards.sources[i]}/{shards.names[i]}", image, sets, marks)


class Heads:
    """Random batches that depend on the seed and the step alone."""

    def __init__(
        self,
        heads: list[Head],
        size: int,
        seed: int,
        cutouts: Sequence[Cutout] = (),
    ) -> None:
        self.drawn = [head for head in heads if head.drawn]
        self.outlined = [head for head in heads if head.outlined]
        self.others = [head for head in heads if not head.drawn and not head.outlined]
        self.cutouts = cutouts
        if not self.drawn or not self.others:
            raise SettingsError(
                "Parsing is learnt from hand-drawn masks and from crops; got"
                f" {len(self.drawn)} and {len(self.others)}."
            )
        wide = [head for head in self.others if head.has_room]
        self.behind = wide or self.others
        self.size, self.seed = size, seed

    def draw(self, step: int) -> tuple[Floats, parts.Sets]:
        """Return images (N, R, R, 3) in [-1, 1] and the sets (N, R, R)."""
        rng = np.random.default_rng((self.seed, step))
        scenes = [self._scene(rng) for _ in range(self.size)]
        images = np.stack([scene.image for scene in scenes])
        return images / 127.5 - 1, np.stack([scene.sets for scene in scenes])

    def _head(self, rng: Random) -> Head:
        which = rng.random()
        group = self.others
        if which < DRAWN_SHARE:
            group = self.drawn
        elif which < DRAWN_SHARE + OUTLINED_SHARE:
            group = self.outlined or self.others
        return group[rng.integers(len(group))]

    def _scene(self, rng: Random) -> Scene:
        head = self._head(rng)
        scene = head.placed(_jitter(rng) @ HEAD.transform(head.landmarks, RESOLUTION))
        other = self.behind[rng.integers(len(self.behind))]
        if head.drawn:
            scene = _elsewhere(scene, rng, _patch(other.image, rng))
        texture = _fabric(other.image, rng)
        scene = occluders.covered(scene, rng, texture, self.cutouts)
        if rng.random() < 0.5:
            scene = scene._replace(image=scene.image[:, ::-1], sets=scene.sets[:, ::-1])
        return scene._replace(image=_exposed(scene.image, rng))


# --- variation ----------------------------------------------------------------


def _jitter(rng: Random) -> Similarity:
    middle = RESOLUTION / 2
    back = Similarity.shifting(middle, middle)
    shift = Similarity.shifting(*(rng.normal(0, 0.04 * RESOLUTION, 2) - middle))
    turn = Similarity.turning(rng.normal(0, 9))
    return back @ turn @ Similarity.scaling(np.exp(rng.normal(0.0, 0.12))) @ shift


def _patch(image: NDArray[np.uint8], rng: Random) -> Floats:
    """Return an upper corner of a picture, enlarged: a background, not a face."""
    side = int(rng.integers(20, 80))
    x = int(rng.integers(0, 16))
    x = x if rng.random() < 0.5 else image.shape[1] - side - x
    y = int(rng.integers(0, 48))
    part = Image.fromarray(image[y : y + side, x : x + side])
    return np.asarray(part.resize((RESOLUTION, RESOLUTION)), np.float32)


def _fabric(image: NDArray[np.uint8], rng: Random) -> Floats:
    """Return a lower corner of a picture, mirrored on and on: clothes, mostly."""
    side = int(rng.integers(24, 72))
    x = 0 if rng.random() < 0.5 else image.shape[1] - side
    part = Image.fromarray(image[-side:, x : x + side])
    finer = int(side * rng.uniform(0.7, 2.5))
    grown = np.asarray(part.resize((finer, finer)), np.float32)
    room = ((0, max(RESOLUTION - finer, 0)),) * 2
    return np.pad(grown, (*room, (0, 0)), "symmetric")[:RESOLUTION, :RESOLUTION]


def _elsewhere(scene: Scene, rng: Random, behind: Floats) -> Scene:
    """Return a drawn scene before another background, its hair of another colour."""
    image = scene.image
    if rng.random() < 0.5:
        hair = _soft((scene.sets & parts.bits("hair", "brows")) > 0) * (
            scene.sets != parts.ANYTHING
        )
        tone = np.array(occluders.HAIR[rng.integers(len(occluders.HAIR))], np.float32)
        grey = image.mean(-1, keepdims=True)
        mean = (grey * hair[..., None]).sum() / max(hair.sum(), 1)
        tinted = tone * (grey / max(mean, 1)) ** rng.uniform(0.5, 1)
        image = image + hair[..., None] * (np.clip(tinted, 0, 255) - image)
    if rng.random() < 0.6:
        away = _soft(scene.sets == parts.BIT["background"])[..., None]
        image = image + away * (behind - image)
    return scene._replace(image=image)


def _soft(area: NDArray[np.bool_]) -> Floats:
    return gaussian_filter(area.astype(np.float32), 0.8)


def _exposed(image: Floats, rng: Random) -> Floats:
    """Vary light, colour, sharpness and noise."""
    light = (image / 255).clip(0, 1) ** np.exp(rng.normal(0, 0.3))
    light = light * rng.uniform(DARK, LIGHT) * rng.uniform(0.85, 1.15, 3)
    grey = light.mean(-1, keepdims=True)
    light = grey + rng.uniform(0.2, 1.4) * (light - grey)
    if rng.random() < 0.3:  # light from one side
        ramp = np.linspace(rng.uniform(0.3, 1), 1, light.shape[1])[
            :: rng.choice([-1, 1])
        ]
        light = light * ramp[None, :, None]
    if rng.random() < 0.3:
        spread = rng.uniform(0.4, 1.6)
        light = gaussian_filter(light, (spread, spread, 0))
    light = light + rng.normal(0, rng.uniform(0, 0.03), light.shape)
    return (255 * light.clip(0, 1)).astype(np.float32)
