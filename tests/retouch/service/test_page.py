"""The page with the portrait that comes with it: sliders, history and saving."""

import itertools

import numpy as np
import pytest
import skimage.data
from PIL import Image

browsing = pytest.importorskip("tests.retouch.service.browsing")
pytestmark = browsing.needs_chromium
STILL = 1000  # milliseconds, after which a large photo is shown as it is looked at


@pytest.fixture(scope="module")
def tried(browser, address):
    """The page after "Try it"; once, for inverting takes long."""
    with browsing.page_of(browser, address) as page:
        with browsing.drawn(page):
            page.click("#try")
        yield page


@pytest.fixture
def page(tried):
    """The page as it was before the first edit."""
    if tried.is_enabled("#reset"):
        with browsing.drawn(tried):
            tried.click("#reset")
    return tried


def unfolded(page, group):
    head = page.locator(".group button[aria-expanded]", has_text=group)
    if head.get_attribute("aria-expanded") == "false":
        head.click()


def place(page, name):
    return page.input_value(f"input[name='{name}']")


def test_the_sample_is_tried_with_one_click_and_its_face_is_enlarged(page):
    assert page.locator("#welcome").is_hidden()
    tall = "name => document.querySelector(name).getBoundingClientRect().height"
    browsing.until(page, f"({tall})('.face') > 0.3 * ({tall})('#stage')")
    assert page.locator(".person").count() == 1


def test_one_button_enhances_and_takes_it_back(page):
    before = browsing.pixels(page)
    with browsing.drawn(page):
        page.click("#enhance")
    assert page.get_attribute("#enhance", "aria-pressed") == "true"
    assert place(page, "beautify") == "50"
    assert browsing.changed(before, browsing.pixels(page)).sum() > 100
    with browsing.drawn(page):
        page.click("#enhance")
    np.testing.assert_array_equal(browsing.pixels(page), before)


def test_sliders_stand_in_groups_and_axes_under_advanced_alone(page):
    names = page.locator(".group h2").all_text_contents()
    assert names[:5] == ["Retouch", "Expression", "Shape", "Age", "Style"]
    assert names[-1] == "Advanced"
    within = ".group:has(#group-Advanced)"
    axes = page.locator("input[name^='axis:']")
    assert axes.count() > 0
    assert page.locator(f"{within} input[name^='axis:']").count() == axes.count()
    assert axes.first.is_hidden()
    unfolded(page, "Advanced")
    page.fill("#filter", "17")
    found = axes.evaluate_all("all => all.map(input => input.name)")
    assert found[0] == "axis:17" and all(name[5:7] == "17" for name in found)
    page.fill("#filter", "")


def test_zero_is_in_the_middle_and_values_are_typed_stepped_and_set_back(page):
    smile = page.locator("input[name=smile]")
    assert smile.get_attribute("min") == "-100" and smile.get_attribute("max") == "100"
    typed = page.locator(".slider:has(input[name=smile]) input[type=text]")
    with browsing.drawn(page):
        typed.fill("45")
        typed.press("Enter")
    assert place(page, "smile") == "45"
    smile.focus()
    with browsing.drawn(page):
        page.keyboard.press("ArrowLeft")
    assert place(page, "smile") == "44" and typed.input_value() == "+44"
    with browsing.drawn(page):
        page.locator(".slider:has(input[name=smile]) label").dblclick()
    assert place(page, "smile") == "0"


def test_what_goes_one_way_begins_at_the_left_end_where_zero_is_marked(page):
    for name, ends, zero in (
        ("beautify", ("0", "100"), "0"),
        ("texture", ("0", "100"), "0"),
        ("smile", ("-100", "100"), "0.5"),
    ):
        slider = page.locator(f"input[name={name}]")
        assert (slider.get_attribute("min"), slider.get_attribute("max")) == ends
        mark = slider.evaluate("made => made.style.getPropertyValue('--zero')")
        assert (place(page, name), mark) == ("0", zero)
    with page.expect_request("**/v1/render") as asked:
        browsing.slid(page, "texture", 40)
    assert asked.value.post_data_json["skin"]["texture"] == 0.6
    with browsing.drawn(page):
        page.keyboard.press("Control+z")
    assert place(page, "texture") == "0"
    with browsing.drawn(page):
        page.keyboard.press("Control+Shift+z")
    assert place(page, "texture") == "40"


