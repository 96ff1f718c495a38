"""How much faster `retouch batch` is than a plain loop, and what it takes.

    python -m benchmarks.batch [FOLDER]
    python -m benchmarks.batch --arms batch,ray --counts 32,96      # start, and slope
    python -m benchmarks.batch --arms batch --counts 1000 --cheap --rounds 1   # memory

Arms take turns, each in a process of its own, on the same photos (copies of a public
portrait, the first 32 each a little different, unless a folder is given) with the
default settings. With one count the clock of an arm starts once its first pictures are
done, so that loading and compiling do not count; what they take is told apart. With two
counts a line is laid through the whole runs: what a picture costs, and what the start
does. That is how Ray is compared, which hands results over in bursts. Other work on the
machine slows all arms: the load is told, and the CPU seconds of all processes, which
suffer less from it. `--cheap` is an edit of few steps, for what they do not matter to.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.watching import Watch

RESULTS = Path(__file__).parent / "results"
WARM = {"loop": 2, "batch": 16, "ray": 16}  # pictures before the clock starts
LOOPED = 10  # pictures of the loop, which needs no more to tell its pace
DISTINCT = 32  # photos that differ; the rest are copies of them
SEVERAL = ("seconds in all", "CPU seconds in all")  # what a line is laid through
Figures = dict[str, Any]


def portraits(folder: Path, count: int) -> None:
    """Write photos of one face, the first ones each a little different."""
    import skimage.data

    photo = Image.fromarray(skimage.data.astronaut())
    for i in range(min(count, DISTINCT)):
        shown = np.asarray(photo.rotate(i % 9 - 4, Image.Resampling.BICUBIC))
        shown = shown[:, ::-1] if i % 2 else shown
        light = np.clip(shown * (0.8 + 0.01 * (i % 37)), 0, 255).astype(np.uint8)
        Image.fromarray(light).save(folder / f"{i:05}.jpg", quality=95)
    for i in range(DISTINCT, count):
        shutil.copy(folder / f"{i % DISTINCT:05}.jpg", folder / f"{i:05}.jpg")


# --- the arms; each runs in a process of its own ---------------------------------


def loop(photos: Path, out: Path) -> list[float]:
    """Return when each photo was done by one retoucher, one after the other."""
    from retouch.engine.retoucher import Retoucher
    from retouch.photos.photo import read, write
    from retouch.settings import Settings

    retoucher, times = Retoucher.load(), []
    for path in sorted(photos.iterdir())[:LOOPED]:
        result = retoucher.beautified(read(path), Settings())
        write(result.photo, out / path.name, provenance=result.provenance)
        times.append(time.perf_counter())
    return times


def batch(
    photos: Path, out: Path, engine: str, limit: int | None, cheap: bool
) -> list[float]:
    """Return when each photo was done by a batch."""
    from retouch.batches.job import Job
    from retouch.batches.plan import Plan
    from retouch.batches.run import run
    from retouch.settings import Climb, Settings

    few = Job(settings=Settings(steps=1), climb=Climb(max_steps=2))
    times: list[float] = []
    run(
        str(photos),
        out,
        few if cheap else Job(),
        Plan(engine=engine, limit=limit),
        lambda *_: times.append(time.perf_counter()),
    )
    return times


def arm(name: str, photos: Path, out: Path, limit: int | None, cheap: bool) -> None:
    """Print when the arm began and when each of its photos was done."""
    start = time.perf_counter()
    out.mkdir()
    engine = {"batch": "local", "ray": "ray"}.get(name)
    if engine is None:
        times = loop(photos, out)
    else:
        times = batch(photos, out, engine, limit, cheap)
    print(json.dumps([moment - start for moment in times]))


# --- measuring them ---------------------------------------------------------------


def measured(
    name: str, photos: Path, out: Path, limit: int | None, cheap: bool
) -> Figures:
    """Run an arm and return its figures."""
    code = "import pathlib, benchmarks.batch as b; P = pathlib.Path;"
    code += f" b.arm({name!r}, P({str(photos)!r}), P({str(out)!r}), {limit}, {cheap})"
    start, load = time.perf_counter(), os.getloadavg()[0]
    # Ray would have its workers stand back behind whatever else runs.
    env = {**os.environ, "RAY_worker_niceness": "0"}
    words = [sys.executable, "-c", code]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env)
    watch = Watch(process.pid)
    text, _ = process.communicate()
    wall = time.perf_counter() - start
    watch.stop()
    times = json.loads(text.splitlines()[-1])
    figures = {
        "pictures": len(times),
        "seconds in all": times[-1],
        "CPU seconds in all": watch.cpu_seconds,
        "cores it had": watch.cpu_seconds / wall,
        "load before": load,
        "peak GB": watch.peak,
        "GB by tenths of the run": watch.parts(),
    }
    return figures | (_pace(times, WARM[name]) if name != "ray" else {})


def _pace(times: list[float], warm: int) -> Figures:
    if len(times) <= warm:
        return {}
    seconds = (times[-1] - times[warm - 1]) / (len(times) - warm)
    return {"seconds a picture": seconds, "loading and first pictures": times[warm - 1]}


def runs(name: str, photos: Path, out: Path, sizes: list[int], cheap: bool) -> Figures:
    """Run an arm on each number of photos; return what the largest run took."""
    found = []
    for size in sizes:
        place = out.with_name(f"{name}-{out.name}-{size}")
        found.append(measured(name, photos, place, size, cheap))
        print(name, json.dumps(found[-1]), flush=True)
    return found[-1] | (line(found[0], found[-1]) if len(found) > 1 else {})


def line(few: Figures, many: Figures) -> Figures:
    """Return what a picture costs and what the start does, of two runs of an arm."""
    found = {}
    for figure in SEVERAL:
        more = many["pictures"] - few["pictures"]
        slope = (many[figure] - few[figure]) / more
        found[f"{figure}: a picture"] = slope
        found[f"{figure}: the start"] = few[figure] - slope * few["pictures"]
    return found


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Photos; own ones if not.")
    ] = None,
    rounds: int = 2,
    counts: Annotated[str, typer.Option(help="Pictures of a run; two: a line.")] = "32",
    arms: Annotated[str, typer.Option(help="Of loop, batch and ray.")] = "loop,batch",
    cheap: Annotated[bool, typer.Option("--cheap", help="A few steps only.")] = False,
) -> None:
    """Time the arms in turns, and keep the figures."""
    names, sizes = arms.split(","), sorted(int(count) for count in counts.split(","))
    rows: list[dict[str, Figures]] = []
    with tempfile.TemporaryDirectory() as place:
        photos = folder or Path(place) / "photos"
        if folder is None:
            photos.mkdir()
            portraits(photos, sizes[-1])
        for number in range(rounds):
            out = Path(place) / str(number)
            row = {n: runs(n, photos, out, sizes, cheap) for n in names}
            rows.append(row)
    _show(names, rows)
    _keep(names, rows, cheap)


def _show(names: list[str], rows: list[dict[str, Figures]]) -> None:
    table = Table("figure", *names)
    for figure in dict.fromkeys(f for row in rows for n in names for f in row[n]):
        cells = [
            "; ".join(_told(row[n][figure]) for row in rows if figure in row[n])
            for n in names
        ]
        table.add_row(figure, *cells)
    console = Console(width=140)
    console.print(table)
    for name in names[1:]:
        for figure in (f for f in rows[0][name] if f.startswith("seconds")):
            pairs = [(row[name], row[names[0]]) for row in rows]
            ratios = [a[figure] / b[figure] for a, b in pairs if figure in b]
            console.print(f"{figure}: {name} / {names[0]} = {_told(ratios)}")


def _told(value: Any) -> str:
    many = value if isinstance(value, list) else [value]
    return " ".join(f"{one:.2f}" for one in many)


def _keep(names: list[str], rows: list[dict[str, Figures]], cheap: bool) -> None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(
        {"commit": commit, "cores": os.cpu_count(), "cheap": cheap, "rounds": rows},
        indent=1,
    )
    kind = f"{'-'.join(names)}{'-cheap' if cheap else ''}"
    (RESULTS / f"batch-{kind}.json").write_text(text + "\n")


if __name__ == "__main__":
    typer.run(main)
