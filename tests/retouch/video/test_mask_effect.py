import numpy as np
import pytest

from generators import weights
from generators.expression_mask import Config, ExpressionMask
from retouch.errors import FaceError
from retouch.faces.crop import cut
from retouch.geometry import TIGHT
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.video.mask_effect import MaskEffect
from retouch.video.track import Tracker
from tests.retouch import clips
from tests.retouch.drawing import drawn_face

PLAN = Config(resolution=64, channels=(8, 8, 8), style=4, manner=6, shapes=3)


def tiny():
    """Return a mask of random weights that knows of plausible shapes."""
    mask = ExpressionMask(PLAN, name="generator")
    rng, arrays = np.random.default_rng(0), weights.arrays(mask)
    for name in ("people", "shape_axes"):
        arrays[name] = rng.normal(0, 0.05, arrays[name].shape).astype(np.float32)
    for name in ("between", "within"):
        arrays[name] = np.eye(136, dtype=np.float32)
    arrays["shape_mean"][:136] = drawn_face().landmarks.ravel()
    weights.assign(mask, arrays)
    return mask


@pytest.fixture(scope="module")
def face(detector):
    return detector.find(clips.PORTRAIT)[0]


@pytest.fixture(scope="module")
def mask():
    return tiny()


def test_only_the_face_changes(mask, face):
    after = MaskEffect(mask, 1).masked(clips.PORTRAIT, [face])
    changed = (after != clips.PORTRAIT).any(-1)
    rows, columns = np.nonzero(changed)
    inside = face.transform(TIGHT, 1)(np.stack([columns, rows], -1) + 0.5)
    assert changed.mean() > 0.03 and inside.min() > -0.2 and inside.max() < 1.2
    assert after.dtype == np.uint8 and after is not clips.PORTRAIT


def test_the_same_person_gives_the_same_bytes_another_gives_others(mask, face):
    first, again, other = (
        MaskEffect(mask, person).masked(clips.PORTRAIT, [face]) for person in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_each_face_of_a_photo_is_another_person(mask, face):
    effect = MaskEffect(mask, 5)
    pieces = [effect.piece(clips.PORTRAIT, face, number) for number in (0, 1)]
    alone = MaskEffect(mask, 6).piece(clips.PORTRAIT, face, 0)
    assert (pieces[0].change.after != pieces[1].change.after).any()
    np.testing.assert_array_equal(pieces[1].change.after, alone.change.after)


def test_a_photo_comes_with_a_report_and_keeps_its_own(mask):
    photo = Photo(clips.PORTRAIT, format="PNG")
    result = MaskEffect(mask, 2).photo(photo, Settings())
    assert (result.photo.pixels != photo.pixels).any() and result.before is photo
    (report,) = result.faces
    assert report.identity > 0 and report.share == 1 and not report.note
    assert result.provenance.model == "mask" and "2" in result.provenance.edit


def test_a_photo_without_a_face_is_a_sentence(mask):
    with pytest.raises(FaceError, match="No face"):
        MaskEffect(mask).photo(Photo(np.full((90, 90, 3), 90, np.uint8)), Settings())


def test_sixteen_bits_stay_sixteen_bits(mask, face):
    photo = clips.PORTRAIT.astype(np.uint16) * 257
    after = MaskEffect(mask).masked(photo, [face])
    eight = MaskEffect(mask).masked(clips.PORTRAIT, [face])
    assert after.dtype == np.uint16
    assert np.abs(after / 257 - eight).max() <= 1


def test_a_face_that_stands_still_does_not_flicker(detector):
    """The shipped mask: noise of the camera must not be blown up."""
    tracker, effect = Tracker(detector), MaskEffect.load(0)
    rng, before, after = np.random.default_rng(0), [], []
    for i in range(24):
        noise = rng.normal(0, 3, clips.PORTRAIT.shape)
        shown = (clips.PORTRAIT + noise).clip(0, 255).round().astype(np.uint8)
        tracks = tracker.follow(shown, i / 25)
        before.append(shown)
        after.append(effect.apply(shown, tracks, i / 25))
    face = tracks[0].face
    crops = [
        np.array(
            [cut(p, face.transform(TIGHT, 64), 64)[20:54, 14:50] for p in some[12:]]
        )
        for some in (before, after)
    ]
    flicker = [np.abs(np.diff(c, axis=0)).mean() for c in crops]
    assert flicker[1] < 1.5 * flicker[0]
