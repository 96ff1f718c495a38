"""Moving pictures in files: frames read upright, frames written, sound copied.

PyAV is used and not a piped ffmpeg: it gives every frame its own time, and copies
packets of sound without decoding them.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retouch.errors import DependencyError, PhotoError
from retouch.photos import disk

Pixels8 = NDArray[np.uint8]
CONTAINERS = {
    ".mp4": ("mp4", ("libx264", "libopenh264", "mpeg4")),
    ".m4v": ("mp4", ("libx264", "libopenh264", "mpeg4")),
    ".mov": ("mov", ("libx264", "libopenh264", "mpeg4")),
    ".mkv": ("matroska", ("libx264", "libopenh264", "mpeg4")),
    ".webm": ("webm", ("libvpx-vp9", "libvpx")),
}
# What each encoder is asked for: eyes see no loss, and no frame waits for a later one.
QUALITY = {
    "libx264": {"crf": "16", "preset": "veryfast", "bf": "0"},
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"},
    "libvpx": {"crf": "8", "b": "8M", "deadline": "realtime", "cpu-used": "6"},
    "mpeg4": {"qscale": "2", "bf": "0"},
}
HIGH_DEFINITION = 720  # rows from which colours are coded as BT.709 says


class Frame(NamedTuple):
    """One frame, upright, and when it is shown."""

    pixels: Pixels8  # (H, W, 3)
    tick: int  # in the film's time base
    moment: float  # seconds


def library() -> Any:
    """Return PyAV."""
    try:
        import av
    except ImportError as error:
        raise DependencyError(
            f"Videos need PyAV ({error}). Run: pip install av"
        ) from error
    av.logging.set_level(av.logging.PANIC)  # what goes wrong is raised, not printed
    return av


# --- reading ------------------------------------------------------------------


class Film:
    """A file of moving pictures, opened for reading."""

    def __init__(self, path: Path):
        self.path, av = path, library()
        if not path.is_file():
            raise PhotoError(f"There is no file '{path}'; check the name.")
        with reading(path):
            self.container = av.open(str(path))
        if not self.container.streams.video:
            self.container.close()
            raise PhotoError(f"'{path}' holds no moving pictures; name a video.")
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    @property
    def base(self) -> Fraction:
        """The seconds of one tick."""
        return Fraction(self.stream.time_base)

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""
        return Fraction(self.stream.average_rate or self.stream.guessed_rate or 25)

    @property
    def count(self) -> int | None:
        """How many frames it has, as far as the file says so."""
        if self.stream.frames:
            return int(self.stream.frames)
        length = self.container.duration  # microseconds
        return round(length * self.rate / 1_000_000) if length else None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in the order in which they are shown."""
        last = -1
        with reading(self.path):
            for frame in self.container.decode(self.stream):
                step = max(1, round(1 / (self.rate * self.base)))
                tick = last + step if frame.pts is None else int(frame.pts)
                if tick <= last and last >= 0:
                    continue  # damaged times: two frames cannot be shown at once
                last = tick
                yield Frame(_upright(frame), tick, float(tick * self.base))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what PyAV says of a file that cannot be read into a PhotoError."""
    av = library()
    try:
        yield
    except (av.FFmpegError, av.error.DecoderNotFoundError) as error:
        raise PhotoError(
            f"'{path}' cannot be read as a video ({_reason(error)}); it may be damaged"
            " or of a kind for which no decoder is there. Convert it to .mp4 first."
        ) from error


def _upright(frame: Any) -> Pixels8:
    from av.video.reformatter import ColorRange, Colorspace

    wide = ColorRange.JPEG if frame.color_range == ColorRange.JPEG else ColorRange.MPEG
    known = {Colorspace.ITU709, Colorspace.FCC, Colorspace.ITU601, Colorspace.SMPTE240M}
    space = frame.colorspace
    rgb = frame.format.is_rgb or frame.format.name == "pal8"
    if rgb:
        pixels = frame.to_ndarray(format="rgb24")
    else:
        told = space in {int(k) for k in known}
        pixels = frame.reformat(
            format="rgb24",
            src_colorspace=Colorspace(space) if told else _space(frame.height),
            src_color_range=wide,
            dst_color_range=ColorRange.JPEG,
        ).to_ndarray()
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _space(rows: int) -> Any:
    from av.video.reformatter import Colorspace

    return Colorspace.ITU709 if rows >= HIGH_DEFINITION else Colorspace.ITU601


# --- writing ------------------------------------------------------------------


def codec_for(path: Path, available: Any = None) -> str:
    """Return the name of the encoder for a file of that name."""
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS:
        known = ", ".join(CONTAINERS)
        raise PhotoError(
            f"'{path}' names no video that can be written. Known: {known}."
        )
    present = library().codec.codecs_available if available is None else available
    wanted = CONTAINERS[suffix][1]
    for name in wanted:
        if name in present:
            return name
    raise DependencyError(
        f"None of the codecs that a {suffix} file needs is there: {', '.join(wanted)}."
        " Choose another kind of file, or install PyAV from its wheel:"
        " pip install --force-reinstall av"
    )


def check(path: Path, *, force: bool) -> None:
    """Refuse a name under which no video can be written."""
    codec_for(path)
    disk.check_path(path, force=force)


class Recorder:
    """Writes frames to a file, without sound."""

    def __init__(
        self, path: Path, codec: str, base: Fraction, rate: Fraction, kind: str
    ):
        self.path, self.codec, self.base, self.rate = path, codec, base, rate
        self.stream: Any = None
        with writing(path):
            self.container = library().open(str(path), "w", format=kind)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, pixels: Pixels8, tick: int) -> None:
        """Write the next frame (H, W, 3), to be shown at that tick."""
        from av.video.reformatter import ColorRange, Colorspace

        with writing(self.path):
            if self.stream is None:
                self._begin(*pixels.shape[:2])
            frame = library().VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(
                format=self.stream.pix_fmt,
                src_colorspace=Colorspace.DEFAULT,
                dst_colorspace=_space(pixels.shape[0]),
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = tick, self.base
            self.container.mux(self.stream.encode(frame))

    def _begin(self, height: int, width: int) -> None:
        from av.codec.context import Flags
        from av.video.reformatter import ColorRange, Colorspace

        options = QUALITY.get(self.codec, {})
        self.stream = self.container.add_stream(self.codec, self.rate, options=options)
        self.stream.width, self.stream.height = width, height
        halved = width % 2 == 0 and height % 2 == 0
        self.stream.pix_fmt = "yuv420p" if halved else "yuv444p"
        context = self.stream.codec_context
        context.time_base = self.stream.time_base = self.base
        context.framerate = self.rate
        context.flags |= Flags.global_header
        high = _space(height) == Colorspace.ITU709
        context.colorspace = 1 if high else 6  # BT.709, BT.601 as ffmpeg numbers them
        context.color_primaries = context.color_trc = 1 if high else 6
        context.color_range = int(ColorRange.MPEG)

    def close(self) -> None:
        """Finish the file, so that it plays."""
        with writing(self.path):
            if self.stream is not None:
                self.container.mux(self.stream.encode(None))
            self.container.close()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what PyAV or the system says of a failed write into a PhotoError."""
    av = library()
    try:
        with disk.refusing(f"'{path}'"):
            yield
    except av.FFmpegError as error:
        raise PhotoError(
            f"Writing '{path}' failed ({_reason(error)}); choose another name, kind of"
            " file or folder."
        ) from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or "unknown").lower()


