"""Which pictures a batch works on, and who does the work: options of the user."""

from dataclasses import dataclass

from retouch.errors import SettingsError
from retouch.settings import check_options, option

ENGINES = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which pictures are worked on, and by whom."""

    resume: bool = option(True, "Skip what is done with the same settings and weights.")
    retry_errors: bool = option(
        False, "Try again what came to nothing.", flags=("--retry-errors",)
    )
    limit: int | None = option(None, "Pictures to do at most.", low=1, high=2**40)
    shuffle: bool = option(
        False, "In an order that the seed tells.", flags=("--shuffle",)
    )
    engine: str = option("local", "Who works.", choices=ENGINES)
    address: str | None = option(None, "Ray's: auto, or HOST:PORT; here if not given.")
    workers: int | None = option(
        None, "Processes; as many as cores and memory allow.", low=1, high=100_000
    )
    force: bool = option(
        False, "Write into a folder with other files.", flags=("--force",)
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.address is not None and self.engine != "ray":
            raise SettingsError("--address is Ray's: add --engine ray.")
