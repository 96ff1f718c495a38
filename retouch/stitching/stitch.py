"""Stitching an edited face into its photo, so that nothing else changes.

Two methods. `replace` lays in the generator's picture, its colours matched to the
photo's. `difference` keeps the photo's own pixels: they are moved as the edit moves
the face and lit as the edit lights it, teeth of an open mouth too. Only the teeth that
a closed one bares are painted from the generator's picture, and a mouth that closes,
with the skin's grain. Sums are taken in float on the encoded values, as the generator
saw them, and rounded once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from retouch.errors import SettingsError
from retouch.faces.crop import Pixels, cut, resized
from retouch.geometry import Face, Similarity
from retouch.stitching import flow, mask
from retouch.stitching.colour import matched, ungreened
from retouch.stitching.layers import Layers

METHODS = ("difference", "replace")
SMALLEST = 16  # pixels a side to which crops are shrunk at most
# In parts of the face's size:
LONGEST_MOVE = 0.1
CAST_WIDTH = 0.2  # broader changes of light are taken out,
RIM_WIDTH = 0.05  # and where the mask ends, narrower ones too
MOUTH_WIDTH = 0.08  # over which a painted mouth takes on the light around it
FINE = 1.5  # crop pixels: what is finer than this is detail
MOST_GAIN = 2.0
NEW_MOUTH = (12.0, 22.0)  # levels of change at which painting starts and is complete
OPEN = (0.04, 0.09)  # of a mouth's width: lips so far apart show teeth, few or all;
CLOSING = (8.0, 18.0)  # levels by which the gap reddens if it begins to close, or does
TEETH = (6.0, 20.0)  # levels less red at which lips begin to be teeth, and are
SOFT = 1.0  # crop pixels: how far what is painted of them fades into the lips
TEETH_KEPT = 0.6  # part of what would brighten teeth that were there
BRIGHTEST = 99  # percentile of a face that an edited mouth does not outshine,
KNEE = 0.8  # and from which part of it on light is bent


@dataclass(frozen=True, eq=False)
class Change:
    """What an edit did to a crop: RGB from 0 to 255, any size.

    The flow says, in crop pixels, where each point of `after` lay in `before`; it is
    estimated where it is not given.
    """

    before: Pixels  # (R, R, 3)
    after: Pixels  # (R, R, 3)
    flow: Pixels | None = None  # (R, R, 2)

    def __post_init__(self) -> None:
        size = self.before.shape[0]
        _require("before", self.before, (size, size, 3))
        _require("after", self.after, (size, size, 3))
        if self.flow is not None:
            _require("flow", self.flow, (size, size, 2))

    @classmethod
    def moving(cls, crop: Pixels, moves: Pixels) -> Self:
        """Return the change that moves what the crop shows and does nothing else."""
        return cls(crop, flow.fetch(crop, moves), moves)

    @property
    def size(self) -> int:
        return self.before.shape[0]

    @property
    def is_none(self) -> bool:
        still = self.flow is None or not self.flow.any()
        return still and np.array_equal(self.before, self.after)

    def resized(self, size: int) -> "Change":
        before, after = (resized(c, size) for c in (self.before, self.after))
        if self.flow is None:
            return Change(before, after)
        moves = resized(self.flow, size) * np.float32(size / self.size)
        return Change(before, after, moves)


def _require(name: str, field: Pixels, shape: tuple[int, ...]) -> None:
    if field.shape != shape or field.dtype.kind != "f":
        got = f"{field.dtype} {field.shape}"
        raise ValueError(f"A change's {name} must be floats {shape}; received {got}.")
    if not np.isfinite(field).all():
        raise ValueError(f"A change's {name} must be finite; received NaN or infinity.")


@dataclass(frozen=True, eq=False)
class Piece:
    """A changed face and where it belongs."""

    face: Face
    transform: Similarity  # from the photo to the change's crops
    change: Change
    visible: Pixels | None = None  # (R, R), see `mask.draw`

    def fitted(self) -> "Piece":
        """Return this piece no finer than the photo, which could not show more."""
        size = self.change.size
        finest = max(SMALLEST, int(size / self.transform.scale))
        if size <= finest:
            return self
        transform = Similarity.scaling(finest / size) @ self.transform
        visible = self.visible
        if visible is not None:
            visible = resized(visible[..., None], finest)[..., 0].clip(0, 1)
        return Piece(self.face, transform, self.change.resized(finest), visible)


class _Masks(NamedTuple):
    """Where a face may change; its surface, skin and mouth; (S, S) each."""

    edit: Pixels
    surface: Pixels
    skin: Pixels
    mouth: Pixels
    gap: Pixels  # what shows between the lips, 0 where they are closed


def stitch(
    photo: NDArray,
    pieces: Iterable[Piece],
    *,
    method: str = "difference",
    regions: Iterable[str] = ("face",),
) -> NDArray:
    """Return the photo (H, W, 3), 8 or 16 bit, with the pieces laid in, in order.

    Where no mask reaches, and where an edit changed nothing, every pixel is the same.
    """
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise SettingsError(f"Stitching is one of {known}; got {method!r}.")
    if photo.dtype not in (np.uint8, np.uint16) or photo.shape[2:] != (3,):
        got = f"{photo.shape} {photo.dtype}"
        raise ValueError(f"A photo is (H, W, 3), 8 or 16 bit; received {got}.")
    names = tuple(regions)
    result = photo.copy()
    for piece in pieces:
        if not piece.change.is_none:
            _lay_in(result, piece.fitted(), method, names)
    return result


def _lay_in(photo: NDArray, piece: Piece, method: str, names: tuple[str, ...]) -> None:
    face, transform, size = piece.face, piece.transform, piece.change.size
    outline = mask.Outline.of(face, transform, size, photo.shape)
    edit, skin, mouth = (
        outline.draw(regions, piece.visible) for regions in (names, ["skin"], ["mouth"])
    )
    gap = outline.gap() * _part(outline.opening, *OPEN)
    masks = _Masks(edit, outline.whole_surface, skin, mouth, gap)
    if not masks.edit.any():
        return
    own = cut(photo, transform, size) * np.float32(255 / np.iinfo(photo.dtype).max)
    if method == "replace":
        layers = _replacement(piece.change, own, masks)
    else:
        layers = _difference(piece.change, own, masks, face.size * transform.scale)
    layers.lay(photo, transform)


def _replacement(change: Change, own: Pixels, masks: _Masks) -> Layers:
    paint = matched(change.after, change.after, own, masks.skin)
    cover = masks.edit * masks.surface
    nothing = np.zeros_like(own)
    return Layers(cover, nothing[..., :2], nothing, paint, cover)


def _difference(change: Change, own: Pixels, masks: _Masks, unit: float) -> Layers:
    longest = LONGEST_MOVE * unit
    whole = change.flow
    if whole is None:
        whole = flow.estimate(change.before, change.after, masks.edit)
        whole = flow.unfolded(flow.bounded(whole, longest))
    moves = flow.bounded(whole, longest) * masks.edit[..., None]
    moves = flow.unfolded(moves, masks.edit)
    light = change.after - flow.fetch(change.before, whole)
    # What was behind the jaw, or is now, says nothing about the light on the face.
    lit = masks.edit * masks.surface * _moved(masks.surface, whole)
    light = light - _cast(light, lit, masks.skin, unit)
    mouth = np.maximum(masks.mouth, _moved(masks.mouth, moves))
    cover, teeth = _new_mouth(light, masks, mouth, _moved(masks.gap, moves))
    light *= lit[..., None]
    light -= TEETH_KEPT * teeth[..., None] * np.maximum(light, 0)
    moved, brightest = flow.fetch(own, moves), _brightest(own, masks.surface)
    light[..., 1] -= masks.mouth * _new_green(moved, moved + light)
    bent = _under(moved + light, brightest) - _under(moved, brightest)
    light += (mouth * lit)[..., None] * (bent - light)
    paint = _mouth_paint(change, own, masks)
    # The painted mouth keeps its own contrast and takes its light from its rim.
    rim = cover * (1 - cover) * masks.edit
    shade = _blurred(moved + light - paint, rim, MOUTH_WIDTH * unit)
    paint = _under(ungreened(paint + shade), brightest)
    # Teeth have no pores: only where lips are painted do they take on the skin's grain.
    skin = masks.skin if masks.gap.any() else None
    return Layers(masks.edit, moves, light, paint, cover, skin)


def _brightest(own: Pixels, surface: Pixels) -> float:
    """Return how bright a face is where it is brightest: whites of eyes, highlights."""
    seen = own.mean(-1)[surface > 0.5]
    return max(1.0, float(np.percentile(seen, BRIGHTEST))) if seen.size else 255.0


def _under(paint: Pixels, most: float) -> Pixels:
    """Return paint, bent so that nothing in it comes to be brighter than that."""
    light = np.maximum(paint.mean(-1, keepdims=True), 1.0)
    knee = KNEE * most
    bent = knee + (most - knee) * (1 - np.exp((knee - light) / (most - knee)))
    return paint * np.where(light > knee, bent / light, 1)


def _new_green(before: Pixels, after: Pixels) -> Pixels:
    """Return by how much green leads red where it did not: teeth added to lips."""
    return np.maximum(_lead(after) - np.maximum(_lead(before), 0), 0)


def _lead(image: Pixels) -> Pixels:
    return image[..., 1] - image[..., 0]


def _moved(plane: Pixels, moves: Pixels) -> Pixels:
    return flow.fetch(plane[..., None], moves, order=1)[..., 0]


def _new_mouth(
    light: Pixels, masks: _Masks, mouth: Pixels, gap: Pixels
) -> tuple[Pixels, Pixels]:
    """Return where the moved mouth must be painted, and where teeth are that stay.

    Where a closed mouth bares teeth they are painted; one that was open is painted
    whole, if lips come to lie where the gap between them was.
    """
    was_open = masks.gap.max()
    redder = light[..., 0] - light[..., 1:].mean(-1)
    closes = _part(_mean(redder, gap), *CLOSING)
    unlike = _part(_mean(np.abs(light).mean(-1), masks.mouth), *NEW_MOUTH)
    bared = gaussian_filter(_part(-redder, *TEETH), SOFT)
    newness = was_open * closes + (1 - was_open) * unlike * bared
    return newness * mouth * masks.edit, gap * (1 - closes)


def _mean(plane: Pixels, weight: Pixels) -> float:
    return float((plane * weight).sum() / max(weight.sum(), 1.0))


def _part(value: ArrayLike, least: float, most: float) -> NDArray:
    """Return which part of the way from least to most a value, or each, has gone."""
    way = (np.asarray(value, np.float32) - least) / (most - least)
    return way.clip(0, 1)


def _mouth_paint(change: Change, own: Pixels, masks: _Masks) -> Pixels:
    """Return after with colours and fine detail as strong as own's against before's."""
    paint = matched(change.after, change.before, own, masks.surface)
    fine = [
        p - gaussian_filter(p, (FINE, FINE, 0)) for p in (paint, change.before, own)
    ]
    has, wants = (np.sqrt((masks.surface * (f**2).mean(-1)).mean()) for f in fine[1:])
    return paint + fine[0] * (np.clip(wants / (has + 0.1), 1, MOST_GAIN) - 1)


def _cast(light: Pixels, lit: Pixels, skin: Pixels, unit: float) -> Pixels:
    """Return the change of light that is broader than a feature, or crosses the rim."""
    broad = _blurred(light, skin * lit, CAST_WIDTH * unit)
    near = _blurred(light, lit, RIM_WIDTH * unit)
    return near + lit[..., None] * (broad - near)


def _blurred(field: Pixels, weight: Pixels, width: float) -> Pixels:
    """Return the field's mean around each point, counted by weight."""
    size = field.shape[0]
    side = min(size, 64)
    both = np.concatenate([field * weight[..., None], weight[..., None]], -1)
    sigma = width * side / size
    both = gaussian_filter(resized(both, side), (sigma, sigma, 0), truncate=6)
    return resized(both[..., :-1] / np.maximum(both[..., -1:], 1e-4), size)
