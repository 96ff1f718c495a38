"""The README of a release: its pictures and links lead to the project's address."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
PICTURES = (".jpg", ".png", ".svg")


def readme() -> str:
    """Return the README for readers elsewhere, where no file lies beside it."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]
    source = project["urls"]["Source"]

    def absolute(link: re.Match[str]) -> str:
        way = "raw" if link[1].endswith(PICTURES) else "blob"
        return f"]({source}/{way}/main/{link[1]})"

    text = (HERE / "README.md").read_text("utf-8")
    return re.sub(r"\]\((?!\w+:)([^)]+)\)", absolute, text)


setup(long_description=readme(), long_description_content_type="text/markdown")
