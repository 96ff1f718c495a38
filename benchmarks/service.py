"""The service under load: 50 clients at once, on this machine alone.

    python -m benchmarks.service                # a minute; writes results/service.json
    python -m benchmarks.service --seconds 10

Each client has a photo of its own size and place of the face, and every answer is
checked against the client's own input: faces where they were put, strength 0 giving
back every pixel, previews of the client's own latents. Halfway a worker is killed.
Before them one client moves a slider alone.
"""

import asyncio
import io
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PERCENTILES = (50, 90, 99, 100)
NEAR = 6.0  # pixels by which a found face may lie off
SLIDERS, MOVES = ("smile", "age", "axis:0"), 10  # what one client moves alone


@dataclass
class Tally:
    """What all clients saw."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    mixed: int = 0  # answers that belong to another's input
    lost: int = 0  # requests with no answer at all
    memory: list[tuple[int, int]] = field(default_factory=list)  # bytes: front, worker


@dataclass(frozen=True, eq=False)
class Photo:
    """A client's own photo: one face, at a place and in a size that none else has."""

    pixels: np.ndarray
    png: bytes
    shift: int

    @classmethod
    def of(cls, portrait: np.ndarray, number: int) -> "Photo":
        pixels = np.pad(portrait, ((0, 0), (2 * number, 0), (0, 0)), "edge")
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        return cls(pixels, file.getvalue(), 2 * number)


@dataclass(frozen=True, eq=False)
class Client:
    """Asks for one thing after another until the time is over."""

    http: httpx.AsyncClient
    photo: Photo
    box: np.ndarray  # of the face in the portrait that all photos are made of
    tally: Tally
    until: float = float("inf")

    async def run(self) -> None:
        form = {"settings": '{"steps": 0}'}
        name = ""
        while time.monotonic() < self.until:
            await self.faces()
            await self.nothing()
            if not name:
                answer = await self.post("invert", data=form)
                name = answer.json()["id"] if answer.status_code == 200 else ""
            if name:
                await self.preview(name)

    async def faces(self) -> None:
        answer = await self.post("faces")
        if answer.status_code == 200:
            told = answer.json()
            gap = np.subtract(
                told["faces"][0]["box"], self.box + [self.photo.shift, 0] * 2
            )
            width = told["width"] == self.photo.pixels.shape[1]
            self.tally.mixed += not (width and np.abs(gap).max() < NEAR)

    async def nothing(self) -> None:
        answer = await self.post("beautify", data={"settings": '{"strength": 0}'})
        if answer.status_code == 200:
            given = np.asarray(Image.open(io.BytesIO(answer.content)))
            self.tally.mixed += not np.array_equal(given, self.photo.pixels)

    async def preview(self, name: str) -> None:
        wish = {"id": name, "moves": {"axis:0": 1.0}, "preview": True}
        answer = await self.post("render", json=wish)
        if answer.status_code == 200:
            width, _ = Image.open(io.BytesIO(answer.content)).size
            self.tally.mixed += width != self.photo.pixels.shape[1]

    async def post(self, verb: str, **parts) -> httpx.Response:
        """Ask, and ask again as often as the queue is full."""
        if "json" not in parts:
            parts["files"] = {"photo": self.photo.png}
        while (start := time.monotonic()) < self.until:
            try:
                answer = await self.http.post(f"/v1/{verb}", **parts)
            except httpx.HTTPError:
                self.tally.lost += 1
                return httpx.Response(599)
            self.tally.statuses[answer.status_code] += 1
            if answer.status_code != 429:
                taken = self.tally.seconds.setdefault(verb, [])
                taken.append(time.monotonic() - start)
                return answer
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        return httpx.Response(408)  # the time is over


def main(
    clients: Annotated[int, typer.Option(help="At once.")] = 50,
    seconds: Annotated[float, typer.Option(help="How long they ask.")] = 60.0,
    workers: Annotated[int, typer.Option(help="Of the service.")] = 1,
) -> None:
    """Measure the service under load, and what killing a worker costs."""
    process, address = _service(workers)
    try:
        alone = _slide(address)
        tally = asyncio.run(_load(process.pid, address, clients, seconds))
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait()
    record = _record(tally, clients, seconds, workers)
    record |= {"previews alone": alone, "exit status": status}
    _show(record)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "service.json").write_text(json.dumps(record, indent=1) + "\n")


