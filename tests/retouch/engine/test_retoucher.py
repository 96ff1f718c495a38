"""The whole way with the weights that ship, on a public-domain portrait."""

import dataclasses
import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from retouch.engine.session import HELD, PAINTED_OVER, UNDRAWN, KnownFaces
from retouch.errors import FaceError, PhotoError, SettingsError
from retouch.faces.crop import uncut, window_of
from retouch.faces.parse import parser
from retouch.geometry import TIGHT
from retouch.photos.photo import Photo, read
from retouch.settings import Climb, Settings
from retouch.stitching import mask
from tests.climbs import hasty

USUAL = Settings()


@pytest.fixture(scope="module")
def portrait():
    return read(skimage.data.astronaut())


@pytest.fixture(scope="module")
def result(retoucher, portrait):
    return retoucher.beautified(portrait, USUAL)


@pytest.fixture(scope="module")
@hasty()
def hurried(retoucher, portrait):
    return retoucher.beautified(portrait, USUAL)


@pytest.fixture(scope="module")
@hasty()
def bare(retoucher, portrait):
    return retoucher.beautified(portrait, USUAL, climb=Climb(skin=False))


def test_beautify_raises_both_the_guides_score_and_the_judges(result):
    (face,) = result.faces
    assert face.score[1] > face.score[0] + 0.3
    # A bit that differs sends a climb another way: judges scatter by .07 and .045.
    assert face.judged[1] > face.judged[0] + 0.05
    assert face.changed["attractive-freed"] > 0  # free of age, gender and make-up


def test_the_person_stays_that_person(result):
    (face,) = result.faces
    assert 0 < face.identity < 0.18
    assert abs(face.changed["weight"]) < 0.25
    assert max(abs(face.changed[n]) for n in ("eye_makeup", "lip_makeup")) < 0.2
    assert abs(face.changed["age"]) < 0.4 and abs(face.changed["gender"]) < 0.3


@hasty()
def test_a_studio_look_retouches_more_than_a_natural_one(retoucher, portrait, bare):
    faces = retoucher.find(portrait)
    known, changes = KnownFaces(portrait, tuple(faces)), []
    for look in ("natural", "studio"):
        done = retoucher.beautified(known, USUAL, climb=Climb(look=look))
        photo = done.photo.pixels.astype(int)
        changes.append(np.abs(photo - bare.photo.pixels).sum())
    assert 0 < 1.3 * changes[0] < changes[1]
    none = retoucher.beautified(known, USUAL, climb=Climb(look="none"))
    assert np.array_equal(none.photo.pixels, bare.photo.pixels)


def test_make_up_of_the_eyes_leaves_all_that_lies_below_them(retoucher, portrait):
    result = retoucher.edited(portrait, {"eye-make-up": 1.0}, USUAL)
    (face,) = retoucher.find(portrait)
    changed = (result.photo.pixels != portrait.pixels).any(-1)
    tip = int(face.landmarks[33, 1])
    assert changed.any() and not changed[tip:].any()


def test_outside_the_mask_every_pixel_is_the_photos_own(bare, portrait, retoucher):
    (face,) = retoucher.find(portrait)
    transform = face.transform(TIGHT, 256)
    area = mask.draw(face, transform, 256, portrait.pixels.shape)[..., None]
    window = window_of(transform, 256, portrait.pixels.shape)
    touched = np.zeros(portrait.pixels.shape[:2], bool)
    touched[window.slices] = uncut(area, transform, window, linear=True)[..., 0] > 0
    same = (bare.photo.pixels == portrait.pixels).all(-1)
    assert same[~touched].all() and not same.all()


def test_what_hides_the_face_stays_as_it_is(bare, portrait, retoucher):
    (face,) = retoucher.find(portrait)
    size, shape = retoucher.model.generator.resolution, portrait.pixels.shape
    transform = face.transform(TIGHT, size)
    area = mask.draw(face, transform, size, shape)
    window = window_of(transform, size, shape)
    seen = parser().parts(portrait.pixels, face).free(transform, size)
    both = np.stack([area, seen], -1)
    drawn, free = np.moveaxis(uncut(both, transform, window, linear=True), -1, 0)
    hidden = (drawn > 0.05) & (free == 0)
    assert hidden.sum() > 20
    same = (bare.photo.pixels == portrait.pixels).all(-1)[window.slices]
    assert same[hidden].all() and not same[drawn * free > 0.5].all()


def test_beautify_retouches_the_skin_too_unless_it_is_told_not_to(hurried, bare):
    assert hurried.faces[0].touched > 0.005
    assert bare.faces[0].touched == 0
    assert not np.array_equal(hurried.photo.pixels, bare.photo.pixels)


@hasty()
def test_a_region_that_parsing_tells_is_all_that_changes(retoucher, portrait):
    brows = dataclasses.replace(USUAL, mask_region="brows", watermark=True)
    after = retoucher.beautified(portrait, brows, climb=Climb(skin=False))
    (face,) = retoucher.find(portrait)
    changed = (after.photo.pixels != portrait.pixels).any(-1)
    ys, xs = np.nonzero(changed)
    assert changed.any()
    assert ys.max() < face.landmarks[36:48, 1].max()
    assert xs.min() > face.landmarks[0, 0] and xs.max() < face.landmarks[16, 0]


