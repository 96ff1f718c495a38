"""What the settings add to a picture comes over HTTP, too."""

from retouch.provenance import carried, originals


def test_a_reversible_edit_carries_the_face_as_it_was(client, portrait):
    form = {"settings": '{"steps": 2, "reversible": true}', "moves": '{"smile": 1}'}
    answer = client.post("/v1/edit", files={"photo": portrait}, data=form)
    assert answer.status_code == 200, answer.text
    payload = carried.take(answer.content, "JPEG")
    assert payload is not None and not originals.is_locked(payload)


def test_a_signature_without_a_key_is_refused_in_a_sentence(client, portrait):
    form = {"settings": '{"steps": 2, "sign": true}'}
    answer = client.post("/v1/beautify", files={"photo": portrait}, data=form)
    assert answer.status_code in (415, 422)
    assert "RETOUCH_SIGN_KEY" in answer.json()["error"]
