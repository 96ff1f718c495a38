"""A real service, as `retouch serve` runs it, for all tests that speak to it."""

import io

import pytest
import skimage.data
from PIL import Image

from tests.retouch.service.serving import HURRIED, PATIENT, start, stop

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
httpx = pytest.importorskip("httpx")


@pytest.fixture(scope="session")
def log(tmp_path_factory):
    """What the service says on standard error."""
    return tmp_path_factory.mktemp("service") / "log"


@pytest.fixture(scope="session")
def service(log):
    """The process of a service, and its address."""
    process, where = start("--rate", "0", log=log, program=HURRIED)
    yield process, where
    assert stop(process) == 0


@pytest.fixture(scope="session")
def address(service):
    return service[1]


@pytest.fixture(scope="session")
def client(address):
    with httpx.Client(base_url=address, timeout=PATIENT) as found:
        yield found


@pytest.fixture(scope="session")
def portrait():
    """A portrait as JPEG, with a note in its EXIF and its place on the earth."""
    image, file = Image.fromarray(skimage.data.astronaut()), io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a portrait"
    exif.get_ifd(0x8825)[1] = "N"
    image.save(file, "JPEG", quality=92, exif=exif)
    return file.getvalue()


@pytest.fixture(scope="session")
def inverted(client, portrait):
    """The answer to an inversion without a search, which is quick."""
    form = {"settings": '{"steps": 0}', "latents": "true"}
    answer = client.post("/v1/invert", files={"photo": portrait}, data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser whose camera shows a portrait; it has the loop while it runs."""
    browsing = pytest.importorskip("tests.retouch.service.browsing")
    clip = tmp_path_factory.mktemp("camera") / "clip.mjpeg"
    file = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()[:480]).resize((640, 600)).crop(
        (0, 0, 640, 480)
    ).save(file, "JPEG", quality=92)
    clip.write_bytes(file.getvalue() * 5)
    fake = "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"
    film = f"--use-file-for-fake-video-capture={clip}"
    with browsing.chromium(*fake, film) as found:
        yield found
