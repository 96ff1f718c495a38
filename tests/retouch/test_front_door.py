"""What `from retouch import ...` gives, and what a user's editor knows of it."""

import subprocess
import sys
from pathlib import Path

import pytest

import retouch

ROOT = Path(__file__).parents[2]
GOOD = """
from pathlib import Path
from retouch import FaceReport, Photo, Result, Retoucher, Settings, read, write

settings = Settings(strength=0.8)
retoucher = Retoucher.load()
path: Path = retoucher.beautify("portrait.jpg", settings)
data: bytes = retoucher.edit(b"...", {"smile": 1.0})
result: Result = retoucher.beautified(read("portrait.jpg"), settings)
photo: Photo = result.photo
faces: tuple[FaceReport, ...] = result.faces
write(photo, "out.jpg")
"""
BAD = {
    "Settings(strenght=2)": "strenght",
    "Settings(strength='much')": "incompatible type",
    "Retoucher.load().beautify('a.jpg').upper()": '"Path" has no attribute',
    "read('a.jpg').pixel": '"Photo" has no attribute',
}


def test_every_public_name_is_there():
    for name in retouch.__all__:
        assert getattr(retouch, name).__name__ == name
    assert set(retouch.__all__) <= set(dir(retouch))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Sitings'"):
        _ = retouch.Sitings


def _checked(text: str, tmp_path: Path) -> str:
    """Return what mypy says of a user's script, somewhere else than here."""
    script = tmp_path / "script.py"
    script.write_text(text)
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", script]
    config = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", tmp_path]
    return subprocess.run(
        [*command, *config], cwd=ROOT, capture_output=True, text=True
    ).stdout


def test_an_editor_knows_the_types_and_finds_what_is_misspelt(tmp_path):
    lines = "".join(f"{line}\n" for line in BAD)
    said = _checked(GOOD + lines, tmp_path)
    assert f"Found {len(BAD)} errors in 1 file" in said, said
    for words in BAD.values():
        assert words in said, said
