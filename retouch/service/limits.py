"""What the service lets a client do: sizes, seconds, and how much is kept."""

from dataclasses import dataclass

from retouch.settings import check_options, option


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of a service; each is a flag of `retouch serve`."""

    max_bytes: int = option(
        32 * 2**20, "The largest upload, in bytes.", low=1024, high=2**30
    )
    max_pixels: int = option(
        50_000_000, "The largest photo that is opened.", low=1, high=2**31
    )
    seconds: float = option(
        120.0, "The longest a request may take, waiting included.", low=1.0, high=3600.0
    )
    queue: int = option(
        16, "Requests that may wait; further ones get 429.", low=0, high=10_000
    )
    rate: int = option(
        600, "Requests a minute from one address; 0 is no limit.", low=0, high=10**6
    )
    connections: int = option(
        256, "Connections at once; further ones are closed.", low=1, high=10**5
    )
    header_seconds: float = option(
        10.0, "How long a request's headers may take to arrive.", low=0.1, high=600.0
    )
    keep_seconds: float = option(
        900.0, "How long inverted faces are kept unused.", low=1.0, high=86400.0
    )
    keep_count: int = option(
        64, "How many inverted photos are kept at once.", low=1, high=10_000
    )
    keep_bytes: int = option(
        512 * 2**20, "How many bytes of them.", low=2**20, high=2**40
    )

    def __post_init__(self) -> None:
        check_options(self)
