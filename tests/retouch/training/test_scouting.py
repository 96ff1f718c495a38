"""The scout is trained on portraits and on pictures without faces."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, chelsea, coffee

from pretrained.registry import Library, Shelf
from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.faces.small_faces import TURNS
from retouch.training.scouting import Portrait, train

PORTRAIT = Image.fromarray(astronaut()).convert("L").crop((64, 0, 384, 320))


@pytest.fixture
def folders(tmp_path):
    """A folder of portraits that differ in framing and light, and one without faces."""
    faces, without = tmp_path / "faces", tmp_path / "without"
    faces.mkdir()
    without.mkdir()
    rng = np.random.default_rng(0)
    for i in range(24):
        left, top = rng.integers(0, 40, 2).tolist()
        part = PORTRAIT.crop((left, top, left + 270, top + 270))
        light = rng.uniform(0.6, 1.2)
        part.point(lambda value, light=light: value * light).save(faces / f"{i}.png")
    for name, picture in (("cat", chelsea()), ("cup", coffee())):
        Image.fromarray(picture).save(without / f"{name}.png")
    return faces, without


@pytest.mark.slow
def test_detectors_are_kept_and_their_skill_is_told(folders, tmp_path):
    faces, without = folders
    told = train([faces], without, tmp_path / "out", 100, "none")
    assert told.startswith("3 of 3 held-out faces")
    shelf = Shelf(tmp_path / "out")
    weights = Library(shelf, shelf).weights("scout", "detector")
    assert set(weights) == {f"turn{turn}" for turn in TURNS}
    assert all(set(np.unique(w)) <= set(range(256)) for w in weights.values())


def test_too_few_portraits_are_one_sentence(folders, tmp_path):
    with pytest.raises(SettingsError, match="0 pictures with one upright face"):
        train([folders[1]], folders[1], tmp_path / "out", 100, "none")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_portrait_turns_about_its_face(mirrored):
    import dlib

    portrait = Portrait.of(PORTRAIT, Detector(scout=False), 60)
    box = portrait.box(dlib, mirrored=mirrored)
    assert abs(box.width() - 60) <= 2
    upright = portrait.turned(0, mirrored=mirrored)
    turned = portrait.turned(180, mirrored=mirrored)
    parts = [
        picture[box.top() + 8 : box.bottom() - 8, box.left() + 8 : box.right() - 8]
        for picture in (upright, turned[:, :])
    ]
    gap = np.abs(parts[0].astype(float) - parts[1][::-1, ::-1])
    assert gap.mean() < 12


def test_what_shows_no_face_is_no_portrait():
    with pytest.raises(ValueError, match="no portrait"):
        Portrait.of(Image.fromarray(chelsea()).convert("L"), Detector(scout=False), 60)
