"""The doctor knows from the package's own metadata what it needs."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from retouch.commands import installation

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.fixture
def metadata(monkeypatch):
    """Let the installed package say what the project file here says."""
    told = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    requires = list(told["dependencies"])
    extras = told["optional-dependencies"]
    for extra, wanted in extras.items():
        requires += [f'{need}; extra == "{extra}"' for need in wanted]
    message = importlib.metadata.metadata("packaging")
    for extra in extras:
        message["Provides-Extra"] = extra
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: requires)
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: message)
    return told


def test_every_dependency_is_looked_for(metadata):
    needs = map(Requirement, metadata["dependencies"])
    wanted = {n.name for n in needs if n.marker is None or n.marker.evaluate()}
    told = {check.name for check in installation.checks()}
    assert wanted - {"tensorflow"} <= told and "backend" in told
    assert "fsspec" in told


def test_every_extra_is_told_with_what_it_lacks(metadata, monkeypatch):
    lacking = {"av": "", "opencv-python": "4.0", "uvicorn": ""}
    version = installation._version
    monkeypatch.setattr(
        installation, "_version", lambda name: lacking.get(name, version(name))
    )
    told = {c.name: c for c in map(installation._extra, installation.extras())}
    assert told["extra video"].remedy == "for this: pip install 'av>=15.0'"
    assert "opencv-python>=4.11" in told["extra live"].remedy
    assert "fastapi" not in told["extra web"].remedy
    assert "uvicorn" in told["extra web"].remedy
    assert "extra dev" not in told and "extra notebook" in told


def test_what_is_too_old_is_said_with_the_command_that_mends_it(monkeypatch):
    monkeypatch.setattr(installation, "_version", lambda name: "1.0")
    check = installation._needed(Requirement("numpy>=2.0"))
    assert not check.fine and "1.0, and >=2.0 is needed" in check.found
    assert check.remedy == "pip install 'numpy>=2.0'"
