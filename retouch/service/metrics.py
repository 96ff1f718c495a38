"""Counts of what the service does, in the text format of Prometheus."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds


@dataclass(frozen=True)
class Metrics:
    """How many requests there were, with which status, and how long they took."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    buckets: Counter[tuple[str, float]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one request by its route, never by what the client wrote."""
        self.requests[method, path, status] += 1
        self.seconds[path] += seconds  # type: ignore[assignment]
        for bound in BOUNDS:
            self.buckets[path, bound] += seconds <= bound

    def text(self, gauges: Mapping[str, float]) -> str:
        """Return everything counted, and gauges of the moment by name."""
        lines = ["# TYPE retouch_requests_total counter"]
        for (method, path, status), number in sorted(self.requests.items()):
            labels = f'method="{method}",path="{path}",status="{status}"'
            lines.append(f"retouch_requests_total{{{labels}}} {number}")
        lines.append("# TYPE retouch_request_seconds histogram")
        for path in sorted(self.seconds):
            lines += self._histogram(path)
        for name, value in gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# TYPE retouch_{name} {kind}", f"retouch_{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _histogram(self, path: str) -> list[str]:
        name, place = "retouch_request_seconds", f'path="{path}"'
        total = sum(n for (_, p, _), n in self.requests.items() if p == path)
        rows = [(f"{bound:g}", self.buckets[path, bound]) for bound in BOUNDS]
        lines = [
            f'{name}_bucket{{{place},le="{bound}"}} {number}'
            for bound, number in [*rows, ("+Inf", total)]
        ]
        lines.append(f"{name}_sum{{{place}}} {self.seconds[path]:g}")
        return [*lines, f"{name}_count{{{place}}} {total}"]
