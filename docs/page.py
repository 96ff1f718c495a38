"""Draw the page with the portrait it comes with, and that portrait as it welcomes.

retouch serve --no-browser &
python -m docs.page http://127.0.0.1:8000
"""

import base64
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PAGE = HERE.parent / "retouch/service/page"
SIZE = {"width": 1280, "height": 800}
MOVES = {"age": -50, "lip-make-up": 80, "eye-make-up": 40}  # of the sliders
STILL = 15_000  # milliseconds, after which all of it is drawn
PIXELS = """image => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


def write(picture: bytes, file: Path) -> None:
    """Write a picture as JPEG."""
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(file, quality=88, optimize=True)


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
        page.wait_for_timeout(STILL)
        after = base64.b64decode(page.locator("#after").evaluate(PIXELS))
        write(after, PAGE / "sample-after.jpg")
        page.click("#split")
        write(page.screenshot(), HERE / "page.jpg")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
