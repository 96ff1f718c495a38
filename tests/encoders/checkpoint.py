"""A small pSp or e4e encoder with random weights, and what it should answer.

The reference reads the checkpoint's own names, channels first, with SciPy's
correlation of planes: nothing of it is shared with the network under test.
"""

import numpy as np
from scipy.signal import correlate2d

CHANNELS, UNITS, SIZE, ROWS = (4, 6, 8, 12), (1, 1, 2, 1), 64, 8


def state(seed=0, rows=ROWS):
    """Return the parameters by the names that the checkpoints have."""
    rng, arrays = np.random.default_rng(seed), {}

    def add(name, *shape, plus=0.0):
        scale = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
        arrays[name] = (plus + scale * rng.standard_normal(shape)).astype("f4")

    def norm(name, channels):
        for part, plus in (("weight", 0.7), ("bias", 0), ("running_mean", 0)):
            add(f"{name}.{part}", channels, plus=plus)
        arrays[f"{name}.running_var"] = rng.uniform(0.8, 1.3, channels).astype("f4")
        arrays[f"{name}.num_batches_tracked"] = np.int64([3])

    add("input_layer.0.weight", CHANNELS[0], 3, 3, 3)
    norm("input_layer.1", CHANNELS[0])
    add("input_layer.2.weight", CHANNELS[0], plus=0.2)
    last, index = CHANNELS[0], 0
    for channels, count in zip(CHANNELS, UNITS, strict=True):
        for _ in range(count):
            name = f"body.{index}.res_layer"
            if last != channels:
                short = f"body.{index}.shortcut_layer"
                add(f"{short}.0.weight", channels, last, 1, 1)
                norm(f"{short}.1", channels)
            norm(f"{name}.0", last)
            add(f"{name}.1.weight", channels, last, 3, 3)
            add(f"{name}.2.weight", channels, plus=0.2)
            add(f"{name}.3.weight", channels, channels, 3, 3)
            norm(f"{name}.4", channels)
            add(f"{name}.5.fc1.weight", channels // 2, channels, 1, 1)
            add(f"{name}.5.fc2.weight", channels, channels // 2, 1, 1)
            last, index = channels, index + 1
    width = CHANNELS[-1]
    for row in range(rows):
        halvings = 2 + (row >= 3) + (row >= 7)
        for i in range(halvings):
            add(f"styles.{row}.convs.{2 * i}.weight", width, width, 3, 3)
            add(f"styles.{row}.convs.{2 * i}.bias", width)
        arrays[f"styles.{row}.linear.weight"] = rng.standard_normal(
            (width, width)
        ).astype("f4")
        add(f"styles.{row}.linear.bias", width)
    for i, channels in ((1, CHANNELS[2]), (2, CHANNELS[1])):
        add(f"latlayer{i}.weight", width, channels, 1, 1)
        add(f"latlayer{i}.bias", width)
    return arrays


def reference(arrays, image, kind):
    """Return the codes (rows, width) of one image (3, SIZE, SIZE)."""
    x = _norm(arrays, "input_layer.1", _conv(image, arrays["input_layer.0.weight"]))
    x = _prelu(x, arrays["input_layer.2.weight"])
    seen, index = [], 0
    for count in UNITS:
        for place in range(count):
            x = _unit(arrays, index, x, 2 if place == 0 else 1)
            index += 1
        seen.append(x)

    def plain(name, x):
        bias = arrays[f"{name}.bias"][:, None, None]
        return _conv(x, arrays[f"{name}.weight"]) + bias

    coarse = seen[3]
    middle = _doubled(coarse) + plain("latlayer1", seen[2])
    fine = _doubled(middle) + plain("latlayer2", seen[1])
    rows = []
    while f"styles.{len(rows)}.linear.weight" in arrays:
        row = len(rows)
        x, i = (coarse, middle, fine)[(row >= 3) + (row >= 7)], 0
        while f"styles.{row}.convs.{2 * i}.weight" in arrays:
            name = f"styles.{row}.convs.{2 * i}"
            x = _conv(x, arrays[f"{name}.weight"], 2)
            x = x + arrays[f"{name}.bias"][:, None, None]
            x, i = np.where(x > 0, x, 0.01 * x), i + 1
        assert x.shape[1:] == (1, 1)
        kernel = arrays[f"styles.{row}.linear.weight"] / np.sqrt(len(x))
        rows.append(kernel @ x[:, 0, 0] + arrays[f"styles.{row}.linear.bias"])
    if kind == "e4e":
        rows[1:] = [rows[0] + row for row in rows[1:]]
    return np.stack(rows)


def _unit(arrays, index, x, stride):
    name, short = f"body.{index}.res_layer", f"body.{index}.shortcut_layer"
    long = _conv(_norm(arrays, f"{name}.0", x), arrays[f"{name}.1.weight"])
    long = _prelu(long, arrays[f"{name}.2.weight"])
    long = _conv(long, arrays[f"{name}.3.weight"], stride)
    long = _norm(arrays, f"{name}.4", long)
    whole = arrays[f"{name}.5.fc1.weight"][:, :, 0, 0] @ long.mean((1, 2))
    whole = arrays[f"{name}.5.fc2.weight"][:, :, 0, 0] @ np.maximum(whole, 0)
    long = long / (1 + np.exp(-whole))[:, None, None]
    if f"{short}.0.weight" in arrays:
        x = _conv(x, arrays[f"{short}.0.weight"], stride)
        return long + _norm(arrays, f"{short}.1", x)
    return long + x[:, ::stride, ::stride]


def _conv(x, kernel, stride=1):
    rim = kernel.shape[-1] // 2
    x = np.pad(x, ((0, 0), (rim, rim), (rim, rim)))
    planes = [
        sum(correlate2d(plane, k, "valid") for plane, k in zip(x, own, strict=True))
        for own in kernel
    ]
    return np.stack(planes)[:, ::stride, ::stride]


def _norm(arrays, name, x):
    gain, bias, mean, power = (
        arrays[f"{name}.{part}"][:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return gain * (x - mean) / np.sqrt(power + 1e-5) + bias


def _prelu(x, slopes):
    return np.where(x > 0, x, slopes[:, None, None] * x)


def _doubled(x):
    """Interpolate so that the corners stay where they are."""
    size = x.shape[-1]
    places = np.linspace(0, size - 1, 2 * size)
    rows = np.stack(
        [np.interp(places, range(size), np.eye(size)[i]) for i in range(size)]
    )
    return np.einsum("iy,cij,jx->cyx", rows, x, rows)
