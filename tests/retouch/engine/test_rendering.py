import numpy as np
import pytest
from skimage.data import astronaut

from retouch.engine.rendering import ANCHORS
from retouch.engine.retoucher import Retoucher
from retouch.settings import Settings


@pytest.fixture(scope="module")
def pieces():
    """What is laid of a smile: for one face, its change."""
    engine = Retoucher.load()
    session = engine.cut(engine_photo(), Settings())
    (session,) = engine.invert([session], Settings())
    task = engine.editing({"smile": 1.0}, Settings())
    way = task.move(engine.view([session], Settings()))
    size = engine.model.generator.resolution
    placed = [face.transform(engine.model.template, size) for face in session.faces]
    return engine.renderer._pieces(session.faces, placed, way)


def engine_photo():
    from retouch.photos.photo import read

    return read(np.ascontiguousarray(astronaut()[:300, 80:380]))


def test_eyes_and_nose_stay_where_they_were_as_a_mouth_smiles(pieces):
    was, now = pieces[0].change.marks
    gap = now - was
    assert np.hypot(*gap[ANCHORS].T).mean() < 2.0  # of 256 pixels
    eyes = np.hypot(*(now[45] - now[36])) / np.hypot(*(was[45] - was[36]))
    assert abs(eyes - 1) < 0.02
    # The mouth itself grows.
    assert np.hypot(*(now[54] - now[48])) > 1.05 * np.hypot(*(was[54] - was[48]))
