"""Renders whose faces differ, transfers and masks among the moves, and the sliders."""

import io
import itertools
import re

import numpy as np
import pytest
from PIL import Image

from retouch.settings import LOOKS
from tests.retouch.service.serving import opened_by

STEPS = {"settings": '{"steps": 0}'}


@pytest.fixture(scope="module")
def pair(client, portrait):
    """The id of two inverted faces, beside each other, and which is on the left."""
    one = np.asarray(Image.open(io.BytesIO(portrait)))[:300, 60:400]
    file = io.BytesIO()
    Image.fromarray(np.hstack([one, one[:, ::-1]])).save(file, "PNG")
    files = {"photo": file.getvalue()}
    told = client.post("/v1/invert", files=files, data=STEPS).json()
    left = min(told["faces"], key=lambda face: face["box"][0])
    return told["id"], left["index"]


def rendered(client, name, **wish):
    answer = client.post("/v1/render", json={"id": name, **wish, "preview": True})
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content))).astype(int)


def halves(one, other):
    return [
        (np.abs(part).max(-1) > 12).sum() for part in np.split(one - other, 2, axis=1)
    ]


def test_a_face_may_have_a_wish_of_its_own(client, pair):
    name, left = pair
    plain = rendered(client, name)
    moved = rendered(client, name, each={str(left): {"moves": {"age": 1.5}}})
    changed = halves(plain, moved)
    assert changed[0] > 100 and changed[1] == 0
    kept = {"moves": {"age": 1.5}, "each": {str(left): {}}}
    changed = halves(plain, rendered(client, name, **kept))
    assert changed[0] == 0 and changed[1] > 100


def test_masks_hold_no_faces_that_are_inverted(client, portrait):
    nowhere = io.BytesIO()
    Image.new("L", (512, 512)).save(nowhere, "PNG")
    files = {"photo": portrait, "only": nowhere.getvalue()}
    told = client.post("/v1/invert", files=files, data=STEPS).json()
    wish = {"id": told["id"], "moves": {"age": 1.5}}
    whole = client.post("/v1/render", json=wish)
    plain, moved = (Image.open(io.BytesIO(data)) for data in (portrait, whole.content))
    assert np.abs(np.asarray(moved).astype(int) - plain).max() > 40


def test_a_preview_of_an_area_is_that_part_of_the_whole(client, pair):
    moves = {"moves": {"age": 1.5}}
    plain, whole = rendered(client, pair[0]), rendered(client, pair[0], **moves)
    area = [48, 16, 336, 288]  # on the borders of JPEG's blocks
    part = rendered(client, pair[0], **moves, area=area)
    same = (slice(16, 288), slice(48, 336))
    assert np.abs(part - whole[same]).mean() < 0.5
    assert np.abs(part - plain[same]).max() > 40
    wish = {"id": pair[0], "preview": True, "area": [5000, 0, 6000, 10]}
    answer = client.post("/v1/render", json=wish)
    assert answer.status_code == 422 and "680x300" in answer.json()["error"]