def test_strength_zero_gives_back_the_photo(retoucher, portrait):
    settings = dataclasses.replace(USUAL, strength=0.0)
    done = retoucher.beautified(portrait, settings)
    np.testing.assert_array_equal(done.photo.pixels, portrait.pixels)


@pytest.mark.parametrize(
    ("edits", "region", "note"),
    [({"smile": 0.0}, "face", ""), ({"beard": 1.0}, "eyes", UNDRAWN)],
)
def test_what_leads_nowhere_changes_no_pixel(retoucher, portrait, edits, region, note):
    settings = dataclasses.replace(USUAL, mask_region=region)
    result = retoucher.edited(portrait, edits, settings)
    assert np.array_equal(result.photo.pixels, portrait.pixels)
    assert (result.faces[0].share, result.faces[0].note) == (0, note)


def test_what_may_not_be_is_said(retoucher, portrait):
    same = dataclasses.replace(USUAL, identity=0.0)
    nowhere = np.zeros(portrait.pixels.shape[:2], np.float32)
    covered = dataclasses.replace(portrait, free=nowhere)
    for photo, settings, note in (
        (portrait, same, HELD),
        (covered, USUAL, PAINTED_OVER),
    ):
        result = retoucher.edited(photo, {"brows": 1.0}, settings)
        assert np.array_equal(result.photo.pixels, portrait.pixels)
        assert (result.faces[0].share, result.faces[0].note) == (0, note)


def test_a_file_that_is_there_is_replaced_if_that_is_allowed(retoucher, tmp_path):
    path, still = tmp_path / "me.png", dataclasses.replace(USUAL, strength=0.0)
    Image.fromarray(skimage.data.astronaut()).save(path)
    written = retoucher.edit(path, {"smile": 1.0}, still)
    with pytest.raises(PhotoError, match="force=True"):
        retoucher.beautify(path, still)
    written.write_bytes(b"")
    assert retoucher.beautify(path, still, force=True) == written
    assert read(written).pixels.shape == (512, 512, 3)


@hasty(tries=4)
def test_a_climb_tells_how_far_it_has_come(retoucher, portrait):
    told = []
    retoucher.beautified(portrait, USUAL, lambda what, part: told.append((what, part)))
    parts = [part for what, part in told if what == "editing"]
    assert parts == [0.0, 0.2, 0.6]  # of the five pictures that are tried


@hasty()
def test_the_same_photo_twice_gives_the_same_bytes(retoucher, portrait, hurried):
    again = retoucher.beautified(portrait, USUAL)
    np.testing.assert_array_equal(again.photo.pixels, hurried.photo.pixels)


def test_what_others_multiply_by_two_threads_is_edited_by_one(
    retoucher, portrait, monkeypatch
):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    seen = []

    def look(what, part):
        seen.append({one["num_threads"] for one in threadpool_info()})

    with threadpool_limits(2, "blas"):
        retoucher.edited(portrait, {"smile": 0.5}, USUAL, look)
        seen.append({one["num_threads"] for one in threadpool_info()})
    assert seen[1:-1] and all(one == {1} for one in seen[:-1])
    assert seen[-1] == {2}


def test_an_edit_moves_its_trait_in_the_direction_asked_for(retoucher, portrait):
    older, younger = (
        retoucher.edited(portrait, {"age": s}, USUAL).faces[0] for s in (1.0, -1.0)
    )
    assert older.changed["age"] > 0.15 and younger.changed["age"] < -0.15
    assert older.share > 0.5 and not older.note


@hasty()
def test_sixteen_bits_stay_sixteen_bits(retoucher, portrait):
    deep = Photo(portrait.pixels.astype(np.uint16) * 257)
    done = retoucher.beautified(deep, USUAL)
    assert done.photo.pixels.dtype == np.uint16
    assert (done.photo.pixels % 257 != 0).any()


@hasty()
@pytest.mark.parametrize("kind", ["array", "bytes", "image", "path"])
def test_what_comes_in_goes_out_as_the_same_kind(retoucher, kind, tmp_path):
    pixels = skimage.data.astronaut()
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    image.save(buffer, "png")
    path = tmp_path / "me.png"
    path.write_bytes(buffer.getvalue())
    source = {
        "array": pixels,
        "bytes": buffer.getvalue(),
        "image": image,
        "path": path,
    }[kind]
    given_back = retoucher.beautify(source, USUAL)
    assert isinstance(given_back, type(source))


def test_a_photo_without_a_face_is_a_sentence(retoucher):
    with pytest.raises(FaceError, match=r"No face was found .* turned to the camera\."):
        retoucher.beautify(np.full((200, 200, 3), 128, np.uint8))


def test_an_unknown_direction_is_named_with_those_there_are(retoucher, portrait):
    with pytest.raises(SettingsError, match=r"'nose'\..* Known: .*age.*beauty"):
        retoucher.edited(portrait, {"nose": 1.0}, USUAL)


@hasty()
def test_a_face_not_asked_for_is_left_alone(retoucher):
    pixels = skimage.data.astronaut()
    pair = np.concatenate([pixels, pixels[:, ::-1]], 1)
    settings = dataclasses.replace(USUAL, faces="1")
    done = retoucher.beautified(read(pair), settings)
    assert not done.faces[0].changed and done.faces[1].changed
    half = done.faces[0].box[0] < 512
    part = np.s_[:, :512] if half else np.s_[:, 512:]
    np.testing.assert_array_equal(done.photo.pixels[part], pair[part])
