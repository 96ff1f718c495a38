"""Slopes of what a graph computes, written into the same graph, from its end back.

A slope is as large as its value, or larger where that was spread over another, until it
comes to where the value got the axis (Unsqueeze), along which it is summed. Constants
have none.
"""

from collections.abc import Callable, Sequence

import numpy as np

from pretrained.forward import Graph, Node

Rule = Callable[[Graph, Node, str, int], str]  # gives the slope of one of the inputs

STEEP = 1e30  # by which whatever is not 0 is led beyond 1
FLOAT = 1  # the kind of numbers, as ONNX counts


def slope(graph: Graph, value: str, of: str) -> str:
    """Return the slope of a value, of the sum of all it holds, by another."""
    moving = {of}
    for node in graph.nodes:
        if moving.intersection(node.inputs):
            moving.update(node.outputs)
    nothing = graph.node("Sub", [value, value])
    found = {value: graph.node("Add", [nothing, 1.0])}
    for node in graph.nodes[::-1]:
        come = found.pop(node.outputs[0], None)
        if come is None:
            continue
        for place, name in enumerate(node.inputs):
            if name in moving:
                part = RULES[node.kind](graph, node, come, place)
                found[name] = graph.add(found[name], part) if name in found else part
    return found[of]


# --- numbers one by one -------------------------------------------------------


def _added(graph: Graph, node: Node, come: str, place: int) -> str:
    return come


def _subtracted(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Neg", [come]) if place else come


def _multiplied(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Mul", [come, node.inputs[1 - place]])


def _divided(graph: Graph, node: Node, come: str, place: int) -> str:
    part = graph.node("Div", [come, node.inputs[1]])
    if place == 0:
        return part
    return graph.node("Neg", [graph.node("Mul", [part, node.outputs[0]])])


def _rooted(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Div", [graph.node("Mul", [come, 0.5]), node.outputs[0]])


def _bent(graph: Graph, node: Node, come: str, place: int) -> str:
    low = float(node.attributes.get("alpha", 0.0))
    steep = graph.node("Mul", [node.outputs[0], STEEP])
    return graph.node("Mul", [come, graph.node("Clip", [steep, low, 1.0])])


# --- axes ---------------------------------------------------------------------


def _shaped(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Reshape", [come, graph.node("Shape", [node.inputs[0]])])


def _transposed(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Transpose", [come], perm=np.argsort(node.attributes["perm"]))


def _widened(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("ReduceSum", [come, node.inputs[1]], keepdims=0)


def _averaged(graph: Graph, node: Node, come: str, place: int) -> str:
    sizes = [graph.node("Size", [x]) for x in (node.outputs[0], node.inputs[0])]
    share = graph.node("Div", [graph.node("Cast", [x], to=FLOAT) for x in sizes])
    part = graph.node("Mul", [come, share])
    part = graph.node("Unsqueeze", [part, np.array(node.attributes["axes"])])
    return graph.node("Expand", [part, graph.node("Shape", [node.inputs[0]])])


def _taken(graph: Graph, node: Node, come: str, place: int) -> str:
    """Put the slope of a row, or of rows, among those that were not taken."""
    start = int(graph.constants[node.inputs[1]].flat[0])
    if node.kind == "Gather":
        come = graph.node("Unsqueeze", [come, np.array([1])])
    return _placed(graph, come, node.inputs[0], (0, start, 0))


def _placed(graph: Graph, small: str, like: str, starts: Sequence[int]) -> str:
    """Return a value with zeros around it, as large as another."""
    sizes = [graph.node("Shape", [x]) for x in (like, small)]
    ends = graph.node("Sub", [graph.node("Sub", sizes), np.array(starts)])
    pads = graph.node("Concat", [np.array(starts), ends], axis=0)
    return graph.node("Pad", [small, pads])


def _padded(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Pad", [come, -graph.constants[node.inputs[1]]])


# --- products and pictures ----------------------------------------------------


def _product(graph: Graph, node: Node, come: str, place: int) -> str:
    turned = _turned(graph, node.inputs[1 - place])
    return graph.node("MatMul", [turned, come] if place else [come, turned])


def _turned(graph: Graph, matrix: str) -> str:
    """Return a matrix with its rows as columns; what is no constant is several."""
    if matrix in graph.constants:
        return graph.constant(graph.constants[matrix].swapaxes(-1, -2))
    return graph.node("Transpose", [matrix], perm=[0, 2, 1])


def _convolved(graph: Graph, node: Node, come: str, place: int) -> str:
    ways, group = node.attributes, node.attributes.get("group", 1)
    kernel, strides = graph.constants[node.inputs[1]], ways.get("strides", [1, 1])
    if strides != [1, 1]:
        ways = {"strides": strides, "group": group}
        back = graph.node("ConvTranspose", [come, kernel], **ways)
        return _placed(graph, back, node.inputs[0], (0, 0, 0, 0))
    reach = [n - 1 for n in kernel.shape[2:]] * 2
    same = [n // 2 for n in reach] if ways.get("auto_pad") == "SAME_UPPER" else [0] * 4
    pads = [n - m for n, m in zip(reach, ways.get("pads", same), strict=True)]
    turned = kernel[:, :, ::-1, ::-1]
    turned = turned.swapaxes(0, 1) if group == 1 else turned  # or each is alone
    return graph.node("Conv", [come, turned], pads=pads, group=group)


def _unconvolved(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("Conv", [come, node.inputs[1]], **node.attributes)


def _pooled(graph: Graph, node: Node, come: str, place: int) -> str:
    """Spread the slope of each mean of 2 x 2; a last odd row has none."""
    ways = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
    sizes = np.array([1, 1, 2, 2], np.float32)
    spread = graph.node("Resize", [graph.node("Mul", [come, 0.25]), "", sizes], **ways)
    return _placed(graph, spread, node.inputs[0], (0, 0, 0, 0))


def _largest(graph: Graph, node: Node, come: str, place: int) -> str:
    """Lead each slope to where the largest was found."""
    (taken,) = node.inputs
    node.outputs.append(f"{node.outputs[0]}.places")
    parts = graph.node("Sub", [taken, taken]), node.outputs[1], come
    flat = [graph.shaped(part, -1) for part in parts]
    sums = graph.node("ScatterElements", flat, axis=0, reduction="add")
    return graph.node("Reshape", [sums, graph.node("Shape", [taken])])


def _folded(graph: Graph, node: Node, come: str, place: int) -> str:
    return graph.node("SpaceToDepth", [come], blocksize=node.attributes["blocksize"])


RULES: dict[str, Rule] = {
    "Add": _added,
    "Sub": _subtracted,
    "Mul": _multiplied,
    "Div": _divided,
    "Sqrt": _rooted,
    "Relu": _bent,
    "LeakyRelu": _bent,
    "Reshape": _shaped,
    "Transpose": _transposed,
    "Unsqueeze": _widened,
    "ReduceMean": _averaged,
    "Gather": _taken,
    "Slice": _taken,
    "Pad": _padded,
    "MatMul": _product,
    "Gemm": _product,
    "Conv": _convolved,
    "ConvTranspose": _unconvolved,
    "AveragePool": _pooled,
    "MaxPool": _largest,
    "DepthToSpace": _folded,
}
