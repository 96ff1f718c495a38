"""The page in a real browser: Debian's Chromium, driven by playwright."""

import base64
import io
import shutil
import time
from contextlib import contextmanager

import numpy as np
import pytest
import skimage.data
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
PATIENT = 120_000  # milliseconds
DESK, PHONE = (1440, 900), (390, 844)
PIXELS = """image => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


@contextmanager
def chromium(*flags):
    """Run a browser; what runs as root has no sandbox, the page it opens is ours."""
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", *flags]
        found = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@contextmanager
def page_of(browser, address, size=DESK, **options):
    """Open the page; nothing on it may go wrong without a word to the user."""
    view = dict(zip(("width", "height"), size, strict=True))
    page = browser.new_page(viewport=view, **options)
    page.set_default_timeout(PATIENT)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def heard(said):  # an answer that is an error is told as well: that is no fault
        if said.type == "error" and "Failed to load resource" not in said.text:
            wrong.append(said.text)

    page.on("console", heard)
    page.goto(address)
    yield page
    page.close()
    assert not wrong, wrong


def count(page):
    """Return how many pictures were shown."""
    return int(page.get_attribute("#after", "data-count") or 0)


@contextmanager
def drawn(page):
    """Wait until what is done within has been drawn, and nothing more is to come."""
    had = count(page)
    yield
    # By a selector: the page's policy forbids to evaluate a function again and again.
    next_one = f"#after[data-count]:not([data-count='{had}'])"
    page.wait_for_selector(f"{next_one}, #problem:not([hidden])", state="attached")
    assert page.is_hidden("#problem"), page.text_content("#problem")
    page.wait_for_selector("#busy", state="hidden")


def until(page, expression):
    """Wait until it holds; the page's policy forbids playwright's own way."""
    end = time.monotonic() + PATIENT / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def opened(page, *photos):
    """Open photos; return once the first is ready for edits."""
    with drawn(page):
        page.set_input_files("#file", list(photos))


def slid(page, name, place):
    """Move a slider, from -100 to 100, and wait for the picture."""
    with drawn(page):
        page.locator(f"input[name='{name}']").fill(str(place))


def pixels(page, name="#after"):
    """Return the picture that the page shows, as it was sent."""
    told = page.locator(name).evaluate(PIXELS)
    image = Image.open(io.BytesIO(base64.b64decode(told))).convert("RGB")
    return np.asarray(image).astype(int)


def seen(page, name="#stage"):
    """Return a part of the page as it is on the screen."""
    data = page.locator(name).screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def saved(page, folder, choice="#save-one"):
    """Save the photo; return the file."""
    page.click("#save")
    with page.expect_download() as waiting:
        page.click(choice)
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    page.wait_for_selector("#busy", state="hidden")
    return file


def changed(one, other):
    """Return which pixels differ by more than a JPEG's noise."""
    assert one.shape == other.shape
    return np.abs(one - other).max(-1) > 12


def two_faces():
    """Return a portrait beside its mirror image."""
    one = skimage.data.astronaut()[:300, 60:400]
    return Image.fromarray(np.hstack([one, one[:, ::-1]]))
