"""Draw the picture of docs/service.md: the page, with the portrait it comes with.

retouch serve --no-browser &
python -m docs.page http://127.0.0.1:8000
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
SIZE = {"width": 1280, "height": 800}
MOVES = {"age": -60, "lip-make-up": 80}  # of the sliders


def main(address: str) -> None:
    """Try the sample, move sliders, and show before and after."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        page.click("#try")
        page.wait_for_selector("#after[data-count]")
        for name, place in MOVES.items():
            page.locator(f"input[name='{name}']").fill(str(place))
        page.click("#split")
        page.wait_for_timeout(10_000)  # until all of it is drawn
        shown = Image.open(io.BytesIO(page.screenshot()))
        shown.convert("RGB").save(HERE / "page.jpg", quality=88, optimize=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