def _service(workers: int) -> tuple[subprocess.Popen, str]:
    words = ["--port", "0", "--rate", "0", "--seconds", "600", "--workers"]
    command = [sys.executable, str(ROOT / "cli.py"), "serve", *words, str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if told := re.search(r"serving on (\S+)", line):
            # What it says from here on is of no interest, but must not block it.
            subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
            return process, told[1]
    sys.exit(f"The service did not start: {said}")


def _slide(address: str) -> dict[str, dict[str, float]]:
    """Return the seconds of each move while one client moves sliders, one by one.

    A draft comes first, and then the preview, as on the page.
    """
    import skimage.data

    photo, seconds = Photo.of(skimage.data.astronaut(), 0), {}
    with httpx.Client(base_url=address, timeout=600) as http:
        given = http.post("/v1/invert", files={"photo": photo.png})
        name = given.raise_for_status().json()["id"]
        for slider in SLIDERS:
            taken = []
            for strength in np.linspace(-1, 1, MOVES + 1):
                wish = {"id": name, "moves": {slider: strength}, "preview": True}
                taken.append([_asked(http, wish | {"draft": d}) for d in (True, False)])
            for kind, column in zip(
                ("drafts", "previews"), np.array(taken).T, strict=True
            ):
                seconds[f"{slider}, {kind}"] = {
                    "first": round(float(column[0]), 3),
                    f"median of {MOVES} more": round(float(np.median(column[1:])), 3),
                    "slowest of them": round(float(column[1:].max()), 3),
                }
    return seconds


def _asked(http: httpx.Client, wish: dict[str, Any]) -> float:
    """Return how long a render takes, in seconds."""
    start = time.monotonic()
    http.post("/v1/render", json=wish).raise_for_status()
    return time.monotonic() - start


async def _load(pid: int, address: str, clients: int, seconds: float) -> Tally:
    import skimage.data

    portrait, tally = skimage.data.astronaut(), Tally()
    limits = httpx.Limits(max_connections=clients + 1)
    async with httpx.AsyncClient(base_url=address, timeout=600, limits=limits) as http:
        first = Client(http, Photo.of(portrait, 0), np.zeros(4), Tally())
        box = np.array((await first.post("faces")).json()["faces"][0]["box"])
        await first.post("invert", data={"settings": '{"steps": 0}'})  # which waits
        photos = [Photo.of(portrait, number) for number in range(clients)]
        until = time.monotonic() + seconds
        every = [Client(http, photo, box, tally, until) for photo in photos]
        watch = asyncio.create_task(_watch(pid, tally))
        kill = asyncio.create_task(_kill(pid, seconds / 2))
        await asyncio.gather(*(client.run() for client in every))
        await kill
        watch.cancel()
    return tally


async def _watch(pid: int, tally: Tally) -> None:
    while True:
        await asyncio.sleep(1)
        tally.memory.append((_resident(pid), sum(map(_resident, _children(pid)))))


async def _kill(pid: int, after: float) -> None:
    await asyncio.sleep(after)
    os.kill(_children(pid)[0], signal.SIGKILL)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _resident(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:  # it was killed a moment ago
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _record(tally: Tally, clients: int, seconds: float, workers: int) -> dict:
    calls = {
        verb: {
            "answers": len(taken),
            **{f"p{p}": round(float(np.percentile(taken, p)), 3) for p in PERCENTILES},
        }
        for verb, taken in tally.seconds.items()
    }
    front = [f / 2**20 for f, _ in tally.memory]
    third = max(1, len(front) // 3)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, shared",
        "load average": round(os.getloadavg()[0], 1),
        "clients": clients,
        "seconds": seconds,
        "workers": workers,
        "statuses": {str(k): v for k, v in sorted(tally.statuses.items())},
        "mixed up": tally.mixed,
        "lost": tally.lost,
        "calls": calls,
        "front MiB, first and last third": [
            round(float(np.mean(part))) for part in (front[:third], front[-third:])
        ],
        "workers MiB, at most": round(max(w for _, w in tally.memory) / 2**20),
    }


def _show(record: dict) -> None:
    table = Table("call", "answers", *(f"p{p}" for p in PERCENTILES))
    for verb, row in record["calls"].items():
        table.add_row(verb, *map(str, row.values()))
    console = Console()
    console.print(table)
    console.print({key: value for key, value in record.items() if key != "calls"})


if __name__ == "__main__":
    typer.run(main)
