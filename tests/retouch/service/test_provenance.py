"""What the settings add to a picture comes over HTTP, too."""

import io

from PIL import Image
from skimage.data import astronaut

from retouch.photos.photo import read
from retouch.provenance import carried, originals
from retouch.provenance.verify import findings


def test_a_reversible_edit_carries_the_face_as_it_was(client, portrait):
    form = {"settings": '{"reversible": true}', "moves": '{"smile": 1}'}
    answer = client.post("/v1/edit", files={"photo": portrait}, data=form)
    assert answer.status_code == 200, answer.text
    payload = carried.take(answer.content, "JPEG")
    assert payload is not None and not originals.is_locked(payload)


def test_a_signature_without_a_key_is_refused_in_a_sentence(client, portrait):
    form = {"settings": '{"sign": true}'}
    answer = client.post("/v1/beautify", files={"photo": portrait}, data=form)
    assert answer.status_code in (415, 422)
    assert "RETOUCH_SIGN_KEY" in answer.json()["error"]


def test_all_that_changes_a_photo_marks_it_over_http(client):
    file, image = io.BytesIO(), Image.fromarray(astronaut()[:256, 100:356])
    image.resize((600, 600), Image.Resampling.BICUBIC).save(file, "JPEG", quality=92)
    portrait = file.getvalue()
    marked = '{"watermark": true}'
    files = {"photo": portrait, "source": portrait}
    for verb in ("skin", "mask", "transfer", "beautify"):
        sent = files if verb == "transfer" else {"photo": portrait}
        answer = client.post(f"/v1/{verb}", files=sent, data={"settings": marked})
        assert answer.status_code == 200, answer.text
        assert findings(read(answer.content), answer.content).marked == 1, verb
