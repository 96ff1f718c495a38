"""What a process and all that descend from it take, as the system counts it."""

import threading
import time
from pathlib import Path

EVERY = 0.5  # seconds between two looks
PARTS = 10  # of a run, whose highest memory is told one by one
TICKS = 100  # in a second of a processor, as Linux counts


class Watch:
    """Looks at a process's family until it is stopped.

    Memory counts what processes share once. A process that ends between two looks
    keeps the seconds that it was last seen with.
    """

    def __init__(self, pid: int):
        self._pid, self._over = pid, threading.Event()
        self._memory: list[tuple[float, float]] = []  # when, and gigabytes
        self._seconds: dict[int, float] = {}  # of a processor, by process
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def cpu_seconds(self) -> float:
        return sum(self._seconds.values())

    @property
    def peak(self) -> float:
        """Return the most memory at once in gigabytes."""
        return max((held for _, held in self._memory), default=0.0)

    def parts(self) -> list[float]:
        """Return the most gigabytes in each tenth of the time."""
        end = max((when for when, _ in self._memory), default=0.0) + 1e-9
        most = [0.0] * PARTS
        for when, held in self._memory:
            part = int(PARTS * when / end)
            most[part] = max(most[part], held)
        return [round(held, 2) for held in most]

    def _look(self) -> None:
        start = time.perf_counter()
        while not self._over.wait(EVERY):
            pids = _family(self._pid)
            held = sum(map(_gigabytes, pids))
            self._memory.append((time.perf_counter() - start, held))
            self._seconds |= {pid: used for pid in pids if (used := _used(pid))}


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        found += [p for child in children for p in _family(int(child))]
    return found


def _gigabytes(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) / 1e6
    except OSError:
        pass
    return 0.0


def _used(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS
