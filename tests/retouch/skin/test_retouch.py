import dataclasses

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut

from retouch.faces.detect import Detector
from retouch.faces.parse import parser
from retouch.geometry import JAW
from retouch.photos.lab import to_lab, to_rgb
from retouch.photos.photo import Photo
from retouch.settings import Skin
from retouch.skin import heal, tone
from retouch.skin.canvas import Canvas
from retouch.skin.retouch import retouched as retouched_photo
from retouch.skin.retouch import worked_out
from retouch.training import blemishes
from scorers import parsing

PARTS = ("even", "shine", "circles", "whiten_teeth", "brighten_eyes", "red_eye")
ALL = Skin(look="studio", texture=0.5, red_eye=1.0, brighten_eyes=1.0, whiten_teeth=1.0)


@pytest.fixture(scope="module")
def portrait():
    head = Image.fromarray(astronaut()[:280, 90:370])
    pixels = np.asarray(head.resize((840, 840), Image.Resampling.BICUBIC))
    return pixels, Detector(scout=False).find(pixels)[0]


@pytest.fixture(scope="module")
def canvas(portrait):
    return Canvas.of(*portrait, parser().parts(*portrait))


def only(**wishes):
    return Skin(look="none", **wishes)


def retouched(pixels, *how):
    photo, shares = retouched_photo(Photo(pixels), *how)
    return photo.pixels, shares


def test_nothing_wished_changes_nothing(portrait):
    pixels, face = portrait
    for wishes, strength in ((Skin(look="none"), 1.0), (ALL, 0.0)):
        after, (touched,) = retouched(pixels, [face], wishes, strength)
        assert (after == pixels).all()
        assert touched == 0


def test_what_lies_outside_face_eyes_and_teeth_is_the_same(portrait, canvas):
    pixels, face = portrait
    after, (touched,) = retouched(pixels, [face], ALL)
    changed = (after != pixels).any(-1)
    assert touched == pytest.approx(changed.mean())
    assert 0.02 < touched < 0.4
    grown = canvas.landmarks - canvas.landmarks.mean(0)
    low, high = (canvas.landmarks.mean(0) + 1.6 * f(grown) for f in (_low, _high))
    inverse = canvas.transform.inverse
    left, top = inverse(low).astype(int)
    right, bottom = inverse(high).astype(int) + 1
    changed[max(top, 0) : bottom, max(left, 0) : right] = False
    assert not changed.any()


def _low(points):
    return points.min(0)


def _high(points):
    return points.max(0)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_linear_in_its_strength(canvas, name):
    whole = worked_out(canvas, only(**{name: 1.0})).added
    half = worked_out(canvas, only(**{name: 0.5})).added
    bare = (np.abs(whole).max(-1) > 1) & (np.abs(half).max(-1) > 0)
    assert np.abs(half - 0.5 * whole)[bare].max(initial=0) < 1e-3


def test_the_skins_mean_colour_stays(portrait, canvas):
    pixels, face = portrait
    for look in ("natural", "studio"):
        after, _ = retouched(pixels, [face], Skin(look=look))
        moved = Canvas.of(after, face, canvas.parts).lab - canvas.lab
        skin = canvas.skin[..., None]
        assert np.abs((moved * skin).sum((0, 1)) / skin.sum()).max() < 1


def test_a_hand_before_skin_is_not_retouched(canvas):
    chances = canvas.parts.chances.copy()
    hand = np.zeros_like(canvas.parts.inside)
    hand[140:180, 100:150] = 0.1
    chances[hand > 0, parsing.PARTS.index("front")] = 0.1
    hidden = dataclasses.replace(canvas.parts, chances=chances)
    where = canvas.parts.in_crop(hand, canvas.transform, canvas.side) > 0.09
    assert canvas.skin[where].mean() > 0.3
    behind = dataclasses.replace(canvas, parts=hidden)
    assert (behind.skin[where] == 0).all()
    assert (worked_out(behind, Skin(look="studio")).added[where] == 0).all()


