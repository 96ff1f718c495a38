import numpy as np
import pytest

from retouch.training import draped, handheld, occluders, parts
from retouch.training.handheld import Cutout
from retouch.training.scenes import Scene
from tests.retouch.training.test_parts import head, picture


def scene():
    sets = parts.of_landmarks(picture(), head(), glasses=False)
    return Scene(picture().astype(np.float32), sets, head(), 214.0)


def held(colour=(120, 80, 70), kind="hand"):
    """Return a cutout that lies over the mouth of a face like the scene's."""
    image = np.full((*picture().shape[:2], 3), colour, np.uint8)
    area = np.zeros(image.shape[:2], bool)
    area[160:220, 90:170] = True
    return Cutout(image, area, head(), kind)


@pytest.mark.parametrize(
    ("laid", "part"),
    [
        (occluders.glasses, "glasses"),
        (occluders.hair, "hair"),
        (handheld.hand, "front"),
        (handheld.stick, "front"),
        (draped.flower, "front"),
        (lambda s, r: draped.cloth(s, r, 0 * s.image), "front"),
        (lambda s, r: handheld.thing(s, r, 0 * s.image), "front"),
        (lambda s, r: handheld.pasted(s, held(), r), "front"),
        (lambda s, r: handheld.pasted(s, held(kind="glasses"), r), "glasses"),
    ],
)
def test_what_is_put_in_front_is_labelled_where_it_covers(laid, part):
    for seed in range(8):
        before = scene()
        after = laid(before, np.random.default_rng(seed))
        new = (after.sets == parts.BIT[part]) & (before.sets != after.sets)
        moved = np.abs(after.image - before.image).max(-1)
        assert after.image.shape == before.image.shape
        assert np.isfinite(after.image).all()
        assert not new.any() or moved[new].mean() > 5


def test_a_cutout_lies_about_where_it_was():
    for seed in range(8):
        after = handheld.pasted(scene(), held(), np.random.default_rng(seed))
        covered = after.sets == parts.BIT["front"]
        rows, columns = np.nonzero(covered)
        assert np.hypot(rows.mean() - 190, columns.mean() - 130) < 0.35 * 214
        assert 0.4 < covered.sum() / held().area.sum() < 2


def test_cloth_before_a_face_is_in_front_and_beyond_it_may_be_background():
    """Landmarks 8, 30 and 33 are the chin, the nose's tip and its base."""
    both, covered = parts.bits("front", "background"), []
    for seed in range(16):
        after = draped.cloth(scene(), np.random.default_rng(seed), 0 * scene().image)
        assert after.sets[4, 4] != parts.BIT["front"]
        assert (after.sets[-8:] != parts.BIT["front"]).all()
        x, y = head()[30].astype(int)
        assert not after.sets[y - 20, x] & parts.BIT["front"]
        covered.append(
            ((after.sets == parts.BIT["front"]).sum(), (after.sets == both).sum())
        )
    over, beyond = np.array(covered).T
    assert (over > 200).sum() >= 6
    assert (beyond > 200).all()


def test_a_hand_is_often_of_the_colour_of_the_face():
    """The scene's skin is 180 grey, the hand is brown."""
    tones = []
    for seed in range(24):
        after = handheld.pasted(scene(), held(), np.random.default_rng(seed))
        tones.append(np.median(after.image[after.sets == parts.BIT["front"]], 0))
    grey = np.ptp(np.array(tones), 1) < 8
    assert 6 <= grey.sum() <= 18


def test_nothing_in_front_changes_nothing():
    class Never:
        def random(self):
            return 1.0

    before = scene()
    after = occluders.covered(before, Never(), before.image, [held()])
    assert after is before
