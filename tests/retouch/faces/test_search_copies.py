import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from retouch.faces.grey import Grey
from retouch.faces.search_copies import BUDGET, OVERLAP, SEEN, evened, pieces, rounds
from tests.retouch.drawing import texture

sides = st.integers(1, 9000)


@settings(deadline=None)
@given(sides, sides, st.none() | st.floats(40, 400))
def test_no_copy_exceeds_what_is_searched_at_once(width, height, smallest):
    for looks in rounds(width, height, smallest):
        for look in looks:
            assert look.size[0] * look.size[1] <= 1.01 * BUDGET + 4e4


@settings(deadline=None)
@given(sides, sides)
def test_every_look_holds_its_part_of_the_photo(width, height):
    for looks in rounds(width, height, None):
        for look in looks:
            left, top, right, bottom = look.window or (0, 0, width, height)
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            places = look.transform(corners)
            assert places.min() >= -1 and (places <= np.array(look.size) + 1).all()


@settings(deadline=None)
@given(st.integers(2000, 9000), st.integers(2000, 9000), st.floats(40, 80))
def test_tiles_leave_no_small_face_out(width, height, smallest):
    (_, *tiles) = next(iter(rounds(width, height, smallest)))
    scale = SEEN / smallest
    reach = 0.9 * OVERLAP / scale
    rng = np.random.default_rng(0)
    for x, y in rng.uniform(0, 1, (50, 2)) * (width - reach, height - reach):
        assert not tiles or any(
            t.window.left <= x
            and t.window.top <= y
            and x + reach <= t.window.right
            and y + reach <= t.window.bottom
            for t in tiles
        )


@given(st.integers(100, 12000), st.integers(100, 12000))
def test_a_photo_without_a_face_costs_no_more_than_some_megapixels(width, height):
    looks = [look for some in rounds(width, height, None) for look in some]
    looks += pieces(width, height, 1.0, 25e6)
    assert sum(look.size[0] * look.size[1] for look in looks) < 45e6


def test_copies_show_the_photo_at_their_places():
    photo = np.rint(texture(300, 420, fine=12)[..., 0]).astype(np.uint8)
    grey = Grey(photo)
    looks = [look for some in rounds(420, 300, 80) for look in some]
    rng = np.random.default_rng(0)
    points = rng.integers(60, 240, (20, 2))
    for look in looks:
        if look.even:
            continue
        columns, rows = np.floor(look.transform(points + 0.5)).astype(int).T
        seen = look.copy(grey)[rows, columns].astype(float)
        assert np.abs(seen - photo[points[:, 1], points[:, 0]]).max() < 16


def test_evened_copies_do_not_depend_on_light_and_contrast():
    copy = texture(120, 120, fine=4)[..., 0]
    ramp = np.linspace(0.3, 0.9, 120)
    both = evened(copy.astype(np.uint8)), evened((copy * ramp).astype(np.uint8))
    gap = both[0].astype(float) - both[1]
    assert np.abs(gap).mean() < 8 < np.abs(copy * (1 - ramp)).mean()


@settings(max_examples=10)
@given(st.integers(1, 90), st.integers(1, 90))
def test_light_is_evened_by_the_means_of_scipys_filter(height, width):
    copy = np.random.default_rng(height).integers(0, 256, (height, width), np.uint8)
    field = copy.astype(np.float32)
    field -= uniform_filter(field, 49)
    contrast = np.sqrt(uniform_filter(field**2, 49).clip(0)) + 8
    expected = np.rint(128 + 45 * field / contrast).clip(0, 255)
    assert np.abs(evened(copy) - expected).max() <= 1
