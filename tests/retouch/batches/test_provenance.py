"""What the settings add to a picture is added in a batch, too."""

from PIL import Image
from skimage.data import astronaut

from retouch.batches.job import Job, Picture
from retouch.batches.worker import Worker
from retouch.provenance import carried
from retouch.settings import Climb, Settings


def test_a_reversible_batch_carries_the_faces_as_they_were(tmp_path):
    Image.fromarray(astronaut()[:320, 60:380]).save(tmp_path / "me.png")
    settings = Settings(steps=1, reversible=True)
    worker = Worker(Job(settings=settings, climb=Climb(max_steps=2)), "")
    (done,) = worker.work([Picture("me.png", str(tmp_path / "me.png"))])
    assert done.row["ok"] and done.row["settings"]["settings"]["reversible"]
    assert carried.take(done.files["me.png"], "PNG") is not None
