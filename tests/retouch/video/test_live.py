from datetime import datetime

import numpy as np
import pytest
from PIL import Image

from retouch.errors import PhotoError, SettingsError
from retouch.photos.film import Film
from retouch.video.live import HINT, Live, decorated, faded, frame_of, keep, pointed
from retouch.video.live_options import EffectOptions, LiveOptions
from retouch.video.recording import record
from retouch.video.sources import Still, source_of
from retouch.video.track import Tracker
from tests.retouch import clips
from tests.retouch.drawing import drawn_face

MOMENT = datetime(2030, 1, 2, 3, 4, 5)
EMPTY = np.full((120, 160, 3), 90, np.uint8)


def live(detector, **options):
    return Live(Tracker(detector), clips.Negative(), **options)


@pytest.fixture(scope="module")
def picture(detector):
    return live(detector).show(clips.PORTRAIT, 0.0)


def test_a_frame_without_a_face_passes_with_a_hint(detector):
    shown = live(detector).show(EMPTY, 0.0)
    np.testing.assert_array_equal(shown.after, EMPTY)
    assert shown.hint == HINT and shown.faces == ()
    assert (decorated(shown, 2.5, []) != EMPTY).any()


def test_the_effect_changes_the_face_and_says_what_took_how_long(picture):
    changed = (picture.after != picture.before).any(-1)
    left, top, right, bottom = (round(v) for v in picture.faces[0].box)
    assert changed[top:bottom, left:right].mean() > 0.9
    changed[top:bottom, left:right] = False
    assert not changed.any()
    assert set(picture.seconds) == {"tracking", "negative"} and picture.hint == ""


@pytest.mark.parametrize("trust", [0.0, 0.25, 1.0])
def test_a_face_is_changed_as_far_as_it_is_trusted(detector, picture, trust):
    loop = live(detector)
    loop.show(clips.PORTRAIT, 0.0)
    (track,) = loop.tracker.tracks
    track.trust = trust
    shown = faded(picture.before, picture.after, [track])
    mixed = picture.before + trust * (picture.after.astype(float) - picture.before)
    left, top, right, bottom = (round(v) for v in track.face.box)
    inside = np.s_[top:bottom, left:right]
    assert np.abs(shown[inside] - mixed[inside]).max() <= 0.5
    changed = (shown != picture.before).any(-1)
    changed[inside] = False
    assert not changed.any()


def test_a_mirror_shows_left_on_the_right(detector):
    plain, turned = (
        live(detector, mirror=m).show(clips.PORTRAIT, 0.0) for m in (False, True)
    )
    np.testing.assert_array_equal(turned.before, plain.before[:, ::-1])
    x = [shown.faces[0].landmarks[:, 0].mean() for shown in (plain, turned)]
    assert x[1] == pytest.approx(clips.PORTRAIT.shape[1] - x[0], abs=3)


def test_the_frame_is_as_wide_as_the_slider_says():
    face = drawn_face(100)
    for size in (2.0, 3.5):
        back = frame_of(face, size, 50).inverse
        assert 50 * back.scale == pytest.approx(size * 40, rel=0.02)
        middle = back((25, 25))
        np.testing.assert_allclose(middle, face.landmarks.mean(0), atol=1e-6)


def test_the_frame_help_and_landmarks_are_drawn_on_copies(picture):
    before = picture.after.copy()
    drawn = decorated(picture, 2.5, ["Q quit"])
    assert (drawn != before).any() and (pointed(picture) != picture.before).any()
    np.testing.assert_array_equal(picture.after, before)


def test_s_keeps_three_pictures_and_never_overwrites(picture, tmp_path):
    first = keep(picture, 2.5, tmp_path, "mask", MOMENT)
    names = [path.name for path in first]
    assert names == [
        f"{name}-20300102-030405.png" for name in ("original", "landmarks", "mask")
    ]
    data = [path.read_bytes() for path in first]
    second = keep(picture, 2.5, tmp_path, "smile", MOMENT)
    assert second[2].name == "edited-20300102-030405-2.png"
    assert b"model mask" in data[2] and b"model default" in second[2].read_bytes()
    assert not set(first) & set(second)
    assert [path.read_bytes() for path in first] == data
    assert b"compositeWithTrainedAlgorithmicMedia" in data[2]
    with Image.open(first[0]) as image:
        assert image.size == (512, 512)


def test_without_a_face_whole_frames_are_kept(detector, tmp_path):
    shown = live(detector).show(EMPTY, 0.0)
    paths = keep(shown, 2.5, tmp_path, "mask", MOMENT)
    with Image.open(paths[0]) as image:
        np.testing.assert_array_equal(np.asarray(image), EMPTY)


def test_a_folder_that_is_not_there_is_a_sentence(picture, tmp_path):
    with pytest.raises(PhotoError, match="failed"):
        keep(picture, 2.5, tmp_path / "none", "mask", MOMENT)


def test_a_picture_works_as_a_camera(detector, tmp_path):
    path = tmp_path / "me.png"
    Image.fromarray(clips.PORTRAIT).save(path)
    out = tmp_path / "clip.mp4"
    options = LiveOptions(camera=str(path), headless=True, frames=4, out=str(out))
    with source_of(options.camera) as source:
        assert isinstance(source, Still)
        assert record(source, live(detector), options) == out
    with Film(out) as film:
        frames = list(film.frames())
    assert [f.moment for f in frames] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_an_interrupt_leaves_a_clip_that_plays(detector, tmp_path):
    path = tmp_path / "me.png"
    Image.fromarray(clips.PORTRAIT).save(path)
    out = tmp_path / "clip.mp4"
    options = LiveOptions(camera=str(path), headless=True, frames=50, out=str(out))

    class Stops(clips.Negative):
        def apply(self, pixels, tracks, time):
            if self.seen == 3:
                raise KeyboardInterrupt
            return super().apply(pixels, tracks, time)

    loop = Live(Tracker(detector), Stops())
    with pytest.raises(KeyboardInterrupt), source_of(str(path)) as source:
        record(source, loop, options)
    with Film(out) as film:
        assert len(list(film.frames())) == 3


def test_what_never_ends_needs_a_number_of_frames(detector, tmp_path):
    path = tmp_path / "me.png"
    Image.fromarray(clips.PORTRAIT).save(path)
    options = LiveOptions(camera=str(path), headless=True, out=str(tmp_path / "a.mp4"))
    with source_of(str(path)) as source, pytest.raises(SettingsError, match="--frames"):
        record(source, live(detector), options)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"headless": True}, "--headless needs --out"),
        ({"out": "a.mp4"}, "--out goes with --headless"),
        ({"size": 1.0}, r"size must lie in \[2.0, 4.0\]"),
        ({"delay": 0}, "delay must lie"),
    ],
)
def test_live_options_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(SettingsError, match=words):
        LiveOptions(**wrong)


def test_unknown_effects_are_refused():
    with pytest.raises(SettingsError, match="effect is one of mask"):
        EffectOptions(effect="paint")
