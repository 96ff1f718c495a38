"""All cores at work on what does not hang together: NumPy's neighbours let them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def together(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do a piece of work on each item, on as many cores as there are."""
    every = list(items)
    if len(every) < 2:
        return [work(item) for item in every]
    with ThreadPoolExecutor(min(len(every), os.cpu_count() or 1)) as threads:
        return list(threads.map(work, every))
