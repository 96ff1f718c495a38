"""Writes the files that other projects write, without having those projects.

`pickle` only writes here. The classes below stand in, under the names that the real
ones have, for as long as a file is being written.
"""

import io
import itertools
import math
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from unittest import mock

import numpy as np

from pretrained.stylegan2 import Layer, Source
from pretrained.torch_files import MAGIC, PROTOCOL

MODULES = (
    *("dnnlib", "dnnlib.util", "dnnlib.tflib", "dnnlib.tflib.network"),
    *("torch", "torch._utils", "torch.storage"),
    *("torch_utils", "torch_utils.persistence"),
)
RATE = 0.01


# --- stand-ins ----------------------------------------------------------------


class EasyDict(dict):
    """A dict with attributes."""


class Network:
    """What NVIDIA's TensorFlow code pickles."""

    def __init__(self, state):
        self.__dict__.update(state)


class FloatStorage:
    """The numbers of a tensor."""

    kind = "<f4"

    def __init__(self, numbers):
        self.numbers = np.ascontiguousarray(numbers, self.kind).ravel()

    def __reduce__(self):
        return _load_from_bytes, (torch_legacy(self),)


class BFloat16Storage(FloatStorage):
    """Numbers that are the upper half of a float32."""

    kind = "<u2"


class Tensor:
    """A tensor that has its storage for itself."""

    def __init__(self, array):
        self.storage, self.shape = FloatStorage(array), np.shape(array)

    def __reduce__(self):
        strides = [math.prod(self.shape[i + 1 :]) for i in range(len(self.shape))]
        arguments = (self.storage, 0, self.shape, tuple(strides), False, OrderedDict())
        return _rebuild_tensor_v2, arguments


class Module:
    """What NVIDIA's PyTorch code pickles: source code and state."""

    def __init__(self, **attributes):
        self.state = {
            "_parameters": OrderedDict(),
            "_buffers": OrderedDict(),
            "_non_persistent_buffers_set": {"a"},
            "_modules": OrderedDict(),
            **attributes,
        }

    def __reduce__(self):
        meta = EasyDict(
            type="class",
            version=6,
            module_src="raise SystemExit('this must not run')",
            class_name="Module",
            state=self.state,
        )
        return _reconstruct_persistent_obj, (meta,)


def _load_from_bytes(data):
    raise NotImplementedError


def _rebuild_tensor_v2(*arguments):
    raise NotImplementedError


def _reconstruct_persistent_obj(meta):
    raise NotImplementedError


STAND_INS = {
    EasyDict: "dnnlib.util",
    Network: "dnnlib.tflib.network",
    FloatStorage: "torch",
    BFloat16Storage: "torch",
    _load_from_bytes: "torch.storage",
    _rebuild_tensor_v2: "torch._utils",
    _reconstruct_persistent_obj: "torch_utils.persistence",
}


class Writer(pickle.Pickler):
    """Writes under the real names; storages by persistent id if `storages` is given."""

    def __init__(self, stream, protocol, storages=None):
        super().__init__(stream, protocol)
        self.storages = storages

    def persistent_id(self, value):
        if self.storages is None or not isinstance(value, FloatStorage):
            return None
        self.storages.append(value)
        key = str(len(self.storages) - 1)
        return "storage", type(value), key, "cpu", value.numbers.size


def pickled(value, protocol=4, storages=None) -> bytes:
    """Return the value's pickle with the stand-ins under their real names."""
    modules = {name: types.ModuleType(name) for name in MODULES}
    for value_or_class, module in STAND_INS.items():
        setattr(modules[module], value_or_class.__name__, value_or_class)
    stream = io.BytesIO()
    with mock.patch.dict(sys.modules, modules):
        names = {thing: thing.__module__ for thing in STAND_INS}
        for thing, module in STAND_INS.items():
            thing.__module__ = module
        try:
            Writer(stream, protocol, storages).dump(value)
        finally:
            for thing, module in names.items():
                thing.__module__ = module
    return stream.getvalue()


# --- containers ---------------------------------------------------------------


def tensors(arrays):
    """Return the arrays as tensors, in torch's ordered dict."""
    return OrderedDict((name, Tensor(array)) for name, array in arrays.items())


