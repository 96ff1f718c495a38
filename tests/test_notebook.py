"""The notebook for Colab runs from its first cell to its last."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("IPython")
pytest.importorskip("ipywidgets")

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "retouch_colab.ipynb"
# What a cell needs that is not here; it says so in its first line or above it.
ELSEWHERE = {"colab", "gpu", "network", "own-photos"}


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_sound_and_carries_no_outputs(notebook):
    nbformat.validate(notebook)
    assert all(not c.outputs and c.execution_count is None for c in code(notebook))


def test_every_cell_is_python_that_colab_understands(notebook):
    for cell in code(notebook):
        lines = cell.source.splitlines()
        magic = [line for line in lines if line.startswith(("%pip ", "!retouch "))]
        ast.parse("\n".join(line for line in lines if line not in magic))


def test_what_needs_a_gpu_or_the_network_is_tagged_and_says_so(notebook):
    tags = [set(cell.metadata.get("tags", ())) for cell in code(notebook)]
    assert set().union(*tags) == ELSEWHERE
    for cell, own in zip(code(notebook), tags, strict=True):
        fetches = "%pip" in cell.source or "models fetch" in cell.source
        assert bool(own) == (fetches or "# Needs" in cell.source)


def test_it_runs_on_the_portrait_with_the_model_that_ships(notebook, tmp_path):
    kept = [c for c in code(notebook) if not ELSEWHERE & {*c.metadata.get("tags", ())}]
    # IPython without a kernel: a kernel's replies can get lost, and one waits for ever.
    run = subprocess.run(
        [sys.executable, ROOT / "tests" / "cells.py"],
        input=json.dumps([cell.source for cell in kept]),
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout.splitlines()[-1])
    assert sum("image/png" in types for types in shown) >= 2
    assert (tmp_path / "smile.gif").stat().st_size > 10_000
    assert any("application/vnd.jupyter.widget-view+json" in t for t in shown)
