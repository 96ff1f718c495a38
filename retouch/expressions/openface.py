"""OpenFace's FeatureExtraction, where a user has it: its own action units."""

import csv
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.errors import DependencyError

PROGRAM = "FeatureExtraction"
PATIENCE = 120  # seconds a picture


def available() -> bool:
    """Tell whether the program is on the PATH."""
    return shutil.which(PROGRAM) is not None


def action_units(pixels: NDArray[np.uint8]) -> Mapping[str, float]:
    """Return the intensities that OpenFace reads of a picture, by unit."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "face.png"
        Image.fromarray(pixels).save(picture)
        command = [PROGRAM, "-f", str(picture), "-out_dir", folder, "-aus"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        except (OSError, subprocess.SubprocessError) as error:
            raise DependencyError(
                f"OpenFace's {PROGRAM} failed ({type(error).__name__}). Mend it, or"
                " take it off the PATH."
            ) from None
        return _intensities(Path(folder) / "face.csv")


def _intensities(path: Path) -> dict[str, float]:
    """Return the columns AU01_r and so on of OpenFace's table."""
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    if not rows:
        return {}
    named = {(key or "").strip(): value for key, value in rows[0].items()}
    return {
        key.removesuffix("_r"): float(value)
        for key, value in named.items()
        if key.startswith("AU") and key.endswith("_r")
    }
