"""How the page is looked at: zoom, the original, a phone, the dark, without a mouse."""

import io

import numpy as np
import pytest
from PIL import Image

browsing = pytest.importorskip("tests.retouch.service.browsing")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = browsing.needs_chromium
HELD = 500  # milliseconds of a long press
# Whether a slider's value has room for the longest there is.
WIDEST = """value => {
  const had = value.value;
  value.value = "+100";
  const fits = value.scrollWidth <= value.clientWidth;
  value.value = had;
  return fits;
}"""


@pytest.fixture(scope="module")
def tried(browser, address):
    """The page on a touch screen, with an edited portrait; once, for it takes long."""
    with browsing.page_of(browser, address, has_touch=True) as page:
        with browsing.drawn(page):
            page.click("#try")
        browsing.slid(page, "age", 90)
        yield page


@pytest.fixture
def page(tried):
    tried.set_viewport_size(dict(zip(("width", "height"), browsing.DESK, strict=True)))
    tried.click("#zoom-fit")
    tried.wait_for_timeout(HELD)  # until the photo lies still
    return tried


def zoom(page):
    return int(page.text_content("#zoom").split()[0])


def middle(page):
    box = page.locator("#canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pinch(page, x, y, *ways):
    """Put two fingers so far apart on the screen, then so far, and lift them."""
    session = page.context.new_cdp_session(page)
    kinds = ["touchStart", *["touchMove"] * (len(ways) - 1), "touchEnd"]
    for kind, way in zip(kinds, [*ways, None], strict=True):
        places = [] if way is None else [x - way / 2, x + way / 2]
        how = {"type": kind, "touchPoints": [{"x": place, "y": y} for place in places]}
        session.send("Input.dispatchTouchEvent", how)


def test_wheel_pinch_double_tap_and_keys_zoom_and_a_finger_moves(page):
    fit, (x, y) = zoom(page), middle(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    assert zoom(page) > 1.3 * fit
    page.click("#zoom-fit")
    assert zoom(page) == fit
    page.mouse.dblclick(x, y)
    assert zoom(page) > 1.3 * fit
    page.mouse.dblclick(x, y)
    assert zoom(page) == fit
    pinch(page, x, y, 80, 120, 180)
    assert zoom(page) == pytest.approx(fit * 180 / 80, rel=0.1)
    page.wait_for_timeout(HELD)
    before = page.locator("#picture").bounding_box()
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=3)
    page.mouse.up()
    after = page.locator("#picture").bounding_box()
    assert after["x"] < before["x"] - 40
    page.focus("#canvas")
    page.keyboard.press("0")
    page.keyboard.press("+")
    assert zoom(page) > 1.1 * fit


def test_a_long_press_shows_the_original_and_the_split_view_both(page):
    page.locator("#zoom-face").click()
    page.wait_for_timeout(HELD)
    edited = browsing.seen(page, "#canvas")
    page.mouse.move(*middle(page))
    page.mouse.down()
    page.wait_for_selector("#badge:not([hidden])")
    held = browsing.seen(page, "#canvas")
    page.mouse.up()
    assert page.locator("#badge").is_hidden()
    assert browsing.changed(edited, held)[60:].sum() > 500
    page.click("#split")
    line = page.locator("#line")
    assert line.locator("span").all_text_contents() == ["Before", "After"]
    before, after = (span.bounding_box() for span in line.locator("span").all())
    cut = line.bounding_box()["x"] + line.bounding_box()["width"] / 2
    assert before["x"] + before["width"] < cut < after["x"]
    half = browsing.seen(page, "#canvas")
    width = half.shape[1]
    left, right = slice(0, width // 2 - 30), slice(width // 2 + 30, width)
    assert not browsing.changed(half, held)[60:, left].any()
    assert not browsing.changed(half, edited)[60:, right].any()
    line.focus()
    page.keyboard.press("ArrowLeft")
    assert line.get_attribute("aria-valuenow") == "48"
    page.click("#split")
    assert line.is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [browsing.DESK, browsing.PHONE])
def test_nothing_serious_stands_in_the_way_of_a_screen_reader(page, size, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    found = axe.Axe().run(page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    told = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in serious]
    assert not serious, told
    corner = browsing.seen(page, "#bar")[2, 200].mean()
    assert corner < 60 if scheme == "dark" else corner > 200


@pytest.mark.parametrize("size", [browsing.PHONE, (360, 640), (320, 568)])
def test_on_a_phone_nothing_is_cut_off(page, size):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.click(".chip >> text=Age")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    for name in ("#back", "#undo", "#save", "#enhance", "#canvas", "input[name=age]"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0], name
    assert page.locator(".slider:has(input[name=age]) [type=text]").evaluate(WIDEST)


def test_on_a_phone_sliders_lie_at_the_thumb(page):
    page.set_viewport_size(dict(zip(("width", "height"), browsing.PHONE, strict=True)))
    height = browsing.PHONE[1]
    page.click(".chip >> text=Expression")
    slider = page.locator("input[name=smile]").bounding_box()
    assert slider["y"] > height / 2 and slider["height"] >= 44
    stage, panel = (page.locator(n).bounding_box() for n in ("#stage", "#panel"))
    assert panel["y"] <= stage["y"] + stage["height"]  # no gap
    assert panel["y"] + panel["height"] == pytest.approx(height, abs=1)
    assert stage["height"] > 0.45 * height


@pytest.mark.parametrize("size", [browsing.DESK, browsing.PHONE, (390, 600)])
def test_the_welcome_has_room_between_its_parts(browser, address, size):
    with browsing.page_of(browser, address, size) as page:
        pitch, sample, head = (
            page.locator(name).bounding_box()
            for name in ("#pitch", "#sample", "#pitch h2")
        )
        beside = sample["x"] >= pitch["x"] + pitch["width"] + 16
        assert beside or sample["y"] >= pitch["y"] + pitch["height"] + 16
        letters = page.locator("#pitch h2").evaluate(
            "head => parseFloat(getComputedStyle(head).fontSize)"
        )
        assert head["height"] < 2.5 * letters  # two lines, no word left over


def test_all_is_reached_by_the_keyboard(browser, address):
    with browsing.page_of(browser, address) as page:
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "try":
                break
        with browsing.drawn(page):
            page.keyboard.press("Enter")
        names = set()
        page.focus("#back")
        for _ in range(60):
            page.keyboard.press("Tab")
            names.add(page.evaluate("document.activeElement.name"))
            names.add(page.evaluate("document.activeElement.id"))
        assert {"canvas", "enhance", "save", "smile", "age", "original"} <= names
        before = browsing.pixels(page)
        page.focus("#enhance")
        with browsing.drawn(page):
            page.keyboard.press("Space")
        assert browsing.changed(before, browsing.pixels(page)).any()


def test_what_is_transparent_shows_a_checker(browser, address, portrait, tmp_path):
    image, clear = Image.open(io.BytesIO(portrait)), np.full((512, 512), 255, np.uint8)
    clear[:, :100] = 0
    image.putalpha(Image.fromarray(clear))
    image.save(tmp_path / "cut.png")
    with browsing.page_of(browser, address) as page:
        browsing.opened(page, tmp_path / "cut.png")
        page.click("#zoom-fit")
        page.wait_for_timeout(HELD)  # until the photo lies still
        for split in (False, True):
            box = page.locator("#picture").bounding_box()
            shown = browsing.seen(page, "#picture")[40:-40, 8 : int(box["width"] / 8)]
            grey = np.ptp(shown, 2)
            assert (grey < 3).all() and {200, 239} <= {*shown[..., 0].ravel().tolist()}
            cells = shown[..., 0] > 220
            assert 0.4 < cells.mean() < 0.6 and 0 < cells[:, 5].mean() < 1
            if not split:
                page.click("#split")