def torch_zip(value, method=zipfile.ZIP_STORED) -> bytes:
    """Return what torch.save writes."""
    storages, stream = [], io.BytesIO()
    data = pickled(value, 2, storages)
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "little")
        for key, storage in enumerate(storages):
            archive.writestr(f"archive/data/{key}", storage.numbers.tobytes())
        archive.writestr("archive/version", "3\n")
    return stream.getvalue()


def torch_legacy(value) -> bytes:
    """Return what torch.save wrote before it wrote zip archives."""
    storages = []
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, PROTOCOL, system))
    data = pickled(value, 2, storages)
    keys = [str(key) for key in range(len(storages))]
    bodies = [
        struct.pack("<q", storage.numbers.size) + storage.numbers.tobytes()
        for storage in storages
    ]
    return head + data + pickle.dumps(keys, 2) + b"".join(bodies)


# --- networks -----------------------------------------------------------------


def random_source(seed=0, channels=(6, 5, 4), width=4, inputs=3, depth=2) -> Source:
    """Return a small network with random weights."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    layers, before = {}, channels[0]
    for level, now in enumerate(channels):
        size = 4 << level
        for kind in ("up", "conv", "rgb")[level == 0 :]:
            k, ends = (1, (now, 3)) if kind == "rgb" else (3, (before, now))
            noise = None if kind == "rgb" else draw(size, size)
            strength = 0.0 if kind == "rgb" else float(draw())
            styles = draw(width, ends[0]), draw(ends[0])
            kernel, bias = draw(k, k, *ends), draw(ends[1])
            layers[size, kind] = Layer(kernel, bias, *styles, noise, strength)
            before = ends[0] if kind == "rgb" else now
    widths = [inputs] + [width] * depth
    dense = [(draw(*pair), draw(pair[1])) for pair in itertools.pairwise(widths)]
    return Source(dense, draw(4, 4, channels[0]), layers, draw(width))


def tensorflow_arrays(source):
    """Return the network as NVIDIA's TensorFlow code names and scales it."""
    arrays = {"lod": np.float32(0), "dlatent_avg": source.mean}
    for i, (kernel, bias) in enumerate(source.dense):
        arrays[f"mapping/Dense{i}/weight"] = kernel * math.sqrt(len(kernel)) / RATE
        arrays[f"mapping/Dense{i}/bias"] = bias / RATE
    arrays["synthesis/4x4/Const/const"] = source.constant.transpose(2, 0, 1)[None]
    noises = 0
    for (size, kind), layer in source.layers.items():
        words = {"up": "Conv0_up", "conv": "Conv1" if size > 4 else "Conv"}
        name = f"synthesis/{size}x{size}/{words.get(kind, 'ToRGB')}"
        kernel = layer.kernel[::-1, ::-1] if kind == "up" else layer.kernel
        arrays[f"{name}/weight"] = kernel * math.sqrt(kernel[..., 0].size)
        arrays[f"{name}/bias"] = layer.bias
        width = len(layer.style_kernel)
        arrays[f"{name}/mod_weight"] = layer.style_kernel * math.sqrt(width)
        arrays[f"{name}/mod_bias"] = layer.style_bias - 1
        if kind != "rgb":
            arrays[f"{name}/noise_strength"] = np.float32(layer.strength)
            arrays[f"synthesis/noise{noises}"] = layer.noise[None, None]
            noises += 1
    return arrays


def tensorflow_file(arrays, settings=None) -> bytes:
    """Return the pickle of a tuple (G, D, Gs)."""

    def network(name, prefix="", **more):
        state = {
            "version": 4,
            "name": name,
            "static_kwargs": settings or {},
            "components": {},
            "build_module_src": "raise SystemExit('this must not run')",
            "build_func_name": "G_main",
            "variables": [
                (key.removeprefix(prefix), np.asarray(array, np.float32))
                for key, array in arrays.items()
                if key.startswith(prefix) and (prefix or "/" not in key)
            ],
        }
        return Network({**state, **more})

    parts = {part: network(part, f"{part}/") for part in ("mapping", "synthesis")}
    other = Network({"version": 4, "static_kwargs": {}, "variables": []})
    return pickled((other, other, network("Gs", components=parts)))


