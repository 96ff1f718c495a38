"""What a face's surroundings show: skin, hair, glasses, hands, pixel by pixel."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import (
    gaussian_filter,
    grey_closing,
    grey_dilation,
    grey_erosion,
    label,
)

from pretrained.forward import Forward
from pretrained.registry import Library, library
from retouch.faces.crop import Pixels, Window, cut, uncut
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import (
    HEAD,
    INNER_LIPS,
    JAW,
    LEFT_EYE,
    RIGHT_EYE,
    Face,
    Points,
    Similarity,
    hull,
    oval,
    seam,
)
from retouch.smoothing import ramp
from scorers.parsing import PARTS, RESOLUTION, network

WEIGHTS = "parsing"
# What lies in front of a face, and what of it an edit must not touch.
COVERING = ("hair", "glasses", "front")
FACE = ("skin", "brows", "white", "iris", "nose", "lips", "teeth")
COLOURS = (  # in which the parts are shown
    *((0, 0, 0), (232, 190, 160), (110, 50, 10), (255, 255, 255), (40, 90, 255)),
    *((60, 200, 90), (230, 40, 70), (255, 255, 120), (150, 100, 40), (200, 0, 220)),
    (0, 220, 230),
)
SEEN = 0.35  # chance of a feature where landmarks have it: it is seen
MOUTH = 0.3, 0.5  # such chances of lips: below, a hand or cup hides them; above, none
PARTED, SLIVER = 0.5, 0.85  # such a chance, beyond such a part, of an open mouth
CLEAR, HIDDEN = 0.2, 0.5  # chances of being covered: below, above
# How much more hands and things in front are than their chances say: what is missed is
# painted over, what is found in vain is but left as it is.
FRONT = 6.0
SPECK = 30.0  # sure pixels of the network's: less of a thing in front is none
LIPS_ALONE = 0.4  # mean chance of lips and teeth, from which a piece is no thing
FRAME = 600.0  # such pixels of glasses: from there on they are some
RIMS = 2.0  # how much more than its chance what belongs to them is
GAPS = 9  # pixels of the network's, over which what is in front is closed
REGIONS = {
    "face": FACE,
    "skin": ("skin",),
    "mouth": ("lips", "teeth"),
    "eyes": ("white", "iris"),
    **{name: (name,) for name in ("brows", "lips", "teeth", "nose", "hair", "glasses")},
}
LIFT = 0.8  # how far brows are lifted to the forehead's end, of the way from the nose
RIM = 9  # pixels of the network's, across: hair so near the jaw may lie behind it
AROUND = 3  # pixels of the network's, over which what covers is taken to reach


@dataclass(frozen=True, eq=False)
class Parts:
    """The chance of each part at each pixel of a square around a head."""

    chances: Pixels  # (R, R, parts)
    transform: Similarity  # from the photo to that square
    sure: bool  # whether what it shows is a face at all
    inside: Pixels  # (R, R), 1 where the landmarks say that the face is
    veiled: Pixels  # (R, R), 1 around a mouth that something hides, whatever it is

    def chance(self, *names: str) -> Pixels:
        """Return the chance that a pixel shows one of these parts, (R, R)."""
        return self.chances[..., [PARTS.index(name) for name in names]].sum(-1)

    def in_crop(self, area: Pixels, transform: Similarity, size: int) -> Pixels:
        """Return what a map of this square is in another crop, (size, size)."""
        move = transform @ self.transform.inverse
        return cut(area[..., None], move, size, linear=True)[..., 0].clip(0, 1)

    def in_photo(self, area: Pixels, window: Window) -> Pixels:
        """Return what a map of this square is in a window of the photo."""
        return uncut(area[..., None], self.transform, window, linear=True)[..., 0]

    def settled(self, face: Face) -> Face:
        """Return the photo's face with shut lips, where it shows none between them.

        Landmarks often part lips that touch: full ones, painted ones, beards.
        """
        between = face.moved(self.transform).landmarks[INNER_LIPS]
        seen = self.chance("teeth")[_filled(between) > 0]
        if len(seen) and np.quantile(seen, SLIVER) > PARTED:
            return face
        return face.shut()

    @cached_property
    def _hair(self) -> Pixels:
        """The chance of hair that grows from outside the face: no lashes or brows."""
        return _reaching(self.chance("hair"), self.inside == 0)

    @cached_property
    def _front(self) -> Pixels:
        """The chance of hands and things, without specks of which nothing is sure.

        What lies within lips and looks like them is a shine on them, or a gap.
        """
        front = self.chance("front")
        pieces = _pieces(front, CLEAR / FRONT)
        size = _sums(pieces, np.ones_like(front))
        things = _sums(pieces, front) > SPECK
        things &= _sums(pieces, self.chance(*LIPS)) <= LIPS_ALONE * size
        return FRONT * front * things[pieces]

    @cached_property
    def _glasses(self) -> Pixels:
        """The chance of glasses: thin rims are half seen where a whole frame is."""
        glasses = self.chance("glasses")
        pieces = _pieces(glasses, CLEAR / RIMS)
        frames = _sums(pieces, glasses) > FRAME
        return glasses * np.where(frames[pieces], np.float32(RIMS), np.float32(1))

    @cached_property
    def _fringe(self) -> Pixels:
        """The chance of hair before the face: it reaches further in than its rim."""
        return _reaching(self.inside * self._hair, grey_erosion(self.inside, RIM) > 0)

    def free(
        self,
        transform: Similarity,
        size: int,
        regions: Iterable[str] = (),
        *,
        held: bool = False,
    ) -> Pixels:
        """Return 0 in a crop where something lies in front of the face, else 1.

        Hair that frames a face may move with its outline; hair before it may not. Where
        it is not sure that there is a face, none is known to lie before it.

        Args:
            regions: where it is free at all; everywhere if none is named.
            held: hands and things alone count, as they do before glasses put on.
        """
        named = {part for region in regions for part in REGIONS[region]}
        hidden = grey_closing(self._front, GAPS)
        if not held and "glasses" not in named:
            hidden = hidden + self._glasses
        if self.sure and not held and "hair" not in named:
            hidden = hidden + self._fringe
        hidden = np.maximum(grey_dilation(hidden, AROUND), self.veiled)
        shown = 1 - ramp(self.in_crop(hidden, transform, size), CLEAR, HIDDEN)
        if named:
            shown *= ramp(
                self.in_crop(self.chance(*named), transform, size), CLEAR, HIDDEN
            )
        return shown


class Parser:
    """Finds the parts of faces; loads its network once."""

    def __init__(self, weights: Library | None = None) -> None:
        shelf = weights or library()
        self._network = Forward(network, shelf.weights(WEIGHTS, "scorer"))

    def parts(self, pixels: NDArray[Any], face: Face, *, glance: bool = False) -> Parts:
        """Return the parts of a face in a photo (H, W, 3), 8 or 16 bit.

        Args:
            glance: look at it once, in half the time, and not at its mirror image, too.
        """
        seen = FaceCrop.of(pixels, face, HEAD, RESOLUTION, linear=glance)
        image, marks = seen.image, seen.landmarks
        logits = self._network(image[None])[0]
        if not glance:
            logits = (logits + self._network(image[None, :, ::-1])[0, :, ::-1]) / 2
        chances = _softmax(logits)
        sure = _is_face(chances, marks)
        veiled = _veiled(chances, marks)
        return Parts(chances, seen.transform, sure, _inside(marks), veiled)


@cache
def parser() -> Parser:
    """Return the parser with the weights that ship."""
    return Parser()


LIPS = ("lips", "teeth")
FEATURES = {
    ("white", "iris", "brows"): [*range(LEFT_EYE.start, RIGHT_EYE.stop)],
    ("nose",): [30, 33],
    LIPS: [51, 57, 62, 66],
}  # and the landmarks that lie on them
# Glasses hide eyes and hands mouths: where they lie in front, a face is seen as well.
HIDERS = {("white", "iris", "brows"): ("glasses",), ("nose",): (), LIPS: ("front",)}
ALAE = [31, 35]  # the nose's sides, above which no mouth reaches
SEAM = 33  # points at which it is looked at where lips meet
VEIL = 6.0  # pixels of the network's, over which it ends


def _reaching(chance: Pixels, where: NDArray[np.bool_]) -> Pixels:
    """Return the chance of a thing in those of its pieces that reach somewhere."""
    pieces = _pieces(chance, CLEAR)
    there = np.unique(pieces[where])
    return np.asarray(chance * np.isin(pieces, there[there > 0]), np.float32)


def _pieces(chance: Pixels, clear: float) -> NDArray[np.int32]:
    """Return the number of the piece of a thing that a pixel is of, 0 for none."""
    return np.asarray(label(chance > clear)[0], np.int32)


def _sums(pieces: NDArray[np.int32], values: Pixels) -> NDArray[np.float64]:
    """Return the sum of values over each piece, first over what is of none."""
    return np.asarray(np.bincount(pieces.ravel(), values.ravel()), np.float64)


def _inside(landmarks: Points) -> Pixels:
    """Return 1 from the jaw to the forehead, (R, R)."""
    return _filled(oval(landmarks, LIFT))


def _veiled(chances: Pixels, landmarks: Points) -> Pixels:
    """Return 1 below the nose where no lips are seen, or not all on a face, (R, R)."""
    seen = min(_seen(chances, landmarks, LIPS), _on_face(chances, landmarks))
    hidden = 1 - ramp(seen, *MOUTH)
    below = _filled(np.concatenate([landmarks[JAW][3:14], landmarks[ALAE]]))
    return np.float32(hidden) * gaussian_filter(below, VEIL)


def _on_face(chances: Pixels, landmarks: Points) -> float:
    """Return the least chance of a face along the line where lips meet."""
    line = seam(landmarks)
    at = np.linspace(0, len(line) - 1, SEAM)
    x, y = (np.interp(at, range(len(line)), c).astype(int) for c in line.T)
    edge = RESOLUTION - 1
    shown = chances[y.clip(0, edge), x.clip(0, edge)]
    return float(shown[:, [PARTS.index(name) for name in FACE]].sum(-1).min())


def _filled(points: Points) -> Pixels:
    """Return 1 within the points' hull, 0 outside, (R, R)."""
    corners = hull(points) - 0.5
    canvas = Image.new("F", (RESOLUTION, RESOLUTION))
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in corners], fill=1)
    return np.asarray(canvas, np.float32)


def _softmax(logits: Pixels) -> Pixels:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return (raised / raised.sum(-1, keepdims=True)).astype(np.float32)


def _is_face(chances: Pixels, landmarks: Points) -> bool:
    """Say whether two of eyes, nose and mouth, or what hides them, are in place."""
    found = [_seen(chances, landmarks, f, HIDERS[f]) for f in FEATURES]
    return sum(chance > SEEN for chance in found) >= 2


def _seen(
    chances: Pixels,
    landmarks: Points,
    names: tuple[str, ...],
    hiders: tuple[str, ...] = (),
) -> float:
    """Return the chance of a feature, or what hides it, where landmarks have it."""
    x, y = landmarks[FEATURES[names]].astype(int).clip(0, RESOLUTION - 1).T
    parts = [PARTS.index(name) for name in (*names, *hiders)]
    return float(chances[y, x][:, parts].sum(-1).mean())
