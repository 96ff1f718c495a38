"""How photos get onto the page: several, dropped, pasted, taken; and what is none."""

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
DROPPED = """text => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const held = new DataTransfer();
  held.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
  const how = { dataTransfer: held, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent("drop", how));
}"""


@pytest.fixture
def page(browser, address):
    allowed = ["camera", "clipboard-read", "clipboard-write"]
    with browsing.page_of(browser, address, permissions=allowed) as opened:
        yield opened


def portrait():
    return skimage.data.astronaut()[:300, 60:400]


def in_words():
    file = io.BytesIO()
    Image.fromarray(portrait()).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_photos_are_pasted_dropped_and_taken_and_stand_on_a_film(page, tmp_path):
    page.evaluate(PASTED, in_words())
    with browsing.drawn(page):
        page.keyboard.press("Control+v")
    gap = np.abs(browsing.pixels(page) - portrait())
    assert gap.mean() < 4  # a preview is a JPEG
    assert page.locator("#film").is_hidden()  # one photo needs none
    with browsing.drawn(page):
        page.evaluate(DROPPED, in_words())
    assert page.text_content("#name") == "dropped.png"
    assert page.locator("#film .tile").count() == 2
    for _ in range(2):
        page.click("#back")
    assert page.locator("#welcome").is_visible() and page.locator("#panel").is_hidden()
    page.click("#camera")
    with browsing.drawn(page):
        page.click("#snap")
    assert page.evaluate("document.querySelector('#video').srcObject") is None
    file = browsing.saved(page, tmp_path)
    assert file.name == "camera-retouched.jpg"
    with Image.open(file) as taken:
        assert taken.size == (640, 480)


def test_each_face_has_settings_of_its_own(page, tmp_path):
    browsing.two_faces().save(tmp_path / "two.png")
    browsing.opened(page, tmp_path / "two.png")
    assert page.locator(".person").count() == 3  # all, and each
    for place in ("Left face", "Right face"):
        assert page.get_by_role("button", name=place).first.is_visible()
    before = browsing.pixels(page)
    left = [face.bounding_box()["x"] for face in page.locator(".face").all()]
    page.locator(".face").nth(int(np.argmax(left))).click()
    browsing.slid(page, "age", 90)
    parts = np.split(browsing.changed(before, browsing.pixels(page)), 2, 1)
    assert parts[1].sum() > 100 and not parts[0].any()
    page.locator(f".person[data-face='{np.argmin(left)}']").click()
    assert page.input_value("input[name=age]") == "0"
    page.locator(".person", has_text="All").click()
    browsing.slid(page, "age", -90)
    parts = np.split(browsing.changed(before, browsing.pixels(page)), 2, 1)
    assert all(part.sum() > 100 for part in parts)


def test_several_photos_get_the_same_settings_and_are_saved_together(page, tmp_path):
    names = ["a.png", "b.png", "wall.png"]
    for name, pixels in zip(
        names,
        [portrait(), portrait()[:, ::-1], np.full((200, 200, 3), 128, np.uint8)],
        strict=True,
    ):
        Image.fromarray(pixels).save(tmp_path / name)
    browsing.opened(page, *(tmp_path / name for name in names))
    browsing.slid(page, "age", 80)
    page.click("text=Same on all")
    assert page.locator(".tile.edited").count() == 3
    page.set_viewport_size({"width": 320, "height": 700})
    film, same = (page.locator(n).bounding_box() for n in ("#film", ".same"))
    assert same["x"] + same["width"] <= film["width"]  # on a small phone, too
    page.set_viewport_size({"width": 1440, "height": 900})
    page.click("#save")
    got = []
    page.on("download", lambda one: got.append(one))
    page.click("#save-all")
    page.wait_for_selector("#problem:not([hidden])")
    page.wait_for_selector("#busy", state="hidden")
    told = page.text_content("#problem")
    assert "wall.png" in told and "No face was found" in told
    assert [one.suggested_filename for one in got] == [
        "a-retouched.png",
        "b-retouched.png",
    ]
    got[1].save_as(tmp_path / "b-retouched.png")
    page.locator("#film .thumb").nth(2).click()
    page.wait_for_selector("#name >> text=wall.png")
    middle = browsing.seen(page)[300:500, 400:600]
    assert np.abs(middle - 128).mean() < 3  # in view, and no other photo over it
    with Image.open(tmp_path / "b-retouched.png") as second:
        moved = browsing.changed(np.asarray(second).astype(int), portrait()[:, ::-1])
    assert moved.sum() > 100


def test_what_cannot_be_worked_on_is_told_by_its_name_and_stays_in_view(page, tmp_path):
    file = tmp_path / "note.jpg"
    file.write_text("no photo")
    page.set_input_files("#file", file)
    page.wait_for_selector("#problem:not([hidden])")
    told = page.text_content("#problem")
    assert "note.jpg" in told and "no picture that can be read" in told
    wall = tmp_path / "wall.png"
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(wall)
    page.set_input_files("#file", wall)
    page.wait_for_selector("#problem >> text=wall.png")
    assert "No face was found" in page.text_content("#problem")
    assert page.locator("#whole").is_visible() and page.locator("#busy").is_hidden()
    middle = browsing.seen(page)[300:500, 400:600]
    assert np.abs(middle - 128).mean() < 3
    assert page.is_disabled("#save")


def test_on_a_phone_the_film_is_wound_to_the_photo_in_view(browser, address, tmp_path):
    Image.fromarray(portrait()).save(tmp_path / "last.png")
    broken = [tmp_path / f"{number}.jpg" for number in range(9)]
    for path in broken:
        path.write_bytes(b"no picture")
    with browsing.page_of(browser, address, browsing.PHONE) as page:
        page.set_input_files("#file", broken)
        page.wait_for_selector(".tile.failed")
        browsing.opened(page, tmp_path / "last.png")
        tile, button = (
            page.locator(name).bounding_box()
            for name in ("[aria-current=true]", ".same")
        )
        assert page.get_attribute("[aria-current=true]", "title") == "last.png"
    assert tile["x"] >= 0 and tile["x"] + tile["width"] <= button["x"]


def test_what_takes_long_tells_how_far_it_is_and_is_stopped(page, tmp_path):
    large = tmp_path / "large.png"
    Image.fromarray(portrait()).save(large)
    page.set_input_files("#file", large)
    page.wait_for_selector("#cancel")
    page.click("#cancel")
    page.wait_for_selector("#welcome")
    assert page.locator("#busy").is_hidden() and page.locator("#problem").is_hidden()
    with browsing.drawn(page):
        page.set_input_files("#file", large)
        page.wait_for_selector("#progress[value]")
