"""The examples of docs/service.md, run as they stand there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

PAGE = Path(__file__).parents[3] / "docs" / "service.md"
EXAMPLES = re.findall(r"```(bash|python)\n(.*?)```", PAGE.read_text("utf-8"), re.S)
WRITES = {"beautified.jpg": "JPEG", "smiling.png": "PNG", "older.jpg": "JPEG"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, portrait):
    path = tmp_path_factory.mktemp("examples")
    (path / "portrait.jpg").write_bytes(portrait)
    return path


def _tier(text):
    """Whole edits take seconds each; what they call is in the default tier too."""
    whole = "/v1/beautify" in text or "/v1/edit" in text
    return [pytest.mark.slow] if whole else []


@pytest.mark.parametrize(
    ("language", "text"), [pytest.param(*e, marks=_tier(e[1])) for e in EXAMPLES]
)
def test_an_example_does_what_it_says(language, text, folder, address):
    if language == "bash" and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    shell = {"bash": ["bash", "-ec"], "python": [sys.executable, "-c"]}[language]
    text = text.replace("http://127.0.0.1:8000", address).replace(
        "curl", "curl --fail-with-body --silent"
    )
    done = subprocess.run([*shell, text], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in set(WRITES) & set(re.findall(r"[a-z]+\.(?:jpg|png)", text)):
        with Image.open(folder / name) as picture:
            assert (picture.format, picture.size) == (WRITES[name], (512, 512))


def test_the_page_has_examples_in_both_languages():
    assert {language for language, _ in EXAMPLES} == {"bash", "python"}
    assert len(EXAMPLES) == 4
