"""The command that prints what attributes the faces of a photo have."""

import dataclasses
import json

import typer

from retouch.commands import output, terminal
from retouch.commands.options import PhotoPath, with_options
from retouch.commands.output import Output
from retouch.settings import Settings, option


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """What reads the attributes."""

    model: str = option("cvae", "The model whose encoder looks at the faces.")


@with_options(Output, "to", "as_json")
@with_options(Settings, "settings", "faces", "max_pixels")
@with_options(Reading, "reading")
def attributes(
    photo: PhotoPath, settings: Settings, to: Output, reading: Reading
) -> None:
    """Estimate the attributes of each face, in deviations of the population."""
    from retouch.jobs.attributes import attributes as estimate

    source = output.get(photo, settings.max_pixels)
    engine = terminal.retoucher(reading.model)
    found = estimate(engine, source, settings)
    if to.as_json:
        rows = [dataclasses.asdict(face) for face in found]
        typer.echo(json.dumps(rows))
        return
    for face in found:
        told = (f"{name} {value:+.2f}" for name, value in face.attributes.items())
        typer.echo(
            f"face {face.index}: {face.size:.0f} px, {face.note or '; '.join(told)}"
        )
