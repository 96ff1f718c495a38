"""The commands that learn from one's own taste: rate, then learn."""

from pathlib import Path
from typing import Annotated

import typer

from retouch.commands import terminal
from retouch.commands.options import with_options
from retouch.settings import Settings


def rate(
    folder: Annotated[Path, typer.Argument(help="A folder of photos.")],
    out: Annotated[
        Path | None, typer.Option(help="The table; ratings.csv in the folder.")
    ] = None,
    port: Annotated[int, typer.Option(help="Of the page; 0 takes any.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Compare photos of adults in pairs on a page in the browser, until Ctrl-C."""
    import webbrowser

    from retouch.commands.rating_page import Page
    from retouch.jobs.rating import Adults, Table

    table = Table.open(folder, out or folder / "ratings.csv")
    table.save()
    page = Page(table, port, Adults(terminal.retoucher("default")))
    typer.echo(f"{len(table.elo.names)} photos: {page.address} (Ctrl-C ends)")
    if browser:
        webbrowser.open(page.address)
    try:
        page.serve_forever()
    except KeyboardInterrupt:
        typer.echo(f"{table.path}: each photo compared {table.elo.rounds:.1f} times")
        if table.elo.out:
            typer.echo(f"{len(table.elo.out)} left out: no adults alone are seen there")
    finally:
        page.server_close()


@with_options(Settings, "settings", "model")
def learn(
    name: Annotated[str, typer.Argument(help="What the direction will be called.")],
    table: Annotated[Path, typer.Option(help="A CSV with the columns file and score.")],
    settings: Settings,
    force: Annotated[
        bool, typer.Option("--force", help="Keep it even if its skill is too low.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v")] = False,
) -> None:
    """Learn a direction from ratings of your own photos, for edit --set NAME=1."""
    from pretrained.registry import library
    from retouch.edits.learnt import keep
    from retouch.edits.user_edits import check_name
    from retouch.jobs import learning

    ratings = learning.table(table)
    with terminal.progress(verbose=verbose) as on_step:
        engine = terminal.retoucher(settings.model)
        check_name(engine.model, name)
        seen = learning.see(engine, ratings, on_step)
        learnt = learning.learn(name, seen)
    for sentence in seen.skipped:
        typer.echo(sentence, err=True)
    count = len(seen.scores)
    typer.echo(f"{name}: r = {learnt.skill:.2f} with ratings kept aside, {count} faces")
    if learnt.skill < learning.LEAST and not force:
        raise learning.refuse(learnt)
    keep(library(), learnt, engine.model.name, count)
    typer.echo(f"retouch edit photo.jpg --set {name}=1")
