"""All cores at work on what does not hang together: NumPy's neighbours let them."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from pretrained.forward import told_threads

T = TypeVar("T")
R = TypeVar("R")


def together(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do a piece of work on each item, on as many cores as there are, or are allowed.

    Whoever calls works, too, and waits for no helper that has not begun: so what is
    done on one item may do its own parts together.
    """
    every = list(items)
    threads = min(len(every), cores())
    if threads < 2:
        return [work(item) for item in every]
    done: dict[int, R] = {}
    places = iter(range(len(every)))  # each is taken once, by whoever comes first

    def take() -> None:
        for place in places:
            done[place] = work(every[place])

    helping = [_helpers().submit(take) for _ in range(threads - 1)]
    try:
        take()
    finally:
        begun = [helper for helper in helping if not helper.cancel()]
    for helper in begun:
        helper.result()
    return [done[place] for place in range(len(every))]


def cores() -> int:
    """Return how many cores there are, or are allowed."""
    return told_threads() or os.cpu_count() or 1


@cache
def _helpers() -> ThreadPoolExecutor:
    """Return the threads beside the one that calls; it takes time to start them."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy's products of matrices take one thread meanwhile.

    Ours are small and made side by side: a second thread of OpenBLAS waits, at work,
    for longer than it helps. Whoever has told it how many it may take is obeyed; else
    they are as many again once the last of those who work so at once is done.
    """
    if os.environ.get("OPENBLAS_NUM_THREADS"):
        yield
        return
    _single.enter()
    try:
        yield
    finally:
        _single.leave()


class _Single:
    """Counts who needs single threads, for all threads of a process share the limit."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0

    def enter(self) -> None:
        with self._lock:
            if not self._count:
                from threadpoolctl import threadpool_limits  # who is told needs none

                self._limits = threadpool_limits(1, "blas")
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self._limits.restore_original_limits()


_single = _Single()
