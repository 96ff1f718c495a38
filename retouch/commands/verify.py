"""The commands on finished pictures: what they say of themselves, and the way back."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retouch.commands import output
from retouch.commands.options import with_options
from retouch.commands.output import Output
from retouch.errors import PhotoError, SettingsError
from retouch.settings import Settings

if TYPE_CHECKING:
    from retouch.photos.photo import Photo
    from retouch.provenance.verify import Findings

LOSSLESS = ("PNG", "TIFF")
PICTURE = Annotated[Path, typer.Argument(help="A finished picture.")]
STATES = {
    "trusted": "holds, signed by {} whom the given certificates vouch for",
    "valid": "holds, signed by {} whom nobody given here vouches for (--trust)",
    "broken": "does NOT hold",
}


@with_options(Output, "to", "as_json")
@with_options(Settings, "settings", "max_pixels")
def verify(
    picture: PICTURE,
    settings: Settings,
    to: Output,
    trust: Annotated[
        Path | None,
        typer.Option(help="Certificates (PEM) of those who vouch for signers."),
    ] = None,
) -> None:
    """Say what a picture tells of how it came about, and whether that holds."""
    from retouch.provenance.verify import findings

    anchors = None if trust is None else _anchors(trust)
    found = findings(*_read(picture, settings), anchors)
    if to.as_json:
        told = {**dataclasses.asdict(found), "marked": found.marked}
        typer.echo(json.dumps({**told, "holds": found.holds}))
    else:
        for line in sentences(found):
            typer.echo(line)
    if not found.holds:
        raise PhotoError(f"What '{picture}' says of itself does not hold.")


@with_options(Output, "to", "out", "force", "quality", "quiet")
@with_options(Settings, "settings", "max_pixels")
def undo(picture: PICTURE, settings: Settings, to: Output) -> None:
    """Put the faces back as they were, out of a picture made with --reversible."""
    from retouch.provenance import carried, originals

    photo, data = _read(picture, settings)
    suffix = picture.suffix if photo.format in LOSSLESS else ".png"
    target = to.out or str(picture.with_name(f"{picture.stem}-undone{suffix}"))
    output.check(target, to.force)
    payload = carried.take(data, photo.format)
    if payload is None:
        raise PhotoError(
            f"'{picture}' does not carry the faces as they were: it was made without"
            " --reversible, or saved again by a program that left them out."
        )
    before = originals.restored(photo, payload, originals.passphrase())
    before = dataclasses.replace(before, metadata=before.metadata.unstamped())
    to.put(before, target)
    if not to.quiet and target != "-":
        output.say(target, target)


def sentences(found: "Findings") -> list[str]:
    """Return the findings in words."""
    lines, said = [], found.manifest
    if found.unread:
        lines.append(f"manifest: not looked at; {found.unread}")
    elif said.state == "none":
        lines.append("manifest: none")
    else:
        lines.append(f"manifest: {STATES[said.state].format(repr(said.signer))}")
        lines += [f"    {code}" for code in said.failures]
        lines.append(f"    actions: {', '.join(said.actions) or 'none'}")
        lines += [f"    {name}: {value}" for name, value in said.edit.items()]
        lines.append(f"    the photo's own manifest: {said.photo or 'none'}")
    kept = found.notes
    lines.append(
        f"XMP: {kept.source_type or 'no source type'}; {kept.tool or 'no tool'}"
    )
    lines.append(f"original faces inside: {found.originals}")
    lines.append(f"hidden mark: in {found.marked} of {len(found.marks)} faces")
    return lines


def _read(picture: Path, settings: Settings) -> tuple["Photo", bytes]:
    """Return the picture as a photo, and its file."""
    from retouch.photos.photo import read

    return read(picture, max_pixels=settings.max_pixels), picture.read_bytes()


def _anchors(trust: Path) -> str:
    try:
        return trust.read_text("ascii")
    except (OSError, ValueError) as error:
        raise SettingsError(f"'{trust}' is no PEM file that can be read.") from error