def test_what_is_transparent_stays_so_in_previews(client, portrait):
    image, file = Image.open(io.BytesIO(portrait)), io.BytesIO()
    clear = np.full((512, 512), 255, np.uint8)
    clear[:, :100], clear[:, 100:150] = 0, 127
    image.putalpha(Image.fromarray(clear))
    image.resize((1536, 1536)).save(file, "PNG")
    told = client.post("/v1/invert", files={"photo": file.getvalue()}, data=STEPS)
    wish = {"id": told.json()["id"], "moves": {"age": 1.0}, "preview": True}
    area, opaque = [150, 0, 1000, 900], [800, 0, 1536, 900]
    for more, alpha in (
        ({}, Image.fromarray(clear).resize((1024, 1024))),
        ({"draft": True}, clear),
        ({"area": area}, Image.fromarray(clear).resize((1536, 1536)).crop(area)),
    ):
        answer = client.post("/v1/render", json={**wish, **more})
        assert answer.headers["content-type"] == "image/webp"
        shown = np.asarray(Image.open(io.BytesIO(answer.content)).getchannel("A"))
        assert np.abs(shown.astype(int) - np.asarray(alpha)).mean() < 1
    answer = client.post("/v1/render", json={**wish, "area": opaque})
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_transfer_and_a_mask_join_the_moves(client, pair, inverted):
    name, _ = pair
    source = {"source": inverted["id"], "alpha": 1.0}
    shown = [
        rendered(client, name, **wish)
        for wish in (
            {"moves": {"age": 1.0}},
            {"moves": {"age": 1.0}, "transfer": source},
            {"moves": {"age": 1.0}, "transfer": source, "mask": {"person": 3}},
            {"moves": {"age": 1.0}, "transfer": source, "mask": {"person": 4}},
        )
    ]
    for one, other in itertools.pairwise(shown):
        assert sum(halves(one, other)) > 50
    none = {"moves": {"age": 1.0}, "transfer": {**source, "alpha": 0.0}}
    assert sum(halves(shown[0], rendered(client, name, **none))) == 0


def test_skin_is_retouched_under_the_moves_face_by_face(client, pair):
    name, left = pair
    plain, skin = rendered(client, name), {"even": 1.0, "texture": 0.2, "shine": 1.0}
    touched = rendered(client, name, each={str(left): {"skin": skin}})
    gaps = [np.abs(part).max() for part in np.split(touched - plain, 2, axis=1)]
    assert gaps[0] > 12 and gaps[1] < 4  # a JPEG's noise at most
    both = rendered(client, name, skin=skin, moves={"age": 1.0})
    moved = rendered(client, name, moves={"age": 1.0})
    assert np.abs(both - moved).max() > 12 and sum(halves(both, touched)) > 100
    answer = client.post("/v1/render", json={"id": name, "skin": {"even": 2}})
    assert answer.status_code == 422 and "skin.even" in answer.json()["error"]


def test_a_source_that_is_gone_is_404(client, pair):
    wish = {"id": pair[0], "transfer": {"source": "nobody"}}
    answer = client.post("/v1/render", json=wish)
    assert answer.status_code == 404 and "/v1/invert" in answer.json()["error"]


def test_json_holds_the_picture_in_the_format_that_is_accepted_beside_it(client, pair):
    accept = {"Accept": "application/json, image/png;q=0.5"}
    wish = {"id": pair[0], "moves": {"age": 1.0}, "judged": False}
    told = client.post("/v1/render", json=wish, headers=accept).json()
    assert told["media_type"] == "image/png"
    assert all(face["share"] > 0 and face["judged"] is None for face in told["faces"])


def test_every_direction_and_part_of_skin_has_a_slider_in_a_group(client):
    told = client.get("/v1/sliders").json()
    moved = {row["name"] for row in told["sliders"] if row["field"] == "moves"}
    skin = {row["name"] for row in told["sliders"] if row["field"] == "skin"}
    assert skin == set(LOOKS["none"])
    directions = client.get("/v1/directions").json()
    assert moved | {"beauty"} == {row["name"] for row in directions["directions"]}
    axes = [name for name in directions["parameters"] if name.startswith("axis:")]
    assert told["axes"] == axes
    groups = [row["group"] for row in told["sliders"]]
    order = list(dict.fromkeys(groups))
    assert order[:5] == ["Retouch", "Expression", "Shape", "Age", "Style"]
    assert groups == sorted(groups, key=order.index)
    for row in told["sliders"]:  # the one of texture goes from all to none
        low, high = sorted((row["low"], row["high"]))
        assert low <= row["start"] <= high and low < high


def test_the_browser_is_sent_to_the_one_address_that_is_told(address, log):
    assert opened_by(log).read_text().split() == [address]
    assert re.findall(r"http://\S+", log.read_text()) == [address]
