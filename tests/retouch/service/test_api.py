"""The HTTP API as a client meets it: one real service, one real worker."""

import base64
import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

ROOT = Path(__file__).parents[3]
QUICK = {"settings": '{"steps": 0}'}


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")


def workers_of(process_id):
    """Return the processes whose parent that is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process_id:
            found.append(int(entry.parent.name))
    return found


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def rendered(client, name, accept="image/png", **wish):
    answer = client.post(
        "/v1/render", json={"id": name, **wish}, headers={"Accept": accept}
    )
    assert answer.status_code == 200, answer.text
    return answer


# --- photos -----------------------------------------------------------------------


def test_faces_are_found(client, portrait):
    found = client.post("/v1/faces", files={"photo": portrait}).json()
    assert (found["width"], found["height"]) == (512, 512)
    (face,) = found["faces"]
    assert face["size"] == pytest.approx(108, abs=12) and abs(face["roll"]) < 15


def test_beautify_gives_back_the_photo_as_it_came_with_its_metadata(client, portrait):
    answer = client.post("/v1/beautify", files={"photo": portrait}, data=QUICK)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    assert b"compositeWithTrainedAlgorithmicMedia" in answer.content
    exif = Image.open(io.BytesIO(answer.content)).getexif()
    assert exif[0x010E] == "a portrait" and exif.get_ifd(0x8825)
    before, after = opened(portrait), opened(answer.content)
    assert before.shape == after.shape and (before != after).any()


def test_edit_answers_as_json_with_the_picture_and_the_report(client, portrait):
    form = {**QUICK, "moves": '{"smile": 1}', "delivery": '{"strip_location": true}'}
    answer = client.post(
        "/v1/edit",
        files={"photo": portrait},
        data=form,
        headers={"Accept": "application/json"},
    ).json()
    (face,) = answer["faces"]
    assert face["changed"]["happy"] > 0 and 0 < face["identity"] < 0.4
    picture = base64.b64decode(answer["picture"])
    assert answer["media_type"] == "image/jpeg"
    assert not Image.open(io.BytesIO(picture)).getexif().get_ifd(0x8825)


def test_strength_zero_gives_back_every_pixel(client):
    photo = png(skimage.data.astronaut())
    form = {"settings": '{"strength": 0}'}
    answer = client.post("/v1/beautify", files={"photo": photo}, data=form)
    np.testing.assert_array_equal(opened(answer.content), opened(photo))


def test_skin_is_retouched_where_a_painted_mask_lets_it_be(client):
    before = skimage.data.astronaut()
    left = np.zeros((512, 512), np.uint8)
    left[:, :220] = 255
    answer = client.post(
        "/v1/skin",
        files={"photo": png(before), "only": png(left)},
        data={"skin": '{"look": "studio"}'},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["faces"]
    assert face["touched"] > 0
    after = opened(base64.b64decode(answer.json()["picture"]))
    changed = (after != before).any(-1)
    assert changed[:, :219].any() and not changed[:, 221:].any()


def test_a_wish_for_skin_that_is_out_of_range_is_refused(client, portrait):
    form = {"skin": '{"even": 2}'}
    answer = client.post("/v1/skin", files={"photo": portrait}, data=form)
    assert answer.status_code == 422 and "even" in answer.json()["error"]


def test_progress_comes_in_lines_and_the_answer_last(client, portrait):
    answer = client.post(
        "/v1/invert",
        files={"photo": portrait},
        data=QUICK,
        headers={"Accept": "application/x-ndjson"},
    )
    *steps, last = map(json.loads, answer.text.splitlines())
    assert steps[0]["doing"] == "finding faces"
    assert last["result"]["faces"][0]["inverted"]


def test_an_error_after_the_first_line_has_its_status(client):
    answer = client.post(
        "/v1/invert",
        files={"photo": png(np.full((200, 200, 3), 128, np.uint8))},
        headers={"Accept": "application/x-ndjson"},
    )
    last = json.loads(answer.text.splitlines()[-1])
    assert last["status"] == 422 and last["error"].startswith("No face was found")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "more"), [("transfer", {"transfer": '{"alpha": 1}'}), ("mask", {})]
)
def test_every_route_that_is_told_of_changes_the_face(client, verb, more):
    if f"/v1/{verb}" not in client.get("/openapi.json").json()["paths"]:
        pytest.skip(f"the weights of {verb} are not installed")
    photo = png(skimage.data.astronaut())
    source = png(skimage.data.astronaut()[:, ::-1])
    answer = client.post(
        f"/v1/{verb}", files={"photo": photo, "source": source}, data=QUICK | more
    )
    assert answer.status_code == 200, answer.text
    gap = np.abs(opened(answer.content).astype(int) - opened(photo))
    assert (gap[70:180, 170:280] > 8).sum() > 200 and not gap[400:].any()


# --- latents ----------------------------------------------------------------------


def test_a_face_is_parametrised_by_names_and_values(inverted):
    (face,) = inverted["faces"]
    names = inverted["names"]
    assert len(names) == len(face["parameters"]) and "age" in names
    assert [n for n in names if n.startswith("axis:")][:2] == ["axis:0", "axis:1"]
    assert np.isfinite(face["latent"]).all() and len(inverted["id"]) > 20


def test_its_own_parameters_change_nothing_and_others_do(client, inverted, portrait):
    own = dict(zip(inverted["names"], inverted["faces"][0]["parameters"], strict=True))
    still = opened(rendered(client, inverted["id"]).content)
    np.testing.assert_array_equal(still, opened(portrait))
    same = opened(rendered(client, inverted["id"], parameters=own).content)
    # The parameters were rounded to five decimals on their way.
    assert np.abs(same.astype(int) - still).max() <= 1
    own["age"] += 1.0
    older = opened(rendered(client, inverted["id"], parameters=own).content)
    assert np.abs(older.astype(int) - still).max() > 5


def test_the_full_size_is_what_the_preview_showed(client, inverted):
    wish = {"beautify": 1.0, "moves": {"axis:3": 1.0}}
    preview = rendered(client, inverted["id"], "image/*", preview=True, **wish)
    assert preview.headers["content-type"] == "image/jpeg"
    full = opened(rendered(client, inverted["id"], **wish).content).astype(int)
    still = opened(rendered(client, inverted["id"]).content).astype(int)
    shown = opened(preview.content)
    changed = np.abs(full - still).max(-1) > 8
    assert changed.sum() > 100
    assert (
        np.abs(shown - full)[changed].mean()
        < 0.4 * np.abs(full - still)[changed].mean()
    )


def test_a_draft_is_about_what_the_preview_shows(client, inverted):
    name, accepted = inverted["id"], "application/json"
    for moves in ({"smile": 0.5}, {"age": 3.0}):  # within the budget, and beyond it
        wish = {"moves": moves, "preview": True}
        told = [
            rendered(client, name, accepted, **wish, draft=draft).json()
            for draft in (True, False)
        ]
        draft, shown = (
            opened(base64.b64decode(t["picture"])).astype(int) for t in told
        )
        still = opened(rendered(client, name, "image/*", preview=True).content)
        changed = np.abs(shown - still).max(-1) > 8
        assert changed.sum() > 100
        gap, gone = np.abs(draft - shown)[changed], np.abs(shown - still)[changed]
        assert gap.mean() < 0.5 * gone.mean()
        drafted, share = (t["faces"][0]["share"] for t in told)
        assert drafted == pytest.approx(share, rel=0.4)


def test_moves_by_nothing_give_the_photo_itself(client, inverted):
    plain = rendered(client, inverted["id"], "image/*", preview=True).content
    for moves in ({"smile": 0.0}, {"smile": 0.0, "axis:0": 0.0}):
        for draft in (True, False):
            wish = {"moves": moves, "preview": True, "draft": draft}
            told = rendered(client, inverted["id"], "image/*", **wish)
            assert told.content == plain  # of 512 pixels, as a draft is


def test_a_preview_says_how_far_the_budget_let_the_face_go(client, inverted):
    wish = {"moves": {"age": 3.0}, "settings": {"identity": 0.05}, "preview": True}
    answer = rendered(client, inverted["id"], "application/json", **wish).json()
    assert 0 <= answer["faces"][0]["share"] < 1


def test_what_is_forgotten_is_gone(client, portrait):
    answer = client.post("/v1/invert", files={"photo": portrait}, data=QUICK)
    name = answer.json()["id"]
    assert client.delete(f"/v1/latents/{name}").status_code == 204
    gone = client.post("/v1/render", json={"id": name})
    assert gone.status_code == 404 and "/v1/invert" in gone.json()["error"]
    assert client.delete(f"/v1/latents/{name}").status_code == 404


# --- what is not done ---------------------------------------------------------------


def bomb():
    """A PNG of a few bytes that says it has 3,600 million pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    told = b""
    for name, data in chunks:
        told += struct.pack(">I", len(data)) + name + data
        told += struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + told


