"""The parsing network: what each pixel of a head shows.

A U-Net on the first eleven blocks of EfficientNet-Lite0 (Tan and Le, 2019; Liu, 2020).
It is written once, for a builder: Keras trains it, the forward runtime runs it.
"""

from typing import Any

PARTS = (
    "background",
    "skin",
    "brows",
    "white",  # of an eye
    "iris",
    "nose",
    "lips",
    "teeth",  # and whatever else shows between the lips
    "hair",
    "glasses",  # frames, and lenses that nothing can be seen through
    "front",  # hands, microphones, whatever else lies in front of the face
)
RESOLUTION = 256
STEM = 32
# The kernel, the stride, how much the first convolution widens, and the channels.
BLOCKS = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (3, 1, 6, 24),
    (5, 2, 6, 40),
    (5, 1, 6, 40),
    (3, 2, 6, 80),
    (3, 1, 6, 80),
    (3, 1, 6, 80),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
)
COMMON, WIDTHS = 64, (32, 48, 64)  # of the way up: at the lowest scale, and above


def network(build: Any, image: Any) -> Any:
    """Return the parts' logits (N, R, R, parts) of images in [-1, 1].

    Args:
        build: has conv, depthwise, add, relu and doubled, as the builders do.
    """
    *sides, low = trunk(build, image)
    y = build.conv(low, "low", COMMON, 1, act=True)
    y = build.add(y, build.conv(_wide(build, y), "wide", COMMON, 1))
    for i, (side, width) in reversed(list(enumerate(zip(sides, WIDTHS, strict=True)))):
        y = build.doubled(build.conv(y, f"up{i}", width, 1))
        y = build.relu(build.add(y, build.conv(side, f"side{i}", width, 1)))
        y = build.conv(y, f"join{i}", width, 3, act=True)
    return build.doubled(build.conv(y, "parts", len(PARTS), 1))


def trunk(build: Any, image: Any) -> list[Any]:
    """Return the features at halves, quarters, eighths and sixteenths of the size."""
    x, channels, taps = build.conv(image, "stem", STEM, 3, stride=2, act=True), STEM, []
    for i, (kernel, stride, wider, width) in enumerate(BLOCKS):
        if stride == 2:
            taps.append(x)
        y = x
        if wider > 1:
            y = build.conv(y, f"block{i}_widen", channels * wider, 1, act=True)
        y = build.depthwise(y, f"block{i}_depthwise", kernel, stride=stride, act=True)
        y = build.conv(y, f"block{i}_narrow", width, 1)
        x = build.add(x, y) if stride == 1 and width == channels else y
        channels = width
    return [*taps, x]


def _wide(build: Any, x: Any) -> Any:
    return build.depthwise(x, "around", 5, act=True)
