"""The page in a real browser: Debian's Chromium, driven by playwright."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
PATIENT = 600_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        # What runs as root has no sandbox; the page it opens is our own.
        found = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


@pytest.fixture
def page(browser, address, request):
    size = getattr(request, "param", (1280, 800))
    width, height = size
    opened = browser.new_page(viewport={"width": width, "height": height})
    opened.set_default_timeout(PATIENT)
    wrong = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))

    def heard(said):  # an answer that is an error is told as well: that is no fault
        if said.type == "error" and "Failed to load resource" not in said.text:
            wrong.append(said.text)

    opened.on("console", heard)
    opened.goto(address)
    yield opened
    opened.close()
    assert not wrong


@pytest.fixture
def photo(portrait, tmp_path):
    path = tmp_path / "me.jpg"
    path.write_bytes(portrait)
    return path


def upload(page, photo):
    page.set_input_files("#file", photo)
    page.wait_for_selector("#panel:not([hidden])")
    settled(page, 0)


def settled(page, count):
    """Wait until a picture was shown after that many; return how many there were."""
    page.wait_for_selector(f"#after[data-count]:not([data-count='{count}'])")
    page.wait_for_selector("#busy", state="hidden")
    return int(page.get_attribute("#after", "data-count"))


def seen(page):
    page.locator("#split").fill("0")  # nothing of the picture before
    return np.asarray(Image.open(io.BytesIO(page.locator("#after").screenshot())))


def test_a_slider_changes_the_picture_and_the_download_is_that_picture(
    page, photo, tmp_path, portrait
):
    upload(page, photo)
    before, count = seen(page), int(page.get_attribute("#after", "data-count"))
    page.locator("input[name=age]").fill("1.5")
    count = settled(page, count)
    after = seen(page)
    assert (np.abs(after.astype(int) - before) > 8).sum() > 200
    with page.expect_download() as waiting:
        page.click("#save")
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert file.name == "me-retouched.jpg"
    downloaded = Image.open(io.BytesIO(file.read_bytes()))
    assert downloaded.getexif()[0x010E] == "a portrait"
    original = Image.open(io.BytesIO(portrait))
    assert downloaded.size == original.size
    gap = np.abs(np.asarray(downloaded).astype(int) - np.asarray(original))
    assert (gap > 8).sum() > 200
    # Undo shows the photo again, redo the edit.
    page.click("#undo")
    count = settled(page, count)
    np.testing.assert_array_equal(seen(page), before)
    page.click("#redo")
    settled(page, count)
    np.testing.assert_array_equal(seen(page), after)
    assert page.locator("#problem").is_hidden()


def test_the_sliders_are_found_by_their_names(page, photo):
    upload(page, photo)
    page.fill("#filter", "axis:17")
    names = page.locator("#sliders input").evaluate_all("all => all.map(i => i.name)")
    assert names[0] == "axis:17" and set(names) == {"axis:17"} | {
        f"axis:17{digit}" for digit in range(10)
    }
    page.fill("#filter", "")
    assert page.locator("#sliders input[name=smile]").is_visible()


@pytest.mark.parametrize("page", [(390, 844)], indirect=True)
def test_on_a_phone_nothing_is_cut_off(page, photo):
    upload(page, photo)
    across = "document.documentElement.scrollWidth"
    assert page.evaluate(across) == 390
    for name in ("#after", "#save", "input[name=smile]"):
        page.locator(name).scroll_into_view_if_needed()
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_what_is_no_photo_is_a_sentence_on_the_page(page, tmp_path):
    file = tmp_path / "note.jpg"
    file.write_text("no photo")
    page.set_input_files("#file", file)
    page.wait_for_selector("#problem:not([hidden])")
    assert "no picture that can be read" in page.text_content("#problem")
    assert page.locator("#welcome").is_visible()
