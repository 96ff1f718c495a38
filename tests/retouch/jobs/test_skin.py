"""Skin of faces that are known is retouched as that of faces that are found."""

import numpy as np
import pytest
import skimage.data

from retouch.commands import terminal
from retouch.engine.session import KnownFaces
from retouch.errors import FaceError
from retouch.jobs.skin import SkinRetoucher
from retouch.photos.photo import Photo, read
from retouch.settings import Settings, Skin


def test_known_faces_are_retouched_as_found_ones():
    photo = read(skimage.data.astronaut())
    retoucher, known = terminal.found_beside(photo, SkinRetoucher.load)
    assert isinstance(known, KnownFaces) and len(known.faces) == 1
    found, told = (
        retoucher.retouched(asked, Settings(), Skin()) for asked in (photo, known)
    )
    np.testing.assert_array_equal(found.photo.pixels, told.photo.pixels)
    assert found.faces == told.faces and told.faces[0].touched > 0
    nobody = retoucher.retouched(KnownFaces(photo, ()), Settings(), Skin())
    np.testing.assert_array_equal(nobody.photo.pixels, photo.pixels)


def test_nobody_in_a_photo_is_said_however_it_is_looked_for():
    blank = Photo(np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(FaceError, match="No face was found"):
        terminal.found_beside(blank, lambda detector: detector)
    with pytest.raises(ZeroDivisionError):  # what loads is heard, too
        terminal.found_beside(blank, lambda detector: 1 // 0)
