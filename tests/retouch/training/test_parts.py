import numpy as np

from retouch.training import parts
from scorers.parsing import PARTS

SIZE = 256


def head():
    """Return 68 landmarks of a face that looks straight at us, in SIZE pixels."""
    t = np.linspace(0, np.pi, 17)
    jaw = np.stack([128 - 80 * np.cos(t), 100 + 110 * np.sin(t)], -1)
    brow = np.array([(0, 6), (10, 0), (20, -2), (30, 0), (40, 5)], float)
    eye = np.array([(0, 0), (9, -7), (20, -7), (30, 0), (20, 6), (9, 6)], float)
    nose = [(128, 100), (128, 115), (128, 130), (128, 145)]
    wings = [(112, 155), (120, 158), (128, 160), (136, 158), (144, 155)]
    a = np.linspace(np.pi, 3 * np.pi, 12, endpoint=False)
    lips = np.stack([128 + 34 * np.cos(a), 185 + 18 * np.sin(a)], -1)
    b = np.linspace(np.pi, 3 * np.pi, 8, endpoint=False)
    inner = np.stack([128 + 26 * np.cos(b), 185 + 9 * np.sin(b)], -1)
    eyes = [eye + np.array([x, 105]) for x in (70, 156)]
    brows = [brow + np.array([x, 82]) for x in (64, 152)]
    return np.concatenate([jaw, *brows, nose, wings, *eyes, lips, inner])


def picture():
    image = np.full((SIZE, SIZE, 3), 180, np.uint8)
    for x in (85, 171):
        image[99:111, x - 6 : x + 6] = 40  # irises
    return image


def at(sets, x, y):
    return {name for name, bit in parts.BIT.items() if sets[y, x] & bit}


def test_landmarks_tell_what_they_can_and_no_more():
    sets = parts.of_landmarks(picture(), head(), glasses=False)
    assert at(sets, 85, 105) == {"iris"}
    assert at(sets, 73, 105) <= {"white", "iris"}
    assert at(sets, 128, 185) == {"teeth"}
    assert at(sets, 128, 198) == {"lips"}
    assert at(sets, 80, 150) == {"skin"}
    assert at(sets, 128, 145) == {"nose"}
    assert at(sets, 128, 70) == {"skin", "brows", "hair"}
    assert at(sets, 4, 250) == {"background", "skin", "hair"}
    assert at(sets, 1, 1) == {"background"}


def test_who_may_wear_glasses_may_hide_behind_them():
    sets = parts.of_landmarks(picture(), head())
    assert "glasses" in at(sets, 85, 105)
    assert "glasses" in at(sets, 128, 128)


def test_a_drawn_mask_keeps_its_word_and_landmarks_refine_it():
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[40:220, 50:206] = 1
    mask[10:60] = 2
    mask[80:88, 62:106] = 2
    mask[98:112, 68:102] = 3
    mask[170:203, 96:160] = 5
    sets = parts.of_drawn(mask, head(), picture())
    assert at(sets, 128, 20) == {"hair"}
    assert at(sets, 84, 83) == {"brows"}
    assert at(sets, 85, 105) == {"iris"}
    assert at(sets, 128, 185) == {"teeth"}
    assert at(sets, 128, 200) == {"lips"}
    assert at(sets, 150, 140) == {"skin"}


def test_every_part_has_a_bit_of_its_own():
    assert parts.bits(*PARTS) == parts.ANYTHING
    assert len(set(parts.BIT.values())) == len(PARTS)
