"""How much memory a search takes, and whether there is as much."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retouch.errors import SettingsError

A_PIXEL = 3300  # bytes of a search for each pixel of a picture; 3.4 GB at 1,024 px


def needed(resolution: int) -> float:
    """Return the bytes that the search for a face of that many pixels takes."""
    return A_PIXEL * float(resolution) ** 2


def free() -> float | None:
    """Return the bytes that can still be had, where the system says so."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    except OSError:
        pass
    return None


@contextmanager
def enough_for(resolution: int, there: float | None = None) -> Iterator[None]:
    """Refuse a search that would not fit, before the system ends the program."""
    there = free() if there is None else there
    wanted = needed(resolution)
    if there is not None and wanted > there:
        fits = 1 << max(2, int((there / A_PIXEL) ** 0.5).bit_length() - 1)
        raise SettingsError(
            f"A search at {resolution} px takes some {wanted / 1e9:.1f} GB of memory,"
            f" and {there / 1e9:.1f} are free. {fits} px would fit: use a smaller"
            " model, or --steps 0, which takes a fifth."
        )
    yield