def test_ears_and_what_is_seen_beside_the_jaw_are_no_part_of_the_face(canvas):
    jaw = canvas.landmarks[JAW]
    beyond = (jaw + 0.05 * (jaw - jaw[::-1]))[[1, 2, 3, 13, 14, 15]].astype(int)
    within = (jaw - 0.05 * (jaw - jaw[::-1]))[[1, 2, 3, 13, 14, 15]].astype(int)
    assert (canvas.oval[beyond[:, 1], beyond[:, 0]] == 0).all()
    assert (canvas.oval[within[:, 1], within[:, 0]] == 1).all()


@pytest.mark.parametrize(("red", "least", "most"), [(12, 0.9, 1.0), (40, 0.0, 0.1)])
def test_a_pimple_on_a_red_cheek_is_skin_and_a_painted_spot_is_none(
    canvas, red, least, most
):
    """A cheek nearly as red as strangers are; what stands out of it by how much."""
    x, y = canvas.landmarks[[1, 31]].mean(0)
    v, u = np.mgrid[: canvas.side, : canvas.side]
    away = np.hypot(u - x, v - y) / canvas.size
    cheek, spot = (np.float32(away < r)[..., None] for r in (0.1, 0.02))
    redder = canvas.blurred(12 * cheek + red * spot, 0.004) * np.float32([0, 1, 0])
    ruddy = dataclasses.replace(canvas, image=to_rgb(canvas.lab + redder))
    core = away < 0.01
    assert canvas.skin[core].mean() > 0.95
    assert least <= ruddy.skin[core].mean() <= most


def test_brighter_irises_keep_their_hue(canvas):
    after = canvas.image + worked_out(canvas, only(brighten_eyes=1.0)).added
    iris = (canvas.area("iris") > 0.9) & (canvas.lab[..., 0] > 15)
    assert iris.sum() > 5
    before, now = (to_lab(x)[iris] for x in (canvas.image, after))
    clear = np.hypot(*before[:, 1:].T) > 4
    turn = [np.degrees(np.arctan2(x[clear, 2], x[clear, 1])) for x in (before, now)]
    off = (turn[1] - turn[0] + 180) % 360 - 180
    assert np.abs(off).max(initial=0) < 3
    assert now[:, 0].mean() > before[:, 0].mean()


def test_overexposed_skin_stays_white_and_a_small_shine_goes(canvas):
    def lit(radius):
        ys, xs = np.nonzero(canvas.skin > 0.98)
        v, u = np.mgrid[: canvas.side, : canvas.side]
        away = np.hypot(u - np.median(xs), v - np.median(ys))
        where = (away < radius * canvas.size) & (canvas.skin > 0.5)
        image = np.where(where[..., None], np.float32([250, 244, 240]), canvas.image)
        bright = dataclasses.replace(canvas, image=image)
        added = worked_out(bright, only(even=1.0, shine=1.0)).added
        return added[where].mean()

    assert lit(0.3) > -1.5
    assert lit(0.03) < -12


def test_shine_is_dulled_and_keeps_its_form(canvas):
    ys, xs = np.nonzero(canvas.skin > 0.98)
    v, u = np.mgrid[: canvas.side, : canvas.side]
    away = np.hypot(u - np.median(xs), v - np.median(ys)) / canvas.size
    shine = np.exp(-((away / 0.05) ** 2))[..., None] * np.float32([26, -8, -8])
    lab = (np.float32([58, 16, 18]) + shine).astype(np.float32)
    light = tone.dulled(canvas, lab)[..., 0]
    rings = [(away >= r) & (away < r + 0.01) for r in np.arange(0, 0.08, 0.01)]
    means = np.array([light[ring & (canvas.skin > 0.98)].mean() for ring in rings])
    assert means[0] < lab[..., 0].max() - 4
    assert (np.diff(means) < 0).all()


