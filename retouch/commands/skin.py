"""The command that retouches skin, eyes and teeth."""

from typing import TYPE_CHECKING

from retouch.commands import output, terminal
from retouch.commands.options import PhotoPath, with_options
from retouch.commands.output import Output
from retouch.commands.painted import Painted
from retouch.settings import TRUST, Settings, Skin

if TYPE_CHECKING:
    from retouch.faces.detect import Detector
    from retouch.jobs.skin import SkinRetoucher


@with_options(Output, "to")
@with_options(Painted, "painted")
@with_options(Settings, "settings", "faces", "strength", "max_pixels", *TRUST)
@with_options(Skin, "wishes")
def skin(
    photo: PhotoPath, wishes: Skin, settings: Settings, painted: Painted, to: Output
) -> None:
    """Retouch skin, eyes and teeth; whose face it is stays as it was."""
    target = to.target(photo, "skin", settings)
    source = painted.held(output.get(photo, settings.max_pixels))
    with terminal.progress(to.quiet, to.verbose) as on_step:
        on_step("retouching", 0.0)
        engine, known = terminal.found_beside(source, _loaded)
        result = engine.retouched(known, settings, wishes)
    to.write(result, target)


def _loaded(detector: "Detector") -> "SkinRetoucher":
    from retouch.jobs.skin import SkinRetoucher

    return SkinRetoucher.load(detector)
