"""The notebook runs from its first cell to its last, as in Colab: somewhere else."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("IPython")
pytest.importorskip("ipywidgets")

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "retouch_colab.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pictures(notebook):
    """Return the kinds of the pictures that the cells show."""
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    return [kind for kind in kinds if kind.startswith("image/")]


def test_it_is_sound_and_shows_what_its_cells_made(notebook):
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert pictures(notebook).count("image/jpeg") >= 4
    assert not any(o.output_type == "error" for c in code(notebook) for o in c.outputs)


def test_every_cell_is_python_that_colab_understands(notebook):
    for cell in code(notebook):
        ast.parse(re.sub(r"^( *)!retouch .*", r"\1pass", cell.source, flags=re.M))


def test_no_cell_waits_for_anybody_and_one_address_is_given(notebook):
    switches = [
        s for c in code(notebook) for s in re.findall(r"\w+ = .*@param", c.source)
    ]
    assert len(switches) == 4 and sum("://" in switch for switch in switches) == 1
    assert sum(c.source.count("files.upload") for c in code(notebook)) == 1
    assert "%pip" not in "".join(cell.source for cell in code(notebook))


@pytest.fixture
def colab(tmp_path):
    """A Python that has all that retouch needs and retouch not, and a copy of that."""
    names = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(names, cwd=ROOT, capture_output=True, check=True).stdout
    source = tmp_path / "source"
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    with (source / "retouch/edits/beauty.py").open("a") as climb:
        climb.write("\nFREE, TRIES = (WISHED,), 1\n")  # it hurries
    made = [sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"]
    subprocess.run(made, check=True)  # pip lies beside, too
    (site,) = (tmp_path / "venv").rglob("site-packages")
    (site / "beside.pth").write_text(sysconfig.get_path("purelib"))
    return tmp_path / "venv" / "bin" / "python", source


def test_it_runs_in_a_fresh_folder_on_the_portrait(colab, tmp_path):
    python, source = colab
    (work := tmp_path / "work").mkdir()
    run = subprocess.run(
        [python, ROOT / "notebooks" / "execute.py", NOTEBOOK, tmp_path / "out.ipynb"],
        env={name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        | {"RETOUCH_REPOSITORY": str(source), "PIP_NO_DEPS": "1"}
        | {"IPYTHONDIR": str(tmp_path / "ipython")},
        cwd=work,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    shown = pictures(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert shown.count("image/jpeg") >= 4 and "image/gif" in shown
    told = "".join(
        output.text
        for cell in code(nbformat.read(tmp_path / "out.ipynb", as_version=4))
        for output in cell.outputs
        if output.output_type == "stream"
    )
    assert re.search(r"^judged [+-]\d\.\d\d -> [+-]\d\.\d\d, identity", told, re.M)
    backends = {"tensorflow", "tensorflow-cpu"}
    assert any(f"'{name}': " in told for name in backends), told
    assert (work / "smile.gif").stat().st_size > 10_000


def test_an_installation_that_fails_ends_it_with_a_sentence(notebook, tmp_path):
    first, missing = code(notebook)[0].source, str(tmp_path / "nothing")
    run = subprocess.run(
        [sys.executable, "-c", first],
        env=os.environ | {"RETOUCH_REPOSITORY": missing},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1 and f"{missing} cannot be installed" in run.stderr