def test_sixteen_bits_are_retouched_as_eight_are(portrait):
    pixels, face = portrait
    wishes = Skin(look="studio")
    eight, _ = retouched(pixels, [face], wishes)
    sixteen, _ = retouched(pixels.astype(np.uint16) * 257, [face], wishes)
    assert np.abs(sixteen / 257 - eight).max() < 1.5


def test_a_tiny_face_is_left_alone(portrait):
    pixels, face = portrait
    small = pixels[::8, ::8]
    tiny = dataclasses.replace(face, landmarks=face.landmarks / 8)
    after, (touched,) = retouched(small, [tiny], Skin())
    assert (after == small).all()
    assert touched == 0


def test_a_flash_s_red_pupils_are_dark_again(portrait):
    pixels, face = portrait
    red = pixels.copy()
    x, y = face.landmarks[42:48].mean(0).astype(int)
    red[y - 5 : y + 6, x - 5 : x + 6] = (220, 40, 40)
    after, _ = retouched(red, [face], only(red_eye=1.0))
    assert red[y, x, 0] - after[y, x, 0].astype(int) > 100
    assert (after[: y - 60] == red[: y - 60]).all()


def painted(canvas, paint, seed=0, count=6):
    """Return a canvas with spots on its cheeks and forehead, and where they lie."""
    rng = np.random.default_rng(seed)
    ys, xs = np.nonzero(canvas.skin > 0.98)
    lab, stains = canvas.lab, []
    for _ in range(count):
        pick = rng.integers(len(ys))
        stains += paint(rng, xs[pick], ys[pick], canvas.size)
    spotted = blemishes.painted(lab, stains)
    where = np.abs(spotted - lab).max(-1) > 4
    image = to_rgb(spotted).clip(0, 255).astype(np.float32)
    return dataclasses.replace(canvas, image=image), where


def gone(canvas, paint, wishes, seed=0):
    """Return which part of painted spots retouching takes away."""
    spotted, where = painted(canvas, paint, seed)
    after = spotted.image + worked_out(spotted, wishes).added
    was = np.abs(to_lab(spotted.image) - canvas.lab)[where].mean()
    return 1 - np.abs(to_lab(after) - canvas.lab)[where].mean() / was


def test_pimples_go_and_moles_stay(canvas):
    assert gone(canvas, blemishes._pimple, only(blemishes=1.0)) > 0.5
    assert gone(canvas, blemishes.mole, only(blemishes=1.0, even=1.0)) < 0.2
    assert gone(canvas, blemishes.mole, only(keep_marks=False)) > 0.4


@pytest.mark.parametrize("paint", [blemishes._fold, blemishes._strands, blemishes._rim])
def test_folds_hair_and_rims_stay(canvas, paint):
    for seed in range(3):
        assert gone(canvas, paint, only(blemishes=1.0), seed) < 0.15


def test_blemishes_on_doubtful_skin_go_whole(canvas):
    spoilt, _ = painted(canvas, blemishes._pimple)
    doubtful = dataclasses.replace(spoilt)
    doubtful.__dict__["skin"] = 0.7 * spoilt.skin
    sure, less = (heal.healed(c) - c.image for c in (spoilt, doubtful))
    assert np.abs(sure).max() > 5
    assert np.abs(less - sure)[spoilt.skin > 0.98].max() < 0.5


@pytest.mark.parametrize(
    ("there", "said", "most"), [(12.0, 12.0, 12.0), (0.0, 25.0, 8.0)]
)
def test_healing_turns_no_skin_green(canvas, there, said, most):
    y, x = np.argwhere(gaussian_filter(canvas.skin, 8) > 0.99)[0]
    v, u = np.mgrid[: canvas.side, : canvas.side]
    shape = np.float32(np.hypot(u - x, v - y) < 0.02 * canvas.size)[..., None]
    red = shape * np.float32([0, 1, 0])
    spotted = dataclasses.replace(canvas, image=to_rgb(canvas.lab + there * red))
    held = heal._held(spotted, said * red)[shape[..., 0] > 0]
    assert held[:, 1].min() >= 0
    assert held[:, 1].mean() <= most
    assert held[:, 1].mean() > min(there, said) - 0.5
    assert (held[:, [0, 2]] == 0).all()


