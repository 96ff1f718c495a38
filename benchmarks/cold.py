"""How long commands take from their start to their end, with nothing loaded before.

    python -m benchmarks.cold
    python -m benchmarks.cold --beside ../before      # another checkout, in turns

The photo is a JPEG of 12 megapixels with one face: a public portrait enlarged. Every
run is a process of its own; a line tells the median of some rounds: seconds by the
wall, seconds of all cores together, and the most memory. A first run that does not
count leaves compiled modules, as an installation does. Other work on the machine slows
the wall, and less so the cores' seconds; the load before is told. Another checkout
takes turns with this one, by the same Python and its packages.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parents[1]
SIDE = 3464  # pixels: 12 megapixels
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes that the system counts by
SMILE = "--set", "smile=1"
COMMANDS: dict[str, tuple[str, ...]] = {
    "faces": ("faces",),
    "skin": ("skin",),
    "edit --set smile=1": ("edit", *SMILE),
    "beautify": ("beautify",),
    "edit --preset balanced": ("edit", *SMILE, "--preset", "balanced"),
}
WRITING = {"skin", "edit", "beautify"}


class Cost(NamedTuple):
    """What a process took."""

    wall: float  # seconds
    cores: float  # seconds of all of them together
    peak: float  # megabytes


def portrait(path: Path) -> None:
    """Write the photo."""
    import skimage.data

    photo = Image.fromarray(skimage.data.astronaut())
    photo = photo.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    photo.save(path, quality=92)


def cost(checkout: Path, words: tuple[str, ...], photo: Path) -> Cost:
    """Run a command of a checkout on the photo and return what it took."""
    out = ["--out", str(photo.with_name("out.jpg")), "--force"]
    writing = out if words[0] in WRITING else []
    command = [sys.executable, str(checkout / "cli.py"), words[0], str(photo)]
    start = time.perf_counter()
    kept = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    with open(os.devnull, "w") as nothing:
        process = subprocess.Popen(
            [*command, *words[1:], *writing],
            stdout=nothing,
            stderr=nothing,
            cwd=photo.parent,
            env={**kept, "PYTHONPATH": str(checkout)},
        )
        _, state, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(state)
    if process.returncode:
        raise SystemExit(f"'{' '.join(words)}' failed in {checkout}.")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * UNIT / 1e6)


def median(costs: list[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def main(
    beside: Annotated[
        Path | None, typer.Option(help="Another checkout, to run in turns.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    only: Annotated[
        str, typer.Option(help="Commands, with commas between; all if not given.")
    ] = "",
) -> None:
    """Print what each command takes."""
    places = {"here": HERE} | ({"beside": beside.resolve()} if beside else {})
    wanted = [name.strip() for name in only.split(",") if name.strip()] or [*COMMANDS]
    table = Table("command", "checkout", "wall, s", "cores, s", "peak, MB", "load")
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "portrait.jpg"
        portrait(photo)
        for name in wanted:
            load = os.getloadavg()[0]
            for path in places.values():
                cost(path, COMMANDS[name], photo)
            turns = [
                (place, cost(path, COMMANDS[name], photo))
                for _ in range(rounds)
                for place, path in places.items()
            ]
            for place in places:
                took = median([one for where, one in turns if where == place])
                figures = f"{took.wall:.2f}", f"{took.cores:.2f}", f"{took.peak:.0f}"
                table.add_row(name, place, *figures, f"{load:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
