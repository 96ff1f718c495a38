"""Ranges and loops of an edit."""

import dataclasses

import numpy as np
import pytest
import skimage.data
from PIL import Image

from retouch.edits.way import Way
from retouch.errors import PhotoError, SettingsError
from retouch.jobs import ranges
from retouch.jobs.ranges import Range
from retouch.photos.photo import Photo, read
from retouch.settings import Settings

USUAL = Settings()


def _photos(count=4, size=(31, 45)):
    rng = np.random.default_rng(0)
    return [Photo(rng.integers(0, 256, (*size, 3), np.uint8)) for _ in range(count)]


def test_a_range_is_its_values():
    assert Range.parse("smile=-2:2:5").values == [-2, -1, 0, 1, 2]


@pytest.mark.parametrize(
    "text",
    ["smile", "smile=1", "smile=-2:2", "smile=a:2:3", "smile=0:1:1", "smile=0:nan:3",
     "smile=0:1:500"],
)  # fmt: skip
def test_a_range_that_cannot_be_is_a_sentence(text):
    with pytest.raises(SettingsError, match=r"--range takes .*got 'smile"):
        Range.parse(text)


def test_a_range_changes_no_more_than_masks_let_it(retoucher):
    photo = read(skimage.data.astronaut())
    free = np.zeros(photo.pixels.shape[:2], np.float32)
    free[:, 225:] = 1  # half of the face
    held = dataclasses.replace(photo, free=free)
    for shown in ranges.ranged(retoucher, held, Range("brows", -1, 1, 2), USUAL):
        changed = (shown.pixels != photo.pixels).any(-1)
        assert changed[:, 225:].any() and not changed[:, :225].any()


def test_a_loop_goes_there_and_back_and_has_even_sides():
    photos = _photos()
    frames = ranges.loop(photos)
    assert len(frames) == 6 and frames[0].shape == (30, 44, 3)
    np.testing.assert_array_equal(frames[1], frames[5])
    np.testing.assert_array_equal(frames[3], photos[3].pixels[:30, :44])


def test_a_sheet_shows_every_picture_beneath_its_value_in_nearly_full_rows():
    photos, head = _photos(11), ranges.LEAST_HEADING
    sheet = ranges.sheet(photos, np.linspace(-1, 1.5, 11).tolist())
    assert sheet.shape == (3 * (head + 31), 4 * 45, 3)
    np.testing.assert_array_equal(sheet[head : head + 31, :45], photos[0].pixels)
    assert (sheet[-31 - head :, 135:] == 255).all()  # one of twelve
    labels = [sheet[:head, i * 45 : i * 45 + 45] for i in range(4)]
    assert all(label.min() < 60 for label in labels)
    assert all((labels[0] != other).any() for other in labels[1:])


def test_sixteen_bits_are_shown_with_eight():
    (photo,) = _photos(1)
    deep = Photo(photo.pixels.astype(np.uint16) * 257)
    np.testing.assert_array_equal(
        ranges.sheet([deep], [1.0])[ranges.LEAST_HEADING :], photo.pixels
    )


def test_a_gif_repeats_and_is_not_replaced_unasked(tmp_path):
    path, frames = tmp_path / "loop.gif", ranges.loop(_photos())
    ranges.write_gif(frames, path)
    with Image.open(path) as image:
        assert image.n_frames == 6 and image.info["loop"] == 0
    with pytest.raises(PhotoError, match="exists already"):
        ranges.write_gif(frames, path)


def test_a_film_can_be_read_again(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "loop.mp4"
    ranges.write_mp4(ranges.loop(_photos(4, (64, 96))), path)
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 6 and frames[0].shape == (64, 96, 3)
    assert not list(tmp_path.glob(".*"))


def test_a_range_passes_through_the_photo_itself(retoucher):
    photo = read(skimage.data.astronaut())
    told = []
    shown = ranges.ranged(
        retoucher, photo, Range("age", -1, 1, 3), USUAL, lambda *step: told.append(step)
    )
    assert told[-4:] == [("editing", 0), *(("stitching", n / 3) for n in (1, 2, 3))]
    np.testing.assert_array_equal(shown[1].pixels, photo.pixels)
    younger, older = (
        np.abs(s.pixels.astype(int) - photo.pixels).sum() for s in (shown[0], shown[2])
    )
    assert min(younger, older) > 0


def test_the_way_to_an_edit_begins_at_the_photo_and_ends_at_the_edit(retoucher):
    photo = read(skimage.data.astronaut())
    (session,) = retoucher.invert([retoucher.cut(photo, USUAL)], USUAL)
    way = Way.straight(session.start, session.start + np.float32(0.05))
    shown = ranges.between(retoucher, session, way, USUAL, 3)
    np.testing.assert_array_equal(shown[0].pixels, photo.pixels)
    end = retoucher.render(session, way, USUAL)
    np.testing.assert_array_equal(shown[2].pixels, end.pixels)


@pytest.mark.slow
def test_each_face_may_have_its_own_edit(retoucher):
    pixels = skimage.data.astronaut()
    pair = np.concatenate([pixels, pixels[:, ::-1]], 1)
    wishes = {0: {"age": 1.0}, 1: {"age": -1.0}}
    done = retoucher.edited_each(read(pair), wishes, USUAL)
    assert done.faces[0].changed["age"] > 0.15 > -0.15 > done.faces[1].changed["age"]
    assert done.provenance.edit == "face 0: age +1; face 1: age -1"
