"""retouch: a photograph goes in, its faces are edited, and only they have changed.

from retouch import Retoucher, Settings, read, write

retoucher = Retoucher.load()
result = retoucher.beautified(read("portrait.jpg"), Settings(strength=0.8))
write(result.photo, "portrait-beautify.jpg", provenance=result.provenance)
"""

import importlib
import os
from typing import TYPE_CHECKING

from retouch.errors import (
    DependencyError,
    FaceError,
    PhotoError,
    RetouchError,
    SettingsError,
    SizeError,
    WeightsError,
)

if TYPE_CHECKING:
    from retouch.engine.report import FaceReport
    from retouch.engine.retoucher import Retoucher
    from retouch.engine.session import Result
    from retouch.photos.photo import Photo, read, write
    from retouch.settings import Settings

# TensorFlow tells of its kernels on stderr unless it is asked not to, before it loads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

__all__ = [
    "DependencyError",
    "FaceError",
    "FaceReport",
    "Photo",
    "PhotoError",
    "Result",
    "RetouchError",
    "Retoucher",
    "Settings",
    "SettingsError",
    "SizeError",
    "WeightsError",
    "read",
    "write",
]
__version__ = "0.1.0"

# Loaded when they are first asked for: `import retouch` answers at once.
_PLACES = {
    "FaceReport": "engine.report",
    "Photo": "photos.photo",
    "Result": "engine.session",
    "Retoucher": "engine.retoucher",
    "Settings": "settings",
    "read": "photos.photo",
    "write": "photos.photo",
}


def __getattr__(name: str) -> object:
    """Load what is not needed at once only when it is asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module 'retouch' has no attribute '{name}'")
    return getattr(importlib.import_module(f"retouch.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
