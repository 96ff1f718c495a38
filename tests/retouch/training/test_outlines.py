import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from retouch.training import outlines, parts

HAND = "200,200 300,200 300,300 200,300"
RIM = "200,120 240,120"


@pytest.fixture
def picture(tmp_path):
    """Return the only outlined picture of a folder."""
    Image.fromarray(astronaut()).save(tmp_path / "a.png")
    Image.new("RGB", (200, 200)).save(tmp_path / "nobody.png")
    table = tmp_path / "outlines.csv"
    rows = [
        f'a.png,hand,0,0,"{HAND}"',
        f'a.png,glasses,4,0,"{RIM}"',
        f'nobody.png,hand,0,0,"{HAND}"',
    ]
    table.write_text("picture,part,line,closed,points\n" + "\n".join(rows))
    (found,) = outlines.outlined(table, tmp_path)
    return found


def test_an_outline_tells_what_its_pixels_show(picture):
    sets = picture.head().sets
    assert (sets[204:296, 204:296] == parts.BIT["front"]).all()
    assert (sets[198, 210:290] & parts.BIT["front"]).all()
    assert not (sets[190] & parts.BIT["front"]).any()


def test_glasses_are_nowhere_but_at_their_rims(picture):
    sets = picture.head().sets
    assert (sets[120, 204:236] == parts.BIT["glasses"]).all()
    assert (sets[125, 204:236] & parts.BIT["glasses"]).all()
    assert not (sets[140] & parts.BIT["glasses"]).any()
    assert sets.min() > 0


def test_what_is_unknown_may_be_anything(picture):
    area = np.zeros(picture.image.shape[:2], bool)
    area[50:90, 50:90] = True
    sets = picture._replace(areas={"unknown": area}).head().sets
    assert (sets[50:90, 50:90] == parts.ANYTHING).all()


def test_what_lies_in_front_can_be_cut_out(picture):
    cutouts = {cutout.kind: cutout for cutout in picture.cutouts()}
    assert cutouts.keys() == {"hand", "glasses"}
    assert cutouts["hand"].area.sum() == 101 * 101
    assert (cutouts["hand"].image == astronaut()).all()
