"""How photos get onto the page: two faces, the clipboard, the camera, and no photo."""

import base64
import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

browsing = pytest.importorskip("tests.retouch.service.browsing")
pytestmark = browsing.needs_chromium
PASTED = """async text => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const blob = new Blob([bytes], { type: "image/png" });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
}"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser whose camera shows a portrait."""
    clip = tmp_path_factory.mktemp("camera") / "clip.mjpeg"
    file = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()[:480]).resize((640, 600)).crop(
        (0, 0, 640, 480)
    ).save(file, "JPEG", quality=92)
    clip.write_bytes(file.getvalue() * 5)
    fake = "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"
    film = f"--use-file-for-fake-video-capture={clip}"
    with browsing.chromium(*fake, film) as found:
        yield found


@pytest.fixture
def page(browser, address):
    allowed = ["camera", "clipboard-read", "clipboard-write"]
    with browsing.page_of(browser, address, permissions=allowed) as opened:
        yield opened


def test_only_the_faces_that_were_chosen_by_a_click_change(page, tmp_path):
    one = skimage.data.astronaut()[:300, 60:400]
    path = tmp_path / "two.png"
    Image.fromarray(np.hstack([one, one[:, ::-1]])).save(path)
    browsing.uploaded(page, path)
    boxes = page.locator(".face")
    assert boxes.count() == 2
    before = browsing.pixels(page)
    middle = [b["x"] + b["width"] / 2 for b in map(_box, boxes.all())]
    right = int(np.argmax(middle))
    with browsing.drawn(page):
        boxes.nth(right).click()
    assert boxes.nth(right).get_attribute("aria-pressed") == "false"
    browsing.slid(page, "axis:3", 3)
    parts = np.split(browsing.changed(before, browsing.pixels(page)), 2, 1)
    assert parts[0].sum() > 100 and not parts[1].any()
    with browsing.drawn(page):
        boxes.nth(right).click()
    parts = np.split(browsing.changed(before, browsing.pixels(page)), 2, 1)
    assert all(part.sum() > 100 for part in parts)


def _box(locator):
    return locator.bounding_box()


def test_a_picture_is_pasted_from_the_clipboard(page):
    file = io.BytesIO()
    portrait = skimage.data.astronaut()[:300, 60:400]
    Image.fromarray(portrait).save(file, "PNG")
    page.evaluate(PASTED, base64.b64encode(file.getvalue()).decode())
    with browsing.drawn(page):
        page.keyboard.press("Control+v")
    gap = np.abs(browsing.pixels(page) - portrait)
    assert gap.mean() < 4  # a preview is a JPEG
    page.click("#fresh")
    assert page.locator("#welcome").is_visible()
    assert page.locator("#panel").is_hidden()


def test_a_photo_is_taken_with_the_camera(page, tmp_path):
    page.click("#camera")
    with browsing.drawn(page):
        page.click("#snap")
    assert page.locator(".face").count() == 1
    assert page.evaluate("document.querySelector('#video').srcObject") is None
    file = browsing.downloaded(page, tmp_path)
    assert file.name == "camera-retouched.jpg"
    with Image.open(file) as taken:
        assert taken.size == (640, 480)


def test_what_is_no_photo_is_a_sentence_on_the_page(page, tmp_path):
    file = tmp_path / "note.jpg"
    file.write_text("no photo")
    page.set_input_files("#file", file)
    page.wait_for_selector("#problem:not([hidden])")
    assert "no picture that can be read" in page.text_content("#problem")
    assert page.locator("#welcome").is_visible()


def test_a_photo_without_a_face_is_a_sentence_and_the_page_is_as_before(page, tmp_path):
    file = tmp_path / "wall.png"
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(file)
    page.set_input_files("#file", file)
    page.wait_for_selector("#problem:not([hidden])")
    assert "No face was found" in page.text_content("#problem")
    assert page.locator("#welcome").is_visible()
    assert page.locator("#view").is_hidden() and page.locator("#busy").is_hidden()
