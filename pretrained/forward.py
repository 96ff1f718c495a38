"""Networks run forwards by ONNX Runtime, without TensorFlow being loaded.

A network is a function that writes its operations into a graph, around weights as
safetensors keep them; nothing is exported, and nothing is kept on disk. TensorFlow
takes longer to load than these networks take for a photograph.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pretrained import onnx_files
from retouch.errors import DependencyError

Floats = NDArray[np.float32]
Network = Callable[["Graph", str], str]  # writes itself; takes and gives values

OPSET, FORMAT = 17, 8  # what ONNX Runtime has read since 2022
LARGE = 1024  # bytes of an array that goes to the network without being written first
SIX = 6.0  # where the activation of the builder's networks ends


class Node(NamedTuple):
    """An operation between values."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


class Graph:
    """The operations of a network; values go by their names.

    Pictures are (N, C, H, W) inside, kernels are as Keras keeps them.
    """

    def __init__(self, weights: Mapping[str, NDArray]) -> None:
        self.weights = weights
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray] = {}

    def node(
        self, kind: str, inputs: Sequence[str | NDArray | float], **attributes: Any
    ) -> str:
        """Add an operation and return the name of what it gives."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(Node(kind, names, [name], attributes))
        return name

    def constant(self, values: NDArray | float) -> str:
        """Keep an array, of integers if it holds those, and return its name."""
        array = np.asarray(values)
        whole = np.issubdtype(array.dtype, np.integer)
        name = f"constant{len(self.constants)}"
        kind = np.int64 if whole else np.float32
        self.constants[name] = np.array(array, kind, order="C", copy=None)
        return name

    def convolved(
        self, x: str, kernel: NDArray, bias: NDArray | None = None, **ways: Any
    ) -> str:
        """Convolve with a kernel (k, k, inputs, outputs), as wide as before."""
        ways = {"auto_pad": "SAME_UPPER"} | ways
        offset = [] if bias is None else [bias]
        return self.node("Conv", [x, kernel.transpose(3, 2, 0, 1), *offset], **ways)

    def dense(self, x: str, kernel: NDArray, bias: NDArray) -> str:
        """Multiply vectors (N, inputs) by a kernel (inputs, outputs)."""
        return self.node("Gemm", [x, kernel, bias])

    def leaky(self, x: str) -> str:
        return self.node("LeakyRelu", [x], alpha=0.2)

    def shaped(self, x: str, *shape: int) -> str:
        """Give values another shape; 0 keeps a length, -1 takes the rest."""
        return self.node("Reshape", [x, np.array(shape)])

    def entering(self, images: str) -> str:
        """Return images (N, H, W, C) as they are inside."""
        return self.node("Transpose", [images], perm=[0, 3, 1, 2])

    def leaving(self, images: str) -> str:
        """Return images from inside as they are outside."""
        return self.node("Transpose", [images], perm=[0, 2, 3, 1])

    def enlarged(self, x: str, times: int) -> str:
        """Return images times as large, linearly between their pixels."""
        ways = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        sizes = np.array([1, 1, times, times], np.float32)
        return self.node("Resize", [x, "", sizes], **ways)

    # What a network that Keras trains and this runs asks of either's builder.

    def conv(
        self, x: str, name: str, channels: int, size: int, stride=1, act=False
    ) -> str:
        return self._built(x, name, self.weights[f"{name}.kernel"], stride, act)

    def depthwise(self, x: str, name: str, size: int, stride=1, act=False) -> str:
        kernel = self.weights[f"{name}.kernel"].swapaxes(2, 3)
        return self._built(x, name, kernel, stride, act, group=kernel.shape[3])

    def add(self, x: str, y: str) -> str:
        return self.node("Add", [x, y])

    def relu(self, x: str) -> str:
        return self.node("Clip", [x, 0.0, SIX])

    def doubled(self, x: str) -> str:
        return self.enlarged(x, 2)

    def _built(
        self, x: str, name: str, kernel: NDArray, stride: int, act: bool, group: int = 1
    ) -> str:
        ways = {"strides": [stride, stride], "group": group}
        y = self.convolved(x, kernel, self.weights[f"{name}.bias"], **ways)
        return self.relu(y) if act else y


class Computing:
    """A network ready to compute values of values, arrays by their names."""

    def __init__(
        self,
        network: Callable[..., Sequence[str]],
        weights: Mapping[str, NDArray],
        ranks: Mapping[str, int],
        *,
        often: bool = False,
    ) -> None:
        """Prepare a network.

        Args:
            ranks: how many lengths each of its inputs has.
            often: keep its memory from one run to the next, which saves a quarter of
                the time of large ones.
        """
        runtime = _runtime()
        graph = Graph(weights)
        results = network(graph, *ranks)
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        # What the arena would keep from one run to the next, other networks can use.
        options.enable_cpu_mem_arena = often
        options.intra_op_num_threads = told_threads()
        # Threads that wait by spinning take the time of what runs between networks.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        large = {n: a for n, a in graph.constants.items() if a.nbytes >= LARGE}
        values = [runtime.OrtValue.ortvalue_from_numpy(a) for a in large.values()]
        options.add_external_initializers([*large], values)
        self._session = runtime.InferenceSession(
            _serialised(graph, results, ranks),
            options,
            providers=["CPUExecutionProvider"],
        )

    def compute(self, **inputs: Floats) -> list[Floats]:
        """Return what the network makes of its inputs."""
        values = {n: np.ascontiguousarray(a, np.float32) for n, a in inputs.items()}
        return self._session.run(None, values)


class Running(Computing):
    """A network that makes one value of one."""

    def __init__(
        self, network: Network, weights: Mapping[str, NDArray], rank: int = 4
    ) -> None:
        super().__init__(lambda *given: [network(*given)], weights, {"inputs": rank})

    def __call__(self, inputs: Floats) -> Floats:
        """Return what the network makes of its inputs."""
        (result,) = self.compute(inputs=inputs)
        return result


class Forward(Running):
    """A network from pictures to pictures, whose insides are all that it writes."""

    def __init__(
        self, network: Callable[[Any, Any], Any], weights: Mapping[str, NDArray]
    ) -> None:
        def whole(graph: Graph, images: str) -> str:
            return graph.leaving(network(graph, graph.entering(images)))

        super().__init__(whole, weights)


def _serialised(
    graph: Graph, results: Sequence[str], ranks: Mapping[str, int]
) -> bytes:
    """Return the ONNX model of a graph, without its large arrays."""
    enter = [
        onnx_files.value(name, [f"{name}{i}" for i in range(rank)])  # any lengths
        for name, rank in ranks.items()
    ]
    leave = [onnx_files.value(name, None) for name in results]
    kept = [
        onnx_files.tensor(name, array, apart=array.nbytes >= LARGE)
        for name, array in graph.constants.items()
    ]
    nodes = [onnx_files.node(*node) for node in graph.nodes]
    whole = onnx_files.graph("network", nodes, kept, enter, leave)
    return onnx_files.model(whole, OPSET, FORMAT)


def told_threads() -> int:
    """Return how many threads a process may take, as OpenMP is told; 0 says nothing."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isascii() and told.isdigit() else 0


def _runtime() -> Any:
    """Return ONNX Runtime, which is to keep to itself what it is used for.

    Its builds from 1.32 on mark the machine with a number, note every network that is
    loaded, and send that to their maker, unless they are told before they load.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError(
            f"{error.name} is not installed; networks run by it."
            " Install it: pip install onnxruntime"
        ) from None
    onnxruntime.disable_telemetry_events()  # if somebody else has loaded it
    return onnxruntime
