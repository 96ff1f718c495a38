"""What is installed, which weights there are, and how to mend what is missing.

What must be there, and what each extra adds, is read from the package's own metadata.
"""

import importlib.metadata
import platform
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement

from pretrained import dlib_files
from pretrained.registry import home, library
from retouch.errors import RetouchError

BACKENDS = ("tensorflow", "tensorflow-cpu", "jax", "torch")
APART = ("cuda", "dev")  # extras: the devices tell of one, and users need not the other


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    found: str
    fine: bool = True
    remedy: str = ""


def checks() -> Iterator[Check]:
    """Yield everything worth knowing, the essential first."""
    yield Check("python", f"{platform.python_version()} on {platform.platform()}")
    for need in needs():
        if need.name not in BACKENDS:
            yield _needed(need)
    yield from _backend()
    yield from _weights()
    yield Check("your own models", str(home() / "models"))
    for extra in extras():
        yield _extra(extra)


def needs(extra: str = "") -> list[Requirement]:
    """Return what the package asks for, or what one of its extras asks for besides."""
    told = [Requirement(text) for text in importlib.metadata.requires("retouch") or ()]
    return [
        need
        for need in told
        if ("extra ==" in str(need.marker)) == bool(extra)
        and (need.marker is None or need.marker.evaluate({"extra": extra}))
    ]


def extras() -> list[str]:
    """Return the names of the package's extras that a user may want."""
    told = importlib.metadata.metadata("retouch").get_all("Provides-Extra") or []
    return [name for name in told if name not in APART]


def _needed(need: Requirement) -> Check:
    version = _version(need.name)
    if not version:
        return Check(need.name, "missing", False, _install([need]))
    if not need.specifier.contains(version, prereleases=True):
        found = f"{version}, and {need.specifier} is needed"
        return Check(need.name, found, False, _install([need]))
    return Check(need.name, version)


def _extra(extra: str) -> Check:
    lacking = [need for need in needs(extra) if not _needed(need).fine]
    remedy = f"for this: {_install(lacking)}" if lacking else ""
    found = "not installed" if lacking else "there"
    return Check(f"extra {extra}", found, True, remedy)


def _install(wanted: list[Requirement]) -> str:
    texts = [f"{n.name}{_options(n)}{n.specifier}" for n in wanted]
    return shlex.join(["pip", "install", *texts])


def _options(need: Requirement) -> str:
    return f"[{','.join(sorted(need.extras))}]" if need.extras else ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _backend() -> Iterator[Check]:
    there = [f"{name} {v}" for name in BACKENDS if (v := _version(name))]
    if not there:
        yield Check("backend", "none", False, "pip install tensorflow")
        return
    import keras

    from generators.gradients import devices

    name = keras.backend.backend()
    yield Check("backend", f"{name}, of {', '.join(there)}")
    yield Check("devices", ", ".join(devices()))


def _weights() -> Iterator[Check]:
    try:
        dlib_files.locate(dlib_files.LANDMARKS)
        yield Check("dlib's models", "there")
    except RetouchError as error:
        yield Check("dlib's models", "missing", False, str(error))
    shelf = library()
    rows = shelf.rows()
    if not rows:
        yield Check("weights", "none", False, "pip install --force-reinstall retouch")
    for row in rows:
        try:
            shelf.verify(row.name)
            yield Check(
                f"weights '{row.name}'", f"{row.kind}, {row.size / 2**20:.1f} MiB"
            )
        except RetouchError as error:
            yield Check(f"weights '{row.name}'", "damaged", False, str(error))