def test_a_spot_on_skin_less_red_than_around_goes_whole(canvas):
    y, x = np.argwhere(gaussian_filter(canvas.skin, 8) > 0.99)[0]
    v, u = np.mgrid[: canvas.side, : canvas.side]
    away = np.hypot(u - x, v - y)[..., None] / canvas.size
    red, pale = (np.float32(away < r) * np.float32([0, 1, 0]) for r in (0.02, 0.025))
    flat = np.broadcast_to(np.float32([60, 15, 16]), canvas.image.shape)
    spotted = dataclasses.replace(canvas, image=to_rgb(flat + 12 * red - 3.5 * pale))
    assert heal._held(spotted, 12 * red)[away[..., 0] < 0.02, 1].min() > 11.5


@pytest.mark.parametrize("landmark", [35, 39, 42])
def test_nostrils_and_corners_of_eyes_stay_as_red_as_they_are(canvas, landmark):
    x, y = canvas.landmarks[landmark]
    v, u = np.mgrid[: canvas.side, : canvas.side]
    spot = np.float32(np.hypot(u - x, v - y) < 0.015 * canvas.size)
    red = gaussian_filter(spot, 1)[..., None] * np.float32([-4, 16, 4])
    spotted = dataclasses.replace(canvas, image=to_rgb(canvas.lab + red))
    moved = np.abs(heal.healed(spotted) - spotted.image).max(-1)
    assert moved[spot > 0].mean() < 1.5


def test_what_lies_between_eyes_and_brows_may_be_painted_red(canvas):
    red = heal._red(canvas)
    for lid in ([20, 20, 38], [23, 23, 43]):
        x, y = canvas.landmarks[lid].mean(0)
        assert red[int(y), int(x)] > 0.9
        assert red[int(y - 0.1 * canvas.size), int(x)] == 0


@pytest.mark.parametrize(("away", "taken"), [(0.01, 0), (0.03, 1)])
def test_a_spot_half_beside_a_nostril_goes_whole_or_stays_whole(canvas, away, taken):
    x, y = canvas.landmarks[35] + (away * canvas.size, 0)
    v, u = np.mgrid[: canvas.side, : canvas.side]
    spot = np.hypot(u - x, v - y) < 0.015 * canvas.size
    part = heal._taken(canvas, spot[..., None] * np.float32([-4, 12, 0]))[spot]
    half = (1 - heal._red(canvas))[spot]
    assert half.min() < 0.4 and half.max() > 0.5
    assert part == pytest.approx(taken, abs=0.1)


def test_healing_leaves_the_pores(canvas):
    def fine(image):
        return (image - gaussian_filter(image, (1, 1, 0)))[canvas.skin > 0.9].std()

    spotted, _ = painted(canvas, blemishes._red_spot)
    after = spotted.image + worked_out(spotted, only(blemishes=1.0)).added
    assert fine(after) == pytest.approx(fine(spotted.image), rel=0.03)


@pytest.mark.parametrize("said", [0.6, 1.0])
def test_a_stain_is_as_strong_as_the_picture_shows(canvas, said):
    y, x = np.argwhere(gaussian_filter(canvas.skin, 8) > 0.99)[0]
    v, u = np.mgrid[: canvas.side, : canvas.side]
    shape = np.hypot(u - x, v - y) < 0.014 * canvas.size
    stain = gaussian_filter(np.float32(shape), 1)[..., None] * np.float32([-6, 10, 1])
    spotted = dataclasses.replace(canvas, image=to_rgb(canvas.lab + stain))
    fitted = heal._fitted(spotted, said * stain)
    core = np.abs(stain[..., 1]) > 5
    assert 0.85 < fitted[core, 1].mean() / stain[core, 1].mean() < 1.25
    assert (heal._fitted(spotted, 0 * stain) == 0).all()
