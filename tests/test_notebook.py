"""The notebook for Colab runs from its first cell to its last."""

import ast
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
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


def test_it_runs_on_the_portrait_with_the_model_that_ships(
    notebook, tmp_path, monkeypatch
):
    kept = [c for c in notebook.cells if not ELSEWHERE & {*c.metadata.get("tags", ())}]
    notebook.cells = kept
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=None, resources=where).execute()
    shown = [output for cell in code(notebook) for output in cell.outputs]
    pictures = [o for o in shown if "image/png" in o.get("data", {})]
    assert len(pictures) >= 2 and (tmp_path / "smile.gif").stat().st_size > 10_000
    assert any("FloatSlider" in str(o) or "widget" in str(o) for o in shown)
