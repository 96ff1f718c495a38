"""Run a notebook's cells in IPython, and write it with what they showed.

    python notebooks/execute.py notebooks/retouch_colab.ipynb OUT.ipynb

The cells run in the folder one stands in. IPython runs without a kernel: a kernel's
replies can get lost, and one waits for ever.
"""

import re
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

WIDGET = "application/vnd.jupyter.widget-view+json"
NOISE = re.compile(r"\x1b\[[\d;]*[A-Za-z]|\r")  # of bars on a terminal
RESULT = re.compile(r"^Out\[\d+\]: .*$", re.MULTILINE)


def execute(notebook: Any) -> None:
    """Run the code cells one after the other; what fails raises."""
    shell = InteractiveShell.instance()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, 1):
        with capture_output() as shown:
            outcome = shell.run_cell(cell.source)
        if not outcome.success:
            sys.stderr.write(shown.stdout + shown.stderr)
        outcome.raise_error()
        cell.execution_count = number
        result = None if cell.source.rstrip().endswith(";") else outcome.result
        cell.outputs = list(outputs(shell, shown, result, number))


def outputs(shell: Any, shown: Any, result: Any, number: int) -> Any:
    """Yield what a cell printed and showed, as notebooks keep it."""
    if printed := RESULT.sub("", NOISE.sub("", shown.stdout)).strip():
        yield nbformat.v4.new_output("stream", name="stdout", text=printed + "\n")
    for output in shown.outputs:
        data, metadata = kept(output.data), output.metadata
        yield nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    if result is not None:
        data, metadata = shell.display_formatter.format(result)
        told = {"data": kept(data), "metadata": metadata, "execution_count": number}
        yield nbformat.v4.new_output("execute_result", **told)


def kept(data: dict[str, Any]) -> dict[str, Any]:
    """Return what is of use without a kernel, bytes as base 64."""
    return {
        kind: b64encode(value).decode() if isinstance(value, bytes) else value
        for kind, value in data.items()
        if kind != WIDGET
    }


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    notebook = nbformat.read(source, as_version=4)
    execute(notebook)
    nbformat.write(notebook, target)
