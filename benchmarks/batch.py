"""How much faster `retouch batch` is than a plain loop, and what it takes.

    python -m benchmarks.batch [FOLDER]
    python -m benchmarks.batch --arms batch,ray

Arms take turns, each in a process of its own, on the same photos (copies of a public
portrait, each a little different, unless a folder is given) with the default
settings. The clock of an arm starts once its first pictures are done, so that loading
and compiling do not count; what they take is told apart. Other work on the machine
slows all arms: the load is told, and how many cores each arm really had (not of Ray,
whose processes are nobody's children). Ray hands results over in bursts, so that only
its whole run can be compared.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
WARM = {"loop": 2, "batch": 16, "ray": 16}  # pictures before the clock starts
LOOPED = 10  # pictures of the loop, which needs no more to tell its pace
Figures = dict[str, float]


def portraits(folder: Path, count: int) -> None:
    """Write photos of one face, each a little different."""
    import skimage.data

    photo = Image.fromarray(skimage.data.astronaut())
    for i in range(count):
        shown = np.asarray(photo.rotate(i % 9 - 4, Image.Resampling.BICUBIC))
        shown = shown[:, ::-1] if i % 2 else shown
        light = np.clip(shown * (0.8 + 0.01 * (i % 37)), 0, 255).astype(np.uint8)
        Image.fromarray(light).save(folder / f"{i:03}.jpg", quality=95)


# --- the arms; each runs in a process of its own ---------------------------------


def loop(photos: Path, out: Path) -> list[float]:
    """Return when each photo was done by one retoucher, one after the other."""
    from retouch.engine import Retoucher
    from retouch.photo import read, write
    from retouch.settings import Settings

    retoucher, times = Retoucher.load(), []
    for path in sorted(photos.iterdir())[:LOOPED]:
        result = retoucher.beautified(read(path), Settings())
        write(result.photo, out / path.name, provenance=result.provenance)
        times.append(time.perf_counter())
    return times


def batch(photos: Path, out: Path, engine: str) -> list[float]:
    """Return when each photo was done by a batch."""
    from retouch.batches.job import Job
    from retouch.batches.plan import Plan
    from retouch.batches.run import run

    times: list[float] = []
    plan = Plan(engine=engine)
    run(str(photos), out, Job(), plan, lambda *_: times.append(time.perf_counter()))
    return times


def arm(name: str, photos: Path, out: Path) -> None:
    """Print when the arm began and when each of its photos was done."""
    start = time.perf_counter()
    out.mkdir()
    engine = {"batch": "local", "ray": "ray"}.get(name)
    times = batch(photos, out, engine) if engine else loop(photos, out)
    print(json.dumps([moment - start for moment in times]))


# --- measuring them ---------------------------------------------------------------


def measured(name: str, photos: Path, folder: Path, number: int) -> Figures:
    """Run an arm and return its figures."""
    code = "import sys, pathlib, benchmarks.batch as b;"
    code += " b.arm(sys.argv[1], *map(pathlib.Path, sys.argv[2:]))"
    words = [sys.executable, "-c", code, name, photos, folder / f"{name}-{number}"]
    spent = os.times()
    start, load = time.perf_counter(), os.getloadavg()[0]
    # Ray would have its workers stand back behind whatever else runs.
    env = {**os.environ, "RAY_worker_niceness": "0"}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env)
    memory = _Memory(process.pid)
    text, _ = process.communicate()
    wall, end = time.perf_counter() - start, os.times()
    cpu = end.children_user + end.children_system
    cpu -= spent.children_user + spent.children_system
    times = json.loads(text.splitlines()[-1])
    warm = WARM[name]
    seconds = (times[-1] - times[warm - 1]) / (len(times) - warm)
    whole = {
        "seconds in all": times[-1],
        "load before": load,
        "peak GB": memory.peak(),
        "pictures": len(times),
    }
    if name == "ray":
        return whole
    return whole | {
        "seconds a picture": seconds,
        "loading and first pictures": times[warm - 1],
        "CPU seconds in all": cpu,
        "cores it had": cpu / wall,
    }


class _Memory:
    """Samples what a process and its descendants hold, shared parts counted once."""

    def __init__(self, pid: int):
        self.pid, self.most, self.over = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def peak(self) -> float:
        self.over.set()
        self.thread.join()
        return self.most / 1e6

    def _watch(self) -> None:
        while not self.over.wait(0.5):
            self.most = max(self.most, sum(map(_kilobytes, _family(self.pid))))


def _family(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [pid, *(p for child in text.split() for p in _family(int(child)))]


def _kilobytes(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    except OSError:
        pass
    return 0.0


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Photos; own ones if not.")
    ] = None,
    rounds: int = 2,
    count: int = 32,
    arms: Annotated[str, typer.Option(help="Of loop, batch and ray.")] = "loop,batch",
) -> None:
    """Time the arms in turns, and keep the figures."""
    names = arms.split(",")
    rows: list[dict[str, Figures]] = []
    with tempfile.TemporaryDirectory() as place:
        photos = folder or Path(place) / "photos"
        if folder is None:
            photos.mkdir()
            portraits(photos, count)
        for number in range(rounds):
            rows.append({n: measured(n, photos, Path(place), number) for n in names})
            print(json.dumps(rows[-1]), flush=True)
    _show(names, rows)
    _keep(names, rows)


def _show(names: list[str], rows: list[dict[str, Figures]]) -> None:
    table = Table("figure", *names)
    for figure in rows[0][names[0]]:
        cells = [
            ", ".join(f"{row[n][figure]:.2f}" for row in rows if figure in row[n])
            for n in names
        ]
        table.add_row(figure, *cells)
    console = Console(width=120)
    console.print(table)
    for name in names[1:]:
        figure = "seconds in all" if "ray" in names else "seconds a picture"
        ratios = [row[names[0]][figure] / row[name][figure] for row in rows]
        told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        console.print(f"{name}: {told} times the throughput of {names[0]}")


def _keep(names: list[str], rows: list[dict[str, Figures]]) -> None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(
        {"commit": commit, "cores": os.cpu_count(), "rounds": rows}, indent=1
    )
    (RESULTS / f"batch-{'-'.join(names)}.json").write_text(text + "\n")


if __name__ == "__main__":
    typer.run(main)
