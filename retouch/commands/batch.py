"""The command on many photos."""

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retouch.batches.job import KINDS
from retouch.batches.plan import Plan
from retouch.commands import completion, terminal
from retouch.commands.options import assignments, moves_flag, with_options
from retouch.commands.output import Output
from retouch.edits import names
from retouch.settings import Climb, Settings, Skin

if TYPE_CHECKING:
    from retouch.batches.job import Done
    from retouch.batches.run import OnDone, Summary

REASONS = {  # what came of pictures, by the kind of the error
    "PhotoError": "cannot be read",
    "SizeError": "too large for --max-pixels",
    "FaceError": "without a face to work on",
}
UNFORESEEN = "not worked on, for reasons that the report tells"
FEW = 3  # of such pictures are named

CLIMBING = ("until_score", "max_steps", "skin")  # --look is the skin's flag
WRITING = ("compare", "quality", "strip_location", "provenance")


@with_options(Output, "to", *WRITING, "as_json", "quiet")
@with_options(Plan, "plan")
@with_options(Climb, "climb", *CLIMBING)
@with_options(Skin, "wishes")
@with_options(Settings, "settings")
def batch(
    source: Annotated[
        str,
        typer.Argument(help="A folder, a pattern, a list (.txt), an s3:// address."),
    ],
    out: Annotated[Path, typer.Argument(help="Folder for results and report.jsonl.")],
    settings: Settings,
    climb: Climb,
    wishes: Skin,
    plan: Plan,
    to: Output,
    what: Annotated[
        str,
        typer.Argument(
            help="beautify, edit, skin or invert.",
            autocompletion=completion.one_of(KINDS),
        ),
    ] = "beautify",
    moves: Annotated[
        list[str] | None, moves_flag("For edit: a direction and how far: smile=1.5.")
    ] = None,
) -> None:
    """Work on many photos; run it again to go on where it ended."""
    from retouch.batches.job import Job
    from retouch.batches.run import run

    job = Job(
        kind=what,
        settings=settings,
        climb=dataclasses.replace(climb, look=wishes.look),
        skin=wishes,
        moves=assignments(moves or []),
        **{name: getattr(to, name) for name in WRITING},
    )
    names.check(settings.model, job.moves)
    try:
        with _progress(to.quiet or to.as_json) as on_done:
            summary = run(source, out, job, plan, on_done)
    except KeyboardInterrupt:
        if not to.quiet:
            typer.echo(terminal.STOPPED, err=True)
        raise
    if to.as_json:
        typer.echo(json.dumps(summary.told()))
    elif not to.quiet:
        _tell(summary, out)


def _tell(summary: "Summary", out: Path) -> None:
    told = summary.told()
    faces = "1 face" if summary.faces == 1 else f"{summary.faces} faces"
    typer.echo(
        f"{summary.done} done ({faces}), {summary.failed} came to"
        f" nothing, {summary.skipped} done before; {summary.seconds:.0f} s,"
        f" {told['rate']:.2f} pictures a second"
    )
    for kind, lost in sorted(summary.errors.items(), key=lambda row: -len(row[1])):
        typer.echo(f"    {len(lost)} {REASONS.get(kind, UNFORESEEN)}: {_some(lost)}")
    if summary.given_up:
        typer.echo(
            f"    {summary.given_up} came to nothing before; --retry-errors tries again"
        )
    if summary.ignored:
        typer.echo(f"    no pictures by their names: {summary.ignored}")
    typer.echo(str(out / "report.jsonl"))


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many there are beside."""
    rest = len(names) - FEW
    shown = ", ".join(map(terminal.plain, names[:FEW]))
    return f"{shown} and {rest} more" if rest > 0 else shown


@contextmanager
def _progress(quiet: bool) -> Iterator["OnDone | None"]:
    """Show a bar with the rate and the time left; in a log, a line now and then."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        paced = terminal.Paced()
        yield lambda done, number, count: paced.say(
            f"{number} of {count}, {terminal.plain(done.name)}"
        )
        return
    from rich import progress

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.description}"),
    )
    with progress.Progress(*columns, console=terminal.console(stderr=True)) as bar:
        task = bar.add_task("loading", total=None, rate="")

        def show(done: "Done", number: int, count: int) -> None:
            seconds = bar.tasks[0].elapsed or 0
            rate = f"{number / seconds:.2f}/s" if seconds else ""
            name = terminal.plain(done.name)
            bar.update(task, description=name, completed=number, total=count, rate=rate)

        yield show
