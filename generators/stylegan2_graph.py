"""The StyleGAN2 generator written into a graph, for pictures without slopes.

It does what `stylegan2.StyleGAN2` does where synthesis starts from a code, without
noise and without a clamp: every convolution's input is scaled by a style, and its
output by what keeps the variance.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

GAIN = np.float32(np.sqrt(2))
SMOOTH = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16  # of sum 4


def can_write(config: dict[str, Any]) -> bool:
    """Say whether a generator of that configuration can be written."""
    return bool(config["code"]) and not config["noise"] and config["clamp"] is None


def network(graph: Any, latents: str) -> str:
    """Return the images (N, R, R, 3) of latents (N, rows, width)."""
    return graph.leaving(_Synthesis(graph, latents).picture())


class _Synthesis:
    """Writes block after block; keeps the features and their pending scales."""

    def __init__(self, graph: Any, latents: str) -> None:
        self.graph, self.latents = graph, latents
        names = {name.partition(".")[0] for name in graph.weights}
        self.sizes = sorted(int(name[1:]) for name in names if name[1:].isdigit())
        self.features, self.scales = self._start(), np.ones(1, np.float32)
        self.row = 0  # of the latents, which gives the next style

    def picture(self) -> str:
        picture = ""
        for size in self.sizes:
            if picture:
                self._modulated(f"b{size}.up", up=True)
            self._modulated(f"b{size}.conv")
            colours = self._colours(f"b{size}.rgb", size)
            picture = self._added(picture, colours)
        return picture

    def _start(self) -> str:
        graph, side = self.graph, self.sizes[0]
        kernel, bias = (graph.weights[f"start.{part}"] for part in ("kernel", "bias"))
        ends = np.array([2 * len(self.sizes)]), np.array([2**31]), np.array([1])
        code = graph.node("Slice", [self.latents, *ends])
        code = graph.shaped(code, 0, side, side, kernel.shape[2])
        return graph.convolved(graph.entering(code), kernel, bias)

    def _style(self, name: str) -> str:
        """Return the style (N, C) that the row of now gives a layer."""
        graph, weights = self.graph, self.graph.weights
        row = graph.node("Gather", [self.latents, np.array(self.row)], axis=1)
        parts = (weights[f"{name}.style.{part}"] for part in ("kernel", "bias"))
        return graph.dense(row, *parts)

    def _modulated(self, name: str, *, up: bool = False) -> None:
        """Convolve: input times style, output plus bias, through leaky ReLU."""
        graph = self.graph
        kernel, bias = (graph.weights[f"{name}.{part}"] for part in ("kernel", "bias"))
        style = self._style(name)
        energy = np.square(kernel).sum((0, 1))
        energy = energy.T if up else energy  # (inputs, outputs)
        power = graph.node("MatMul", [graph.node("Mul", [style, style]), energy])
        deviation = graph.node("Sqrt", [graph.node("Add", [power, 1e-8])])
        scales = _wide(graph, graph.node("Mul", [style, self.scales]))
        images = graph.node("Mul", [self.features, scales])
        images = (
            enlarged(graph, images, kernel) if up else graph.convolved(images, kernel)
        )
        offset = _wide(graph, graph.node("Mul", [deviation, bias]))
        self.features = graph.leaky(graph.node("Add", [images, offset]))
        self.scales = graph.node("Div", [GAIN, deviation])
        self.row += 1

    def _colours(self, name: str, size: int) -> str:
        """Return the red, green and blue of the features, (N, 3, size, size)."""
        graph = self.graph
        kernel, bias = (graph.weights[f"{name}.{part}"] for part in ("kernel", "bias"))
        scales = graph.node("Mul", [self._style(name), self.scales])
        scales = graph.node("Unsqueeze", [scales, np.array([1])])
        kernels = graph.node("Mul", [kernel[0, 0].T, scales])  # (N, 3, C)
        flat = graph.shaped(self.features, 0, kernel.shape[2], -1)
        colours = graph.shaped(graph.node("MatMul", [kernels, flat]), 0, 3, size, size)
        return graph.node("Add", [colours, bias[:, None, None]])

    def _added(self, picture: str, colours: str) -> str:
        """Return the picture so far, doubled, with a block's colours on top."""
        if not picture:
            return colours
        kernel = np.repeat(SMOOTH[None, None], 3, 0)
        ways = {"group": 3, "strides": [2, 2], "pads": [1, 1, 1, 1]}
        doubled = self.graph.node("ConvTranspose", [picture, kernel], **ways)
        return self.graph.node("Add", [doubled, colours])


def enlarged(graph: Any, images: str, kernel: NDArray) -> str:
    """Return the smoothed up-convolution with a kernel (3, 3, outputs, inputs).

    The transposed convolution is done as a plain one of 2 x 2 whose outputs are the
    four pixels that come of each: a third faster.
    """
    outputs, inputs = kernel.shape[2:]
    padded = np.zeros((4, 4, outputs, inputs), np.float32)
    padded[:3, :3] = kernel
    # Pixel 2q + r is x[q] k[r] + x[q - 1] k[r + 2].
    parts = padded.reshape(2, 2, 2, 2, outputs, inputs)[::-1, :, ::-1]
    parts = parts.transpose(0, 2, 5, 1, 3, 4).reshape(2, 2, inputs, 4 * outputs)
    ways = {"auto_pad": "NOTSET", "pads": [1, 1, 1, 1]}
    images = graph.convolved(images, parts, **ways)
    images = graph.node("DepthToSpace", [images], blocksize=2, mode="DCR")
    smooth = np.repeat(SMOOTH[:, :, None, None], outputs, 3)
    ways = {"auto_pad": "NOTSET", "pads": [1, 1, 0, 0], "group": outputs}
    return graph.convolved(images, smooth, **ways)


def _wide(graph: Any, values: str) -> str:
    """Return a number for each channel (N, C) so that it goes for all its pixels."""
    return graph.node("Unsqueeze", [values, np.array([2, 3])])
