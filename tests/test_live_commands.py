"""Camera, masks and videos as a user meets them: sentences, exit codes, files."""

import re

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

import cli
from retouch.errors import RetouchError
from retouch.photos.film import Film
from tests.retouch import clips


def retouch(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "me.png"
    Image.fromarray(clips.PORTRAIT).save(path)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clips.write(tmp_path_factory.mktemp("clips") / "in.mp4", clips.frames(3))


def test_mask_writes_beside_the_photo_and_tells_the_distance(portrait, tmp_path):
    out = tmp_path / "masked.png"
    done = retouch("mask", portrait, "--person", 7, "--out", out)
    assert done.exit_code == 0, done.output
    assert re.match(r"1 face: another person \(0\.\d\d\)", done.stdout)
    changed = (np.asarray(Image.open(out)) != clips.PORTRAIT).any(-1).mean()
    assert 0.03 < changed < 0.5
    assert b"compositeWithTrainedAlgorithmicMedia" in out.read_bytes()


def test_live_without_a_screen_writes_a_clip(portrait, tmp_path):
    out = tmp_path / "clip.mp4"
    words = "--camera", portrait, "--no-mirror", "--headless", "--frames", 3
    done = retouch("live", *words, "--out", out)
    assert done.exit_code == 0, done.output
    with Film(out) as film:
        shown = [frame.pixels.astype(int) for frame in film.frames()]
    gap = np.abs(shown[-1] - clips.PORTRAIT).mean(-1)
    assert len(shown) == 3 and (gap > 20).mean() > 0.02 and np.median(gap) < 4


def test_a_clip_in_the_camera_s_place_is_shown_to_its_end(clip, tmp_path):
    out = tmp_path / "clip.mkv"
    done = retouch("live", "--video", clip, "--headless", "--out", out)
    assert done.exit_code == 0, done.output
    with Film(out) as film:
        assert len(list(film.frames())) == 3


def test_video_masks_a_file_and_counts_people(clip, tmp_path):
    out = tmp_path / "out.mp4"
    done = retouch("video", clip, out, "--effect", "mask")
    assert done.stdout.strip() == f"{out}: 3 frames, 1 person"
    again = retouch("video", clip, out)
    assert "exists already" in str(again.exception)


def test_a_photo_s_expression_goes_onto_the_faces_of_a_clip(portrait, clip, tmp_path):
    smile, out = tmp_path / "smile.png", tmp_path / "out.mp4"
    Image.fromarray(skimage.data.astronaut()[:, ::-1]).save(smile)
    words = "--effect", "transfer", "--expression", smile, "--alpha", 1.5
    done = retouch("live", "--video", clip, "--headless", "--out", out, *words)
    assert done.exit_code == 0, done.output
    with Film(out) as film:
        assert len(list(film.frames())) == 3
    done = retouch("video", clip, tmp_path / "b.mp4", *words)
    assert done.exit_code == 0 and "3 frames, 1 person" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["live", "--headless"], "--headless needs --out"),
        (
            ["live", "--headless", "--out", "a.mp4", "--video", "none.mp4"],
            "no file 'none.mp4'",
        ),
        (["live", "--headless", "--out", "a.gif"], "names no video"),
        (["video", "none.mp4", "out.mp4"], "no file 'none.mp4'"),
        (["video", "{clip}", "out.txt"], "names no video"),
        (["video", "{clip}", "out.mp4", "--set", "smile=1"], "--set goes with"),
        (["video", "{clip}", "out.mp4", "--effect", "edit"], "needs --set"),
        (["video", "{clip}", "out.mp4", "--effect", "paint"], "effect is one of"),
        (["video", "{clip}", "none/out.mp4"], "no folder"),
        (["live", "--effect", "transfer"], "needs --expression"),
        (["live", "--expression", "a.jpg"], "--expression goes with"),
        (
            [
                "video",
                "{clip}",
                "o.mp4",
                "--effect",
                "transfer",
                "--expression",
                "a.jpg",
            ],
            "a.jpg",
        ),
    ],
)
def test_what_cannot_be_is_a_sentence(words, said, clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = retouch(*(word.format(clip=clip) for word in words))
    assert isinstance(done.exception, RetouchError), done.output
    assert said in str(done.exception)
    assert list(tmp_path.iterdir()) == []
