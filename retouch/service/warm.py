"""What a worker does before its first request, so that no user waits for it.

What its first use loads or compiles is used once, on the face of the mean latent.
"""

import contextlib
import dataclasses
from typing import Any

import numpy as np
from PIL import Image

from retouch.engine.retoucher import Retoucher
from retouch.errors import FaceError
from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo, encode
from retouch.service.frames import Frame
from retouch.service.handlers import Handlers
from retouch.service.moves import Wish
from retouch.settings import Settings

NAME = "warm"  # too short for an id that a client may have
SHOWN: dict[str, Any] = {"preview": True, "area": None, "report": False}
SIDE = 256  # pixels of the face, and half as many around it


def warm(handlers: Handlers) -> None:
    """Go once through what a user does first.

    A model whose mean shows no face, such as one of landscapes, stays cold.
    """
    with contextlib.suppress(FaceError):
        go_through(handlers, encode(mean_face(handlers.retoucher), "PNG"))


def go_through(handlers: Handlers, picture: bytes) -> None:
    """Invert the faces of a picture and preview them moved; nothing of it is kept."""
    handlers.invert(_frame(handlers, "invert", latents=False, photo=picture), _hush)
    for wish in _wishes(handlers):
        words = {"wish": dataclasses.asdict(wish), "each": {}, **SHOWN}
        for draft in (True, False):
            asked = _frame(handlers, "render", draft=draft, **words)
            handlers.render(asked, _hush)
    handlers.forget(NAME)


def mean_face(retoucher: Retoucher) -> Photo:
    """Return the picture of the mean latent, with a margin around it."""
    model = retoucher.model
    latent = np.asarray(model.generator.mean_latent, np.float32)
    (image,) = model.draw(latent[None])
    face = Image.fromarray(pixels_of(image))
    face = face.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    margin = SIDE // 2
    return Photo(
        np.pad(np.asarray(face), ((margin,) * 2, (margin,) * 2, (0, 0)), "edge")
    )


def _wishes(handlers: Handlers) -> list[Wish]:
    told = handlers.description()
    found = [Wish()]
    if "axis:0" in told["parameters"]:
        found.append(Wish(moves={"axis:0": 1.0}))
    climbs = handlers.retoucher.model.moves is None  # which compiles what it climbs by
    if climbs and any(row["name"] == "beauty" for row in told["directions"]):
        found.append(Wish(beautify=1.0))
    return found


def _frame(handlers: Handlers, kind: str, *, photo: bytes = b"", **words: Any) -> Frame:
    model = handlers.retoucher.model
    # Where edits need a search, one step of it compiles what all have in common.
    settings = Settings(model=model.name, steps=1 if model.moves is None else None)
    words |= {"id": NAME, "settings": dataclasses.asdict(settings)}
    return Frame({"kind": kind, **words}, {"photo": photo} if photo else {})


def _hush(what: str, part: float) -> None:
    """Tell nobody of the progress."""
