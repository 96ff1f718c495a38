from dataclasses import replace

import numpy as np
from skimage.data import astronaut

from retouch.engine.rendering import ANCHORS, Drawn
from retouch.faces.crop import cut
from retouch.faces.detect import Detector
from retouch.geometry import TIGHT, Similarity


def test_what_is_drawn_larger_is_laid_where_eyes_and_nose_are():
    photo = astronaut()
    (face, *_) = Detector(scout=False).find(photo)
    place = face.transform(TIGHT, 128)
    picture, marks = cut(photo, place, 128), place(face.landmarks)
    grown = Similarity.shifting(-4, -6) @ Similarity.scaling(1.08)
    smiling = marks.copy()
    smiling[48:] += 0, -5  # a mouth that is lifted says nothing of the rest
    larger = cut(photo, grown @ place, 128)
    old, new = (
        Drawn(image, replace(face, landmarks=points))
        for image, points in ((picture, marks), (larger, grown(smiling)))
    )
    again = new.laid_on(old)
    now = again.marks
    np.testing.assert_allclose(now[ANCHORS], marks[ANCHORS], atol=1e-6)
    np.testing.assert_allclose(now[48:], marks[48:] - (0, 5), atol=1e-6)
    inside = np.s_[16:-16, 16:-16]
    assert np.abs(again.picture - picture)[inside].mean() < 1.5
    assert np.abs(larger - picture)[inside].mean() > 10