def test_what_an_arrow_key_moves_at_once_is_one_step_of_the_history(page):
    browsing.slid(page, "age", 30)
    page.wait_for_timeout(1000)  # a moment later another step begins
    page.focus("input[name=age]")
    with browsing.drawn(page):
        for _ in range(4):
            page.keyboard.press("ArrowRight")
    assert place(page, "age") == "34"
    page.wait_for_timeout(1000)
    with browsing.drawn(page):
        page.keyboard.press("ArrowRight")
    for before in ("34", "30", "0"):
        with browsing.drawn(page):
            page.keyboard.press("Control+z")
        assert place(page, "age") == before


def test_a_slider_is_followed_by_drafts_and_then_by_the_picture_itself(page):
    asked = []
    page.on("request", lambda r: r.url.endswith("/render") and asked.append(r))
    browsing.slid(page, "smile", 40)
    drafts = [request.post_data_json["draft"] for request in asked]
    assert drafts == [True, False]


def test_one_history_goes_over_sliders_mask_and_transfer(page, tmp_path):
    unfolded(page, "Mask")
    unfolded(page, "Transfer")
    source = tmp_path / "turned.png"
    Image.fromarray(skimage.data.astronaut()[:, ::-1]).save(source)
    shown = [browsing.pixels(page)]
    browsing.slid(page, "age", 30)  # which leaves some of the budget to the transfer
    shown.append(browsing.pixels(page))
    with browsing.drawn(page):
        page.set_input_files("#source", source)
    assert place(page, "transfer") == "53"  # 0.8 of 1.5
    shown.append(browsing.pixels(page))
    with browsing.drawn(page):
        page.click("#another")
    shown.append(browsing.pixels(page))
    for one, other in itertools.pairwise(shown):
        assert browsing.changed(one, other).sum() > 100
    for back in (2, 1, 0):
        with browsing.drawn(page):
            page.keyboard.press("Control+z")
        np.testing.assert_array_equal(browsing.pixels(page), shown[back])
    for forth in (1, 2, 3):
        with browsing.drawn(page):
            page.keyboard.press("Control+Shift+z")
        np.testing.assert_array_equal(browsing.pixels(page), shown[forth])
    assert page.is_disabled("#redo")


def test_what_is_saved_is_what_was_seen_with_its_metadata(browser, address, tmp_path):
    side, photo = 1280, tmp_path / "me.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a portrait"
    exif.get_ifd(0x8825)[1] = "N"
    small = Image.fromarray(skimage.data.astronaut())
    small.resize((side, side), Image.Resampling.LANCZOS).save(
        photo, quality=92, exif=exif
    )
    with browsing.page_of(browser, address) as page:
        browsing.opened(page, photo)
        page.click("#zoom-fit")
        page.wait_for_timeout(STILL)
        page.wait_for_selector("#busy", state="hidden")
        before = browsing.pixels(page)
        browsing.slid(page, "age", 70)
        after = browsing.pixels(page)
        whole = browsing.saved(page, tmp_path)
        page.click("#save")
        page.check("#strip")
        page.select_option("#format", "image/png")
        page.click("#saving button[value='']")
        stripped = browsing.saved(page, tmp_path)
    assert (whole.name, stripped.name) == ("me-retouched.jpg", "me-retouched.png")
    with Image.open(whole) as given:
        assert given.format == "JPEG" and given.size == (side, side)
        assert given.getexif()[0x010E] == "a portrait"
        assert given.getexif().get_ifd(0x8825)
        assert b"retouch" in given.info["xmp"]
        small = given.resize(before.shape[1::-1], Image.Resampling.LANCZOS)
    with Image.open(stripped) as given:
        assert given.format == "PNG" and not given.getexif().get_ifd(0x8825)
    moved = browsing.changed(before, after)
    assert moved.sum() > 200
    gap = np.abs(np.asarray(small) - after).mean()
    assert gap < 0.4 * np.abs(np.asarray(small) - before)[moved].mean()
