"""What a worker does before its first request."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from retouch.engine.retoucher import Retoucher
from retouch.photos.photo import Photo, encode
from retouch.service import warm as warming
from retouch.service.frames import Frame
from retouch.service.handlers import Handlers, Missing
from retouch.settings import Settings


@pytest.fixture(scope="module")
def handlers():
    made = Handlers(Retoucher.load("default"), 10**7)
    warming.warm(made)
    return made


def test_the_mean_of_the_models_latents_shows_one_face(handlers):
    photo = warming.mean_face(handlers.retoucher)
    (face,) = handlers.retoucher.find(photo)
    assert face.size > warming.SIDE / 2 and abs(face.roll) < 5


def test_nothing_is_kept_of_what_it_was_warmed_with(handlers):
    settings = dataclasses.asdict(Settings())
    frame = Frame({"kind": "render", "id": warming.NAME, "settings": settings})
    frame.words.update(wish={}, preview=True, report=False)
    with pytest.raises(Missing):
        handlers.render(frame, lambda what, part: None)


def test_the_first_photo_compiles_nothing_more(handlers):
    model = handlers.retoucher.model
    functions = [model._embed, model._decode, model._finish]
    if not hasattr(model._embed, "experimental_get_tracing_count"):
        pytest.skip("only TensorFlow says how often a function was compiled")
    before = [each.experimental_get_tracing_count() for each in functions]
    assert all(before)
    pixels = warming.mean_face(handlers.retoucher).pixels[:, ::-1]
    small = Image.fromarray(pixels).resize((400, 400))
    warming.go_through(handlers, encode(Photo(np.asarray(small)), "PNG"))
    assert [each.experimental_get_tracing_count() for each in functions] == before
