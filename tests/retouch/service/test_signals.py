"""A signal that comes as the service begins."""

import subprocess
import sys

import pytest

BEGUN = """
import os, signal, sys
from retouch.service.limits import Limits
from retouch.service.run import serve

def end(address):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))

serve("default", "127.0.0.1", 0, workers=1, token=None, limits=Limits(), on_address=end)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_before_the_server_minds_it_ends_the_service(name):
    begun = subprocess.run(
        [sys.executable, "-c", BEGUN, name],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert begun.returncode == 0, begun.stderr
