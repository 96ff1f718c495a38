"""How requests and the service itself come to an end."""

import threading
import time

import httpx
import pytest

from tests.retouch.service.serving import PATIENT, opened_by, start, stop

pytestmark = pytest.mark.slow


def test_what_takes_too_long_is_504_and_the_next_is_answered(tmp_path, portrait):
    process, address = start("--seconds", "1", "--no-browser", log=tmp_path / "log")
    assert not opened_by(tmp_path / "log").exists()
    form = {"settings": '{"steps": 5000}'}
    with httpx.Client(base_url=address, timeout=PATIENT) as client:
        late = client.post("/v1/invert", files={"photo": portrait}, data=form)
        assert late.status_code == 504 and "time" in late.json()["error"]
        while client.get("/healthz").status_code != 200:
            time.sleep(0.2)
        again = client.post("/v1/faces", files={"photo": b"<svg/>"})
        assert again.status_code == 415
    assert stop(process) == 0


def test_on_sigterm_what_runs_is_finished(tmp_path, portrait):
    process, address = start(log=tmp_path / "log")
    answers = []

    def ask():
        form = {"settings": '{"steps": 30}'}
        url = f"{address}/v1/beautify"
        files = {"photo": portrait}
        answers.append(httpx.post(url, files=files, data=form, timeout=PATIENT))

    thread = threading.Thread(target=ask)
    thread.start()
    told = ""
    while "retouch_requests_admitted 1" not in told:
        told = httpx.get(f"{address}/metrics").text
    assert stop(process) == 0
    thread.join()
    assert answers[0].status_code == 200 and answers[0].content[:2] == b"\xff\xd8"


def test_on_sigterm_what_takes_too_long_is_504(tmp_path, portrait):
    process, address = start("--seconds", "1", log=tmp_path / "log")
    answers = []

    def ask():
        form = {"settings": '{"steps": 5000}'}
        url, files = f"{address}/v1/invert", {"photo": portrait}
        answers.append(httpx.post(url, files=files, data=form, timeout=PATIENT))

    thread = threading.Thread(target=ask)
    thread.start()
    while "retouch_requests_admitted 1" not in httpx.get(f"{address}/metrics").text:
        pass
    assert stop(process) == 0
    thread.join()
    assert answers[0].status_code == 504
