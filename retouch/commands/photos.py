"""The commands on one photo, beautify, edit and faces, and the doctor's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pretrained import backend
from retouch.commands import completion, loops, output, sliders, terminal
from retouch.commands.options import Moves, PhotoPath, with_options
from retouch.commands.output import Output
from retouch.commands.painted import Painted
from retouch.edits import names
from retouch.edits.directions import trait_of
from retouch.errors import SettingsError
from retouch.settings import Climb, Settings

if TYPE_CHECKING:
    from retouch.engine.report import FaceReport

LatentFiles = Annotated[
    list[Path] | None,
    typer.Option(help="A file of retouch invert, whose face is not inverted again."),
]


@with_options(Output, "to")
@with_options(Painted, "painted")
@with_options(Climb, "climb")
@with_options(Settings, "settings")
def beautify(
    photo: PhotoPath,
    settings: Settings,
    climb: Climb,
    painted: Painted,
    to: Output,
    gif: Annotated[
        Path | None, typer.Option(help="Write a loop from before to after, too.")
    ] = None,
    grid: Annotated[
        bool, typer.Option("--grid", help="A sheet of strengths 0 to 2 instead.")
    ] = False,
    latents: LatentFiles = None,
) -> None:
    """Make each face a little more beautiful; the person stays that person."""
    if grid and (gif or to.compare or climb.until_score is not None):
        raise SettingsError("--grid goes without --gif, --compare and --until-score.")
    target = to.target(photo, "grid" if grid else "beautify", settings, sheet=grid)
    films = loops.checked(to.force, gif=gif)
    source = painted.held(output.get(photo, settings.max_pixels))
    with terminal.progress(to.quiet, to.verbose) as on_step:
        engine, known = terminal.opened(settings.model, source, latents)
        if grid:
            loops.graded(engine, known, settings, climb, target, to, on_step)
            return
        if films:
            result = loops.beautified(engine, known, settings, climb, on_step, films)
        else:
            result = engine.beautified(known, settings, on_step, climb)
    to.write(result, target, settings.identity)
    loops.tell(films, to)


@with_options(Output, "to")
@with_options(Painted, "painted")
@with_options(Settings, "settings")
def edit(
    photo: PhotoPath,
    settings: Settings,
    painted: Painted,
    to: Output,
    moves: Moves = None,
    face: Annotated[
        list[str] | None,
        typer.Option(help="The same for one face: 0:smile=1, 1:age=-1."),
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(
            "--range",
            help="A sheet of pictures instead: smile=-1:1.5:11.",
            autocompletion=completion.spans,
        ),
    ] = None,
    gif: Annotated[
        Path | None, typer.Option(help="With --range, write a loop, too.")
    ] = None,
    mp4: Annotated[
        Path | None, typer.Option(help="With --range, write a film, too.")
    ] = None,
    latents: LatentFiles = None,
) -> None:
    """Move faces along named directions, in deviations of the population."""
    films = loops.checked(to.force, gif=gif, mp4=mp4)
    wish = sliders.read(moves or [], face or [], span, loop=bool(films))
    if not latents:  # whose model is theirs
        names.check(settings.model, wish.names)
    target = to.target(photo, wish.word, settings, sheet=wish.span is not None)
    source = painted.held(output.get(photo, settings.max_pixels))
    if not to.quiet:
        sliders.warn(wish)
    with terminal.progress(to.quiet, to.verbose) as on_step:
        engine, known = terminal.opened(settings.model, source, latents)
        if wish.span is not None:
            loops.ranged(engine, known, wish.span, settings, target, to, films, on_step)
            return
        if wish.each:
            result = engine.edited_each(known, wish.each, settings, on_step)
        else:
            result = engine.edited(known, wish.all, settings, on_step)
    wished = [trait_of(name) for name in wish.names]
    to.write(result, target, settings.identity, wished)


@with_options(Output, "to", "out", "force", "as_json")
@with_options(Settings, "settings", "max_pixels")
def faces(
    photo: PhotoPath,
    settings: Settings,
    to: Output,
    masks: Annotated[
        bool,
        typer.Option("--masks", help="Draw the parts found: skin, hair, hands ..."),
    ] = False,
) -> None:
    """List the faces of a photo; with --out, draw them on a copy."""
    from retouch.engine.report import FaceReport
    from retouch.faces.detect import Detector

    source = output.get(photo, settings.max_pixels)
    if masks and to.out is None:
        raise SettingsError("--masks draws on a copy: name it with --out FILE.")
    if to.out is not None:
        output.check(to.out, to.force)
    found = Detector().find(source.pixels)
    if to.out is not None:
        from retouch.engine.drawing import annotated

        shown = annotated(source, found, parts=masks)
        output.put(shown, to.out, force=to.force)
    rows = [FaceReport.of(i, face) for i, face in enumerate(found)]
    _print(rows, to.as_json, to.out or "")


def _print(rows: list["FaceReport"], as_json: bool, target: str) -> None:
    if as_json:
        output.say(json.dumps([row.place for row in rows]), target)
        return
    for row in rows:
        text = f"face {row.index}: {row.size:.0f} px, turned {round(row.roll):+d}, "
        text += f"looking {round(row.yaw):+d}, confidence {row.confidence:.2f}"
        output.say(text, target)
    if not rows:
        output.say("no face", target)
    if target not in ("", "-"):
        output.say(target, target)


def doctor() -> None:
    """Say what is installed and what is missing, with the command that mends it."""
    backend.start()
    from retouch.commands.installation import checks

    bad = 0
    for check in checks():
        bad += not check.fine
        typer.echo(f"{'ok ' if check.fine else 'NO '} {check.name}: {check.found}")
        if check.remedy:
            typer.echo(f"    {check.remedy}")
    if bad:
        raise typer.Exit(1)
