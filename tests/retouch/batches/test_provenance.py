"""What the settings add to a picture is added in a batch, too."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from retouch.batches.job import Job, Picture
from retouch.batches.worker import Worker
from retouch.errors import SettingsError
from retouch.photos.photo import read
from retouch.provenance import carried, originals
from retouch.provenance.verify import findings
from retouch.settings import Settings


def test_a_reversible_batch_carries_the_faces_as_they_were(tmp_path):
    Image.fromarray(astronaut()[:320, 60:380]).save(tmp_path / "me.png")
    settings = Settings(reversible=True)
    worker = Worker(Job(kind="edit", settings=settings, moves={"smile": 0.3}), "")
    (done,) = worker.work([Picture("me.png", str(tmp_path / "me.png"))])
    assert done.row["ok"] and done.row["settings"]["settings"]["reversible"]
    assert carried.take(done.files["me.png"], "PNG") is not None


def test_a_batch_of_skin_is_marked_and_carries_the_faces_as_they_were(tmp_path):
    before = np.ascontiguousarray(astronaut()[:320, 60:380])
    Image.fromarray(before).save(tmp_path / "me.png")
    settings = Settings(watermark=True, reversible=True)
    worker = Worker(Job(kind="skin", settings=settings), "")
    (done,) = worker.work([Picture("me.png", str(tmp_path / "me.png"))])
    data = done.files["me.png"]
    found = findings(read(data), data)
    assert found.marked == 1 and found.originals == "open"
    payload = carried.take(data, "PNG")
    assert np.array_equal(originals.restored(read(data), payload, None).pixels, before)


def test_a_batch_of_pictures_of_two_cannot_be_reversible():
    with pytest.raises(SettingsError, match="--reversible is for one"):
        Job(settings=Settings(reversible=True), compare=True)