# --- joining ------------------------------------------------------------------


def join(
    parts: Sequence[Path],
    source: Path | None,
    target: Path,
    *,
    until: float | None = None,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write the pictures of parts and the sound of the source as one file.

    The target is the old file or the whole new one. No packet is decoded.

    Args:
        until: seconds where sound ends, if the parts are not all there will be.
        notes: what the container says of itself.
    """
    av = library()
    kind = CONTAINERS[target.suffix.lower()][0]
    unfinished = target.with_name(f".{target.name}.unfinished")
    beside = av.open(str(source)) if source else None
    opened = [av.open(str(part)) for part in parts]
    try:
        with writing(target):
            with av.open(str(unfinished), "w", format=kind) as out:
                told = dict(beside.metadata) if beside else {}
                out.metadata.update({**told, **(notes or {})})
                sounds = list(beside.streams.audio) if beside else []
                lanes = [_pictures(out, opened), *_sound(out, beside, sounds, until)]
                for _, _, packet in heapq.merge(*lanes, key=lambda row: row[:2]):
                    out.mux(packet)
            unfinished.replace(target)
    except ValueError as error:
        names = ", ".join(s.codec_context.name for s in beside.streams.audio)  # type: ignore[union-attr]
        raise PhotoError(
            f"The sound of '{source}' ({names}) does not fit into '{target}'"
            f" ({error}); choose a name that ends in .mkv."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
        for container in [*opened, *([beside] if beside else [])]:
            container.close()


def _pictures(out: Any, parts: list[Any]) -> Iterator[tuple[float, int, Any]]:
    stream = out.add_stream_from_template(parts[0].streams.video[0])
    return _rows(0, stream, (p for part in parts for p in part.demux(video=0)), None)


def _sound(
    out: Any, source: Any, sounds: list[Any], until: float | None
) -> list[Iterator[tuple[float, int, Any]]]:
    """Return the packets of each sound, read in one go: they are small."""
    streams = {sound.index: out.add_stream_from_template(sound) for sound in sounds}
    packets: dict[int, list[Any]] = {index: [] for index in streams}
    for packet in source.demux(*sounds) if sounds else ():
        packets[packet.stream.index].append(packet)
    return [
        _rows(i + 1, streams[index], packets[index], until)
        for i, index in enumerate(streams)
    ]


def _rows(
    lane: int, stream: Any, packets: Any, until: float | None
) -> Iterator[tuple[float, int, Any]]:
    """Yield packets with their times, moved to another stream."""
    for packet in packets:
        if packet.dts is None:
            continue
        moment = float(packet.dts * packet.time_base)
        if until is not None and moment >= until:
            continue
        packet.stream = stream
        yield moment, lane, packet
