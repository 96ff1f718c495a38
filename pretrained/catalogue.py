"""The networks that `retouch models fetch` knows, at their publishers' addresses.

The publisher states no hashes; those here are what the files have had everywhere.
A file of which no hash is known is not listed: it can be imported, not vouched for.
"""

from dataclasses import dataclass

from retouch.errors import WeightsError

SITE = "https://nvlabs-fi-cdn.nvidia.com"
LICENCE = "NVIDIA Source Code License, non-commercial"


@dataclass(frozen=True)
class Published:
    """A file somebody publishes."""

    name: str
    address: str
    family: str
    size: int  # bytes
    sha256: str
    licence: str = LICENCE

    @property
    def file(self) -> str:
        return self.address.rpartition("/")[2]


PUBLISHED = (
    Published(
        "stylegan2-ffhq-1024",
        f"{SITE}/stylegan2/networks/stylegan2-ffhq-config-f.pkl",
        "stylegan2-ffhq",
        size=381673535,
        sha256="adf127ea7bb8a7788c8bdeda3c9937f7310b669b09ecf799ca53a631ff46948d",
    ),
    Published(
        "ada-ffhq-1024",
        f"{SITE}/stylegan2-ada-pytorch/pretrained/ffhq.pkl",
        "ada-ffhq",
        size=381624121,
        sha256="a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c",
    ),
)


def published(name: str) -> Published:
    """Return what is known of a published network."""
    for entry in PUBLISHED:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in PUBLISHED)
    raise WeightsError(f"No published network is called '{name}'. Known: {known}.")
