"""Why a request gets no answer: a status of HTTP and one plain sentence."""

from retouch.errors import (
    DependencyError,
    RetouchError,
    SizeError,
    WeightsError,
)

# What the client sent is understood and cannot be worked on: 422, except for these.
STATUS: dict[type[RetouchError], int] = {
    SizeError: 413,
    DependencyError: 415,
    WeightsError: 500,
}
UNPROCESSABLE = 422


class Refused(Exception):
    """A request that is not answered as the client wished.

    Args:
        retry_after: seconds after which it may be tried again.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after

    @property
    def headers(self) -> dict[str, str]:
        found = {}
        if self.retry_after is not None:
            found["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            found["WWW-Authenticate"] = 'Bearer realm="retouch"'
        return found


def status_of(error: RetouchError) -> int:
    """Return the status that tells a client of an error of ours."""
    for kind, status in STATUS.items():
        if isinstance(error, kind):
            return status
    return UNPROCESSABLE
