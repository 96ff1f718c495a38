"""retouch: a photograph goes in, its faces are edited, and only they have changed."""

import os

from retouch.errors import RetouchError

# TensorFlow tells of its kernels on stderr unless it is asked not to, before it loads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

__all__ = ["RetouchError", "Retoucher", "Settings"]
__version__ = "0.1.0"


def __getattr__(name: str):
    """Load what needs TensorFlow only when it is asked for."""
    if name == "Retoucher":
        from retouch.engine.retoucher import Retoucher

        return Retoucher
    if name == "Settings":
        from retouch.settings import Settings

        return Settings
    raise AttributeError(f"module 'retouch' has no attribute '{name}'")
