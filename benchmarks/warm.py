"""How long an edit takes in Python, once all is loaded.

    python -m benchmarks.warm
    python -m benchmarks.warm --moves age=1 --rounds 11

The photo is that of `benchmarks.cold`: a JPEG of 12 megapixels with one face. Given as
a path it is read, searched for faces, edited, and written beside itself; as pixels that
are decoded, the same without reading and writing. Each round does both; what is told
are medians, in seconds by the wall and of all cores together. NumPy's products take one
thread, as the commands let them: two take longer.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cold import portrait

WARMING = 2  # rounds that do not count


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 7,
    moves: Annotated[str, typer.Option(help="With commas between.")] = "smile=1",
) -> None:
    """Print what an edit takes."""
    from retouch import Retoucher, Settings, read

    wish = {n: float(s) for n, s in (one.split("=") for one in moves.split(","))}
    retoucher, load = Retoucher.load(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portrait.jpg"
        portrait(path)
        photo = read(path)
        ways: dict[str, Callable[[], object]] = {
            "path": lambda: retoucher.edit(path, wish, force=True),
            "decoded": lambda: retoucher.edited(photo, wish, Settings()),
        }
        took = [{n: cost(way) for n, way in ways.items()} for _ in range(WARMING)]
        took = [{n: cost(way) for n, way in ways.items()} for _ in range(rounds)]
    table = Table("photo", "wall, s", "least", "cores, s", "load")
    for name in ways:
        walls, cores = zip(*(one[name] for one in took), strict=True)
        figures = statistics.median(walls), min(walls), statistics.median(cores)
        table.add_row(name, *(f"{figure:.2f}" for figure in figures), f"{load:.1f}")
    Console(width=100).print(table)


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that some work takes, by the wall and of all cores."""
    wall, cores = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cores


if __name__ == "__main__":
    typer.run(main)
