"""One face through a range of an edit: pictures side by side, or a loop.

Values of a range go through the networks as one batch.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.contracts import OnStep
from retouch.errors import SettingsError
from retouch.photos import disk
from retouch.photos.levels import eight_bit

if TYPE_CHECKING:
    from retouch.edits.way import Way
    from retouch.engine.retoucher import Retoucher
    from retouch.engine.session import KnownFaces, Session
    from retouch.photos.photo import Photo
    from retouch.settings import Settings

Pixels = NDArray[np.uint8]
MOST = 61  # values of a range
AT_ONCE = 16  # faces in a batch
WIDEST = 2400  # pixels across a sheet
LEAST_HEADING = 12  # pixels above a picture of a sheet, for its value
SMALL = 640  # pixels of a GIF's longer side
FRAMES = 12  # of a loop between before and after
RATE = 10  # pictures a second


@dataclass(frozen=True)
class Range:
    """A direction and the values it takes, as in smile=-2:2:9."""

    name: str
    low: float
    high: float
    count: int

    @classmethod
    def parse(cls, text: str) -> "Range":
        """Return the range of NAME=FIRST:LAST:COUNT."""
        name, _, values = text.partition("=")
        try:
            low, high, count = values.split(":")
            found = cls(name.strip(), float(low), float(high), int(count))
        except ValueError:
            raise SettingsError(
                f"--range takes NAME=FIRST:LAST:COUNT such as smile=-2:2:9; got"
                f" '{text}'."
            ) from None
        if not (np.isfinite([found.low, found.high]).all() and found.count >= 2):
            raise SettingsError(f"--range takes two values or more; got '{text}'.")
        if found.count > MOST:
            raise SettingsError(f"--range takes up to {MOST} values; got '{text}'.")
        return found

    @property
    def values(self) -> list[float]:
        return np.linspace(self.low, self.high, self.count).tolist()


def ranged(
    retoucher: "Retoucher",
    photo: "Photo | KnownFaces",
    wish: Range,
    settings: "Settings",
    on_step: OnStep | None = None,
) -> list["Photo"]:
    """Return the photo once for each value, with all chosen faces moved by it."""
    say = on_step or (lambda what, part: None)
    adults = retoucher.registry.for_adults(wish.name)
    session = retoucher.cut(photo, settings, adults=adults)
    if not session.chosen:
        return [session.photo] * wish.count
    (session,) = retoucher.invert([session], settings, on_step)
    faces, shown = len(session.chosen), []
    say("editing", 0.0)
    for values in _parts(wish.values, max(1, AT_ONCE // faces)):
        strengths = np.repeat(np.array(values, np.float32), faces)
        task = retoucher.editing({wish.name: strengths}, settings)
        moved = retoucher.move([session] * len(values), task, settings)
        for i in range(0, len(strengths), faces):
            way = moved.way[i : i + faces]
            shown.append(retoucher.render(session, way, settings))
            say("stitching", len(shown) / wish.count)
    return shown


def _parts(values: list[float], size: int) -> list[list[float]]:
    return [values[i : i + size] for i in range(0, len(values), size)]


def between(
    retoucher: "Retoucher",
    session: "Session",
    way: "Way",
    settings: "Settings",
    count: int = FRAMES,
    on_step: OnStep | None = None,
) -> list["Photo"]:
    """Return the photo on its way from before to after."""
    say, shown = on_step or (lambda what, part: None), []
    parts = (1 - np.cos(np.linspace(0, np.pi, count))) / 2  # slow at both ends
    for part in parts.tolist():
        shown.append(retoucher.render(session, way * part, settings))
        say("drawing the loop", len(shown) / count)
    return shown


def loop(pictures: Sequence["Photo"]) -> list[Pixels]:
    """Return pictures there and back, 8 bit and of one size, which is even."""
    there = [eight_bit(photo.on_white) for photo in pictures]
    height, width = (side - side % 2 for side in there[0].shape[:2])
    there = [pixels[:height, :width] for pixels in there]
    return there + there[-2:0:-1]


def sheet(pictures: Sequence["Photo"], values: Sequence[float]) -> Pixels:
    """Return the pictures in rows, each beneath its value, to be looked at together."""
    columns = min(len(pictures), int(np.ceil(np.sqrt(len(pictures) * 1.8))))
    rows = -(-len(pictures) // columns)
    columns = -(-len(pictures) // rows)  # so that the last row is nearly full
    shown = [_shrunk(eight_bit(p.on_white), WIDEST // columns) for p in pictures]
    small = [_labelled(one, v) for one, v in zip(shown, values, strict=True)]
    blank = np.full_like(small[0], 255)
    small += [blank] * (rows * columns - len(small))
    lines = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
    return np.vstack(lines)


def _labelled(picture: Image.Image, value: float) -> Pixels:
    height = max(LEAST_HEADING, picture.width // 14)
    labelled = Image.new("RGB", (picture.width, height + picture.height), "white")
    labelled.paste(picture, (0, height))
    pen, text = ImageDraw.Draw(labelled), f"{value:+.3g}" if value else "0"
    pen.text((height / 4, 0), text, "black", font_size=0.8 * height)
    return np.asarray(labelled)


def write_gif(frames: Sequence[Pixels], path: Path, *, force: bool = False) -> None:
    """Write frames as a GIF that repeats for ever."""
    small = [_shrunk(frame, SMALL) for frame in frames]
    # One palette for all, or colours would flicker.
    some = small[:: max(1, len(small) // 3)]
    joint = Image.fromarray(np.vstack([np.asarray(s) for s in some]))
    palette = joint.quantize(256, Image.Quantize.MEDIANCUT)
    flat = [s.quantize(palette=palette) for s in small]
    buffer = io.BytesIO()
    flat[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=flat[1:],
        duration=1000 // RATE,
        loop=0,
        disposal=1,
    )
    disk.check_path(path, force=force)
    disk.put(path, buffer.getvalue())


def write_mp4(frames: Sequence[Pixels], path: Path, *, force: bool = False) -> None:
    """Write frames as a film of some seconds."""
    from retouch.photos.film import Recorder, codec_for

    disk.check_path(path, force=force)
    codec = codec_for(path)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        base = Fraction(1, RATE)
        with Recorder(unfinished, codec, base, Fraction(RATE), "mp4") as film:
            for tick, frame in enumerate(frames):
                film.add(np.ascontiguousarray(frame), tick)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _shrunk(pixels: Pixels, side: int) -> Image.Image:
    image = Image.fromarray(pixels)
    scale = min(1.0, side / max(image.size))
    size = tuple(max(1, round(length * scale)) for length in image.size)
    return image.resize(size, Image.Resampling.LANCZOS)  # type: ignore[arg-type]