def ada_arrays(source):
    """Return the network as NVIDIA's PyTorch code names and scales it."""
    smooth = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    arrays = {"mapping.w_avg": source.mean}
    for i, (kernel, bias) in enumerate(source.dense):
        arrays[f"mapping.fc{i}.weight"] = kernel.T * math.sqrt(len(kernel)) / RATE
        arrays[f"mapping.fc{i}.bias"] = bias / RATE
    arrays["synthesis.b4.const"] = source.constant.transpose(2, 0, 1)
    for (size, kind), layer in source.layers.items():
        word = {"up": "conv0", "conv": "conv1", "rgb": "torgb"}[kind]
        name = f"synthesis.b{size}.{word}"
        gain = math.sqrt(layer.kernel.shape[2]) if kind == "rgb" else 1
        arrays[f"{name}.weight"] = layer.kernel.transpose(3, 2, 0, 1) * gain
        arrays[f"{name}.bias"] = layer.bias
        width = len(layer.style_kernel)
        arrays[f"{name}.affine.weight"] = layer.style_kernel.T * math.sqrt(width)
        arrays[f"{name}.affine.bias"] = layer.style_bias
        if kind != "rgb":
            arrays[f"{name}.noise_strength"] = np.float32(layer.strength)
            arrays[f"{name}.noise_const"] = layer.noise
            arrays[f"{name}.resample_filter"] = smooth
    return arrays


def ada_file(arrays, clamp=None, protocol=4) -> bytes:
    """Return the pickle of a dict with G, D and G_ema."""
    root = Module(z_dim=np.float64(3), _init_kwargs=EasyDict())
    for name, array in arrays.items():
        *path, last = name.split(".")
        module = root
        for step in path:
            module = module.state["_modules"].setdefault(step, Module())
            if step in ("conv0", "conv1", "torgb"):
                module.state["conv_clamp"] = clamp
        place = "_buffers" if last in ("noise_const", "w_avg") else "_parameters"
        module.state[place][last] = Tensor(array)
    content = {"G": None, "D": None, "G_ema": root, "training_set_kwargs": EasyDict()}
    return pickled(content, protocol)


def rosinality_arrays(source):
    """Return the network as the PyTorch port names and scales it."""
    arrays = {"input.input": source.constant.transpose(2, 0, 1)[None]}
    for i, (kernel, bias) in enumerate(source.dense):
        arrays[f"style.{i + 1}.weight"] = kernel.T * math.sqrt(len(kernel)) / RATE
        arrays[f"style.{i + 1}.bias"] = bias / RATE
    convolutions = ["conv1", *(f"convs.{i}" for i in range(20))]
    colours = ["to_rgb1", *(f"to_rgbs.{i}" for i in range(10))]
    noises = 0
    for (_, kind), layer in source.layers.items():
        name = (colours if kind == "rgb" else convolutions).pop(0)
        kernel = layer.kernel.transpose(3, 2, 0, 1)[None]
        width = len(layer.style_kernel)
        modulation = layer.style_kernel.T * math.sqrt(width)
        arrays[f"{name}.conv.weight"] = kernel * math.sqrt(kernel[0, 0].size)
        arrays[f"{name}.conv.modulation.weight"] = modulation
        arrays[f"{name}.conv.modulation.bias"] = layer.style_bias
        if kind == "rgb":
            arrays[f"{name}.bias"] = layer.bias[None, :, None, None]
            continue
        arrays[f"{name}.activate.bias"] = layer.bias
        arrays[f"{name}.noise.weight"] = np.float32([layer.strength])
        arrays[f"noises.noise_{noises}"] = layer.noise[None, None]
        noises += 1
    return arrays


def rosinality_value(source):
    """Return what the port's checkpoints hold."""
    state = tensors(rosinality_arrays(source))
    return {"g_ema": state, "latent_avg": Tensor(source.mean)}


def encoder_value(source):
    """Return what the checkpoints of pSp and e4e hold."""
    decoder = tensors(rosinality_arrays(source))
    state = OrderedDict((f"decoder.{name}", t) for name, t in decoder.items())
    state["encoder.input_layer.0.weight"] = Tensor(np.ones((2, 2)))
    rows = (len(source.layers) + 1) // 3 * 2
    average = np.repeat(source.mean[None], rows, 0)
    options = {"output_size": 16, "checkpoint_path": None}
    return {"state_dict": state, "latent_avg": Tensor(average), "opts": options}
