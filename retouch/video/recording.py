"""The live loop without a window: frames of a source become a clip."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from retouch.errors import SettingsError
from retouch.photos.film import Recorder, codec_for, join
from retouch.video.live import Live
from retouch.video.live_options import LiveOptions
from retouch.video.sources import Camera, Source, Still


def record(
    source: Source,
    live: Live,
    options: LiveOptions,
    on_frame: Callable[[int], None] | None = None,
) -> Path:
    """Write what the window would show; return where it lies.

    Stopped by Control-C it finishes the clip first, so that it plays.
    """
    target = Path(options.out or "")
    if options.frames == 0 and isinstance(source, Camera | Still):
        raise SettingsError(
            "A camera and a picture never end: say with --frames when to stop."
        )
    codec = codec_for(target)
    part = target.with_name(f".{target.name}.part")
    count, interrupted = 0, None
    try:
        with Recorder(part, codec, source.base, source.rate, "nut") as recorder:
            try:
                for frame in islice(source.frames(), options.frames or None):
                    shown = live.show(frame.pixels, frame.moment)
                    recorder.add(shown.after, frame.tick)
                    count += 1
                    if on_frame is not None:
                        on_frame(count)
            except KeyboardInterrupt as stop:
                interrupted = stop
        if count:
            join([part], None, target)
    finally:
        part.unlink(missing_ok=True)
    if interrupted is not None:
        raise interrupted
    return target
