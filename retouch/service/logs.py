"""A log that nobody can fill: so many lines a minute, and how many were left out."""

import logging
import time
from collections.abc import Callable

MINUTE = 60.0  # seconds


class Bounded(logging.Filter):
    """Lets so many lines a minute pass; the next minute tells of those left out."""

    def __init__(self, lines: int, now: Callable[[], float] = time.monotonic):
        super().__init__()
        self.lines, self.now = lines, now
        self._since, self._count = now(), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written; what is left out is told with a later one."""
        if self.now() - self._since >= MINUTE:
            left_out = max(0, self._count - self.lines)
            if left_out:
                record.msg = f"({left_out} lines were left out) {record.getMessage()}"
                record.args = ()
            self._since, self._count = self.now(), 0
        self._count += 1
        return self._count <= self.lines
