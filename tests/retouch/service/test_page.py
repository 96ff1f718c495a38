"""The page with a portrait on it: sliders, tabs and the download."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

browsing = pytest.importorskip("tests.retouch.service.browsing")
pytestmark = browsing.needs_chromium
SIDE = 1280  # pixels of the photo: more than a preview has
AUTHOR = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 photoshop:Credit="NASA, somebody"/>
</rdf:RDF></x:xmpmeta>"""


@pytest.fixture(scope="module")
def photo(portrait, tmp_path_factory):
    """A portrait larger than its preview, with EXIF, a place on the earth and XMP."""
    small = Image.open(io.BytesIO(portrait))
    path = tmp_path_factory.mktemp("photo") / "me.jpg"
    large = small.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    large.save(path, quality=92, exif=small.getexif(), xmp=AUTHOR)
    return path


@pytest.fixture(scope="module")
def uploaded(address, photo):
    """The page after a photo was chosen; once, for inverting takes long."""
    with browsing.chromium() as browser, browsing.page_of(browser, address) as page:
        browsing.uploaded(page, photo)
        yield page


@pytest.fixture
def page(uploaded):
    """The page as it was before the first edit."""
    uploaded.set_viewport_size({"width": 1280, "height": 800})
    if uploaded.get_attribute("[data-mode=edit]", "aria-selected") != "true":
        with browsing.drawn(uploaded):
            uploaded.click("[data-mode=edit]")
    if uploaded.is_enabled("#reset"):
        with browsing.drawn(uploaded):
            uploaded.click("#reset")
    uploaded.fill("#filter", "")
    return uploaded


def across(page):
    return page.evaluate("document.documentElement.scrollWidth")


def test_a_slider_changes_the_picture_and_the_download_is_that_picture(
    page, photo, tmp_path
):
    before = browsing.pixels(page)
    browsing.slid(page, "axis:3", 2.5)
    after = browsing.pixels(page)
    assert browsing.changed(before, after).sum() > 200
    file = browsing.downloaded(page, tmp_path)
    assert file.name == "me-retouched.jpg"
    with Image.open(file) as given, Image.open(photo) as taken:
        assert given.format == "JPEG" and given.size == taken.size == (SIDE, SIDE)
        # What was seen is what is given, in the photo's own resolution.
        assert before.shape[:2] == (1024, 1024)
        small = np.asarray(given.resize((1024, 1024), Image.Resampling.LANCZOS))
    assert (
        np.abs(small - after).mean()
        < 0.4 * np.abs(small - before)[browsing.changed(before, after)].mean()
    )
    assert page.locator("#problem").is_hidden()


def test_a_download_keeps_the_metadata_and_leaves_the_place_out_if_asked(
    page, tmp_path
):
    with Image.open(browsing.downloaded(page, tmp_path)) as whole:
        exif, xmp = whole.getexif(), whole.info["xmp"]
        assert exif[0x010E] == "a portrait" and exif.get_ifd(0x8825)
        assert b"NASA, somebody" in xmp and b"retouch" in xmp
    page.check("#strip")
    page.select_option("#format", "image/png")
    file = browsing.downloaded(page, tmp_path)
    page.uncheck("#strip")
    page.select_option("#format", "image/*")
    assert file.name == "me-retouched.png"
    with Image.open(file) as stripped:
        exif = stripped.getexif()
        assert stripped.format == "PNG" and exif[0x010E] == "a portrait"
        assert not exif.get_ifd(0x8825)


def test_what_was_done_is_undone_redone_and_reset(page):
    seen = [browsing.pixels(page)]
    for value in (1.5, 3):
        browsing.slid(page, "axis:3", value)
        seen.append(browsing.pixels(page))
    assert browsing.changed(seen[1], seen[2]).any()
    steps = [("Control+z", 1), ("Control+z", 0), ("Control+Shift+z", 1)]
    for keys, place in [*steps, ("Control+y", 2)]:
        with browsing.drawn(page):
            page.keyboard.press(keys)
        np.testing.assert_array_equal(browsing.pixels(page), seen[place])
    assert page.is_disabled("#redo")
    for name, place in (("#undo", 1), ("#redo", 2), ("#reset", 0), ("#undo", 2)):
        with browsing.drawn(page):
            page.click(name)
        np.testing.assert_array_equal(browsing.pixels(page), seen[place])
    assert page.input_value("input[name='axis:3']") == "3"


def test_the_sliders_are_found_by_their_names(page):
    page.fill("#filter", "axis:17")
    names = page.locator("#sliders input").evaluate_all("all => all.map(i => i.name)")
    assert names[0] == "axis:17" and set(names) == {"axis:17"} | {
        f"axis:17{digit}" for digit in range(10)
    }
    page.fill("#filter", "nothing like this")
    assert page.locator("#sliders input").count() == 0
    assert "No slider" in page.text_content("#more")
    page.fill("#filter", "")
    assert page.locator("#sliders input[name=smile]").is_visible()


def test_the_line_parts_before_from_after(page):
    browsing.slid(page, "axis:3", 3)
    view, split = page.locator("#pictures"), page.locator("#split")

    def seen():
        data = view.screenshot(animations="disabled")
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    split.fill("100")
    before = seen()
    split.fill("0")
    after = seen()
    assert browsing.changed(before, after)[:, 4:-4].sum() > 200
    # With the mouse it is drawn on the picture itself.
    box = view.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 5, steps=3)
    page.mouse.up()
    assert float(split.input_value()) == pytest.approx(25, abs=1)


def test_everything_is_reached_by_the_keyboard(page):
    page.focus("[data-mode=edit]")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("[data-mode=transfer]", "aria-selected") == "true"
    assert page.locator("#transfer").is_visible()
    with browsing.drawn(page):
        page.keyboard.press("ArrowLeft")
    assert page.locator("#edit").is_visible()
    page.focus("input[name='axis:3']")
    with browsing.drawn(page):
        page.keyboard.press("ArrowRight")
    assert page.input_value("input[name='axis:3']") == "0.1"


def test_the_transfer_tab_takes_over_the_expression(page, tmp_path):
    source = tmp_path / "turned.png"
    Image.fromarray(skimage.data.astronaut()[:, ::-1]).save(source)
    before = browsing.pixels(page)
    page.click("[data-mode=transfer]")
    assert page.is_disabled("#save")  # as long as there is nothing to take over
    with browsing.drawn(page):
        page.set_input_files("#source", source)
    assert page.text_content("#source-name") == "turned.png"
    after = browsing.pixels(page)
    assert after.shape == (SIDE, SIDE, 3)
    small = np.asarray(Image.fromarray(after.astype(np.uint8)).resize((1024, 1024)))
    assert browsing.changed(before, small.astype(int)).sum() > 200


def test_the_mask_tab_lays_another_and_then_another_face_over(page):
    with browsing.drawn(page):
        page.click("[data-mode=mask]")
    first = browsing.pixels(page)
    with browsing.drawn(page):
        page.click("#another")
    assert page.text_content("#person") == "person 1"
    assert browsing.changed(first, browsing.pixels(page)).sum() > 200


def test_on_a_phone_nothing_is_cut_off(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for mode in ("transfer", "mask", "edit"):
        page.click(f"[data-mode={mode}]")
        assert across(page) == 390
    for name in ("#after", "#save", "input[name=smile]", "#filter", "#split"):
        page.locator(name).scroll_into_view_if_needed()
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.wait_for_selector("#busy", state="hidden")
