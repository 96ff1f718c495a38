"""Run cells, given as a list in JSON, in IPython; print the types that they show."""

import json
import sys

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
types = []
for source in json.load(sys.stdin):
    with capture_output() as shown:
        outcome = shell.run_cell(source)
    outcome.raise_error()
    types += [list(output.data) for output in shown.outputs]
    types.append(list(shell.display_formatter.format(outcome.result)[0]))
print(json.dumps(types))