@pytest.mark.parametrize(
    ("path", "photo", "data", "status", "says"),
    [
        ("faces", b"<svg/>", {}, 415, "no picture"),
        ("faces", b"", {}, 415, "is empty"),
        ("faces", bomb(), {}, 413, "more pixels"),
        ("faces", b"\xff\xd8\xff\xe0 cut short", {}, 422, "damaged"),
        ("faces", bytes(33 * 2**20), {}, 413, "bytes"),
        ("edit", None, {}, 422, "Send moves"),
        ("edit", None, {"moves": '{"nose": 1}'}, 422, "No direction is called 'nose'"),
        ("edit", None, {"moves": '{"smile": 99}'}, 422, "moves.smile"),
        ("beautify", None, {"settings": '{"faces": "9"}'}, 422, "no face 9"),
        ("beautify", None, {"settings": '{"model": "x"}'}, 422, "no other"),
        ("beautify", None, {"delivery": '{"quality": 0}'}, 422, "quality"),
        ("render", None, {}, 422, "The JSON"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    client, portrait, path, photo, data, status, says
):
    files = {"photo": portrait if photo is None else photo}
    answer = client.post(f"/v1/{path}", files=files, data=data)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"} and says in answer.json()["error"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_of_another_kind_or_a_damaged_form_is_refused(client):
    assert client.post("/v1/faces", json={}).status_code == 415
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--", b"--y", b""):
        answer = client.post("/v1/faces", content=body, headers=kind)
        assert answer.status_code in (400, 422) and answer.json()["error"]
    lacking = client.post(
        "/v1/faces", content=b"x", headers={"Content-Type": "multipart/form-data"}
    )
    assert lacking.status_code == 400


def test_what_is_not_there_is_json_as_well(client):
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/page.js/../worker.py", 404),
        ("GET", "/v1/edit", 405),
        ("GET", "/docs", 404),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status and answer.json()["error"]


def test_what_was_hung_onto_a_photo_does_not_come_back(client, portrait):
    photo = portrait + b"<script>alert(1)</script>"
    form = {"settings": '{"strength": 0}'}
    answer = client.post("/v1/beautify", files={"photo": photo}, data=form)
    assert answer.status_code == 200 and b"<script>" not in answer.content


# --- what there is --------------------------------------------------------------------


def test_directions_and_models_are_listed(client):
    told = client.get("/v1/directions").json()
    assert {"smile", "age"} <= {row["name"] for row in told["directions"]}
    assert all(row["low"] <= 0 < row["high"] for row in told["directions"])
    models = client.get("/v1/models").json()
    assert models["model"] == "default" and models["resolution"] == 256
    assert "default-encoder" in {row["name"] for row in models["installed"]}


def test_the_document_tells_of_every_route_and_setting(client):
    document = client.get("/openapi.json").json()
    paths = {"faces", "invert", "beautify", "edit", "render", "directions", "models"}
    assert {f"/v1/{name}" for name in paths} <= set(document["paths"])
    settings = document["components"]["schemas"]["Settings"]["properties"]
    assert settings["strength"]["maximum"] == 3 and settings["keep"]["description"]


# --- workers --------------------------------------------------------------------------


@needs_proc
def test_a_killed_worker_loses_only_what_it_ran(client, service, portrait, inverted):
    process, _ = service
    long = {"settings": '{"steps": 5000}'}
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(
            client.post("/v1/invert", files={"photo": portrait}, data=long)
        )
    )
    thread.start()
    while "retouch_requests_admitted 1" not in client.get("/metrics").text:
        time.sleep(0.05)
    time.sleep(0.5)
    (worker,) = workers_of(process.pid)
    os.kill(worker, signal.SIGKILL)
    thread.join()
    assert answers[0].status_code == 503 and "try again" in answers[0].json()["error"]
    # Another takes its place, and what was kept is still there.
    again = rendered(client, inverted["id"], "image/*", preview=True)
    assert again.status_code == 200
    assert client.get("/healthz").json() == {"status": "ok", "workers": 1}
    assert "retouch_workers_lost_total 1" in client.get("/metrics").text
    assert workers_of(process.pid) != [worker]


def test_the_log_names_routes_and_nothing_of_a_request(client, inverted, log):
    client.get("/v1/secret-path?secret=query")
    written = log.read_text()
    assert "POST /v1/invert 200" in written
    assert inverted["id"] not in written and "secret" not in written
    assert "Traceback" not in written


def test_another_host_without_a_token_is_a_sentence_and_not_a_service():
    command = [sys.executable, str(ROOT / "cli.py"), "serve", "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT)
    assert done.returncode == 1
    assert b"needs a token" in done.stderr and b"Traceback" not in done.stderr
