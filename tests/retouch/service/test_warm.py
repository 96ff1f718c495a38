"""What a worker does before its first request."""

import subprocess
import sys
from pathlib import Path

from retouch.service import warm

ROOT = Path(__file__).parents[3]


def test_the_mean_of_the_models_latents_shows_one_face(retoucher):
    (face,) = retoucher.find(warm.mean_face(retoucher))
    assert face.size > warm.SIDE / 2 and abs(face.roll) < 5


# What is None in sys.modules cannot be imported.
SCRIPT = """
import dataclasses, sys
sys.modules.update(dict.fromkeys(["keras", "tensorflow"]))
from retouch.engine.retoucher import Retoucher
from retouch.service import warm
from retouch.service.frames import Frame
from retouch.service.handlers import Handlers, Missing
from retouch.settings import Settings

handlers = Handlers(Retoucher.load("default"), 10**7)
warm.warm(handlers)
print(*sorted({"_decode", "_embed", "_finish"} & vars(handlers.retoucher.model).keys()))
settings = dataclasses.asdict(Settings())
frame = Frame({"kind": "render", "id": warm.NAME, "settings": settings})
frame.words.update(wish={}, preview=True, draft=False, report=False)
try:
    handlers.render(frame, lambda what, part: None)
except Missing:
    print("nothing is kept")
"""


def test_a_worker_makes_its_networks_ready_without_keras_and_keeps_nothing():
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, text=True)
    assert done.returncode == 0, done.stderr
    ready, kept = done.stdout.splitlines()
    assert ready.split() == ["_decode", "_embed", "_finish"]
    assert kept == "nothing is kept"
