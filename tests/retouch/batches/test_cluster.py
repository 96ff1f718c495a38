"""What a batch asks a cluster for."""

import pytest

from retouch.batches.cluster import on_gpus
from retouch.batches.job import Job
from retouch.settings import Settings


@pytest.mark.parametrize(
    ("kind", "model", "gpus"),
    [
        ("beautify", "default", False),
        ("edit", "default", False),
        ("invert", "default", False),
        ("skin", "vae", False),
        ("beautify", "default128", True),  # which climbs slopes, in Keras
        ("invert", "default128", False),
        ("edit", "vae", True),
        ("invert", "glow", True),
    ],
)
def test_gpus_are_taken_where_networks_work_on_them(kind, model, gpus):
    moves = {"smile": 1.0} if kind == "edit" else {}
    job = Job(kind=kind, settings=Settings(model=model), moves=moves)
    assert on_gpus(job) == gpus
