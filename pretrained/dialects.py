"""How the weights of StyleGAN2 are named and scaled in other people's files."""

import math
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pretrained.stylegan2 import RESOLUTIONS, Layer, Source, Weights
from retouch.errors import WeightsError

MAPPING_RATE = 0.01  # the mapping's learning rate relative to the rest

LayerReader = Callable[[int, str], Layer]
Dense = list[tuple[np.ndarray, np.ndarray]]


# --- NVIDIA's TensorFlow pickles ----------------------------------------------


def read_tensorflow(network: Mapping[str, Any]) -> Source:
    """Read the state of a `Gs` network: its own variables and its two components'."""
    settings = network.get("static_kwargs", {})
    _check_settings(settings)
    weights = Weights(_variables(network))
    rate = settings.get("mapping_lrmul", MAPPING_RATE)
    dense: Dense = []
    while f"mapping/Dense{len(dense)}/weight" in weights:
        name = f"mapping/Dense{len(dense)}"
        kernel = weights.take(f"{name}/weight", None, None)
        kernel = kernel * np.float32(rate / math.sqrt(len(kernel)))
        bias = weights.take(f"{name}/bias", kernel.shape[1])
        dense.append((kernel, bias * np.float32(rate)))
    constant = weights.take("synthesis/4x4/Const/const", 1, None, 4, 4)
    width = _width(dense)

    def layer(size: int, kind: str) -> Layer:
        return _tensorflow_layer(weights, size, kind, width)

    mean = weights.take("dlatent_avg", width)
    weights.left -= {"lod", "mapping/lod", "synthesis/lod"}  # of training alone
    named = "synthesis/{0}x{0}/ToRGB/weight".format
    layers = _layers(layer, constant.shape[1], lambda n: named(n) in weights)
    weights.check_all_taken()
    clamp = _clamp([settings.get("conv_clamp")])
    return Source(dense, constant[0].transpose(1, 2, 0), layers, mean, clamp)


def _check_settings(settings: Mapping[str, Any]) -> None:
    usual = {
        "label_size": (0,),
        "num_channels": (3,),
        "architecture": ("skip",),
        "nonlinearity": ("lrelu",),
        "mapping_nonlinearity": ("lrelu",),
        "normalize_latents": (True,),
        "resample_kernel": ([1, 3, 3, 1], (1, 3, 3, 1)),
    }
    for name, values in usual.items():
        if name in settings and settings[name] not in values:
            raise WeightsError(
                f"it was trained with {name} = {reprlib.repr(settings[name])};"
                f" only {values[0]} is read."
            )


def _variables(network: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(_named(network))
    for part in ("mapping", "synthesis"):
        found = network.get("components", {}).get(part, {})
        result |= {f"{part}/{name}": value for name, value in _named(found).items()}
    if any("StyleMod" in name or "ToRGB_lod" in name for name in result):
        raise WeightsError("it is a network of the first StyleGAN, not of StyleGAN2.")
    return result


def _named(network: Mapping[str, Any]) -> dict[str, Any]:
    pairs = list(network.get("variables", []))
    if not all(isinstance(name, str) for name, _ in pairs):
        raise WeightsError("its variables have names that are no words.")
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WeightsError("two of its weights have the same name.")
    return result


def _tensorflow_layer(weights: Weights, size: int, kind: str, width: int) -> Layer:
    plain = "Conv" if size == 4 else "Conv1"
    word = {"up": "Conv0_up", "conv": plain, "rgb": "ToRGB"}[kind]
    name = f"synthesis/{size}x{size}/{word}"
    side = 1 if kind == "rgb" else 3
    kernel = weights.take(f"{name}/weight", side, side, None, None)
    inputs, outputs = kernel.shape[2:]
    kernel = kernel / np.float32(math.sqrt(kernel[..., 0].size))
    modulation = weights.take(f"{name}/mod_weight", width, inputs)
    noise, strength = None, 0.0
    index = 2 * size.bit_length() - 6 - (kind == "up")
    if kind != "rgb" and f"{name}/noise_strength" in weights:
        strength = float(weights.take(f"{name}/noise_strength"))
        noise = weights.take(f"synthesis/noise{index}", 1, 1, size, size)[0, 0]
    return Layer(
        kernel[::-1, ::-1] if kind == "up" else kernel,
        weights.take(f"{name}/bias", outputs),
        modulation / np.float32(math.sqrt(width)),
        weights.take(f"{name}/mod_bias", inputs) + 1,
        noise,
        strength,
    )


# --- NVIDIA's PyTorch pickles -------------------------------------------------


def read_ada(network: Mapping[str, Any]) -> Source:
    """Read the state of a `G_ema`: modules within modules, with their arrays."""
    arrays, settings = flatten(network)
    if any(name.startswith("synthesis.input.") for name in arrays):
        raise WeightsError("it is a network of StyleGAN3, not of StyleGAN2.")
    if "mapping.embed.weight" in arrays:
        raise WeightsError("it is conditioned on labels, which is not read.")
    weights = Weights(arrays)
    for name in arrays:
        if name.endswith("resample_filter"):
            weights.take_filter(name)
    dense = _ada_mapping(weights, settings)
    constant = weights.take("synthesis.b4.const", None, 4, 4)
    width = _width(dense)

    def layer(size: int, kind: str) -> Layer:
        return _ada_layer(weights, size, kind, width)

    mean = weights.take("mapping.w_avg", width)
    named = "synthesis.b{}.torgb.weight".format
    layers = _layers(layer, len(constant), lambda n: named(n) in weights)
    weights.check_all_taken()
    clamp = _clamp(_bounds(settings))
    return Source(dense, constant.transpose(1, 2, 0), layers, mean, clamp)


def flatten(network: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a module's arrays, and its other values, by dotted names."""
    arrays: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    waiting = [("", network)]
    while waiting:
        prefix, module = waiting.pop()
        state = module["state"]
        parts = [state.get(name, {}) for name in ("_parameters", "_buffers")]
        inner = state.get("_modules", {})
        if len(prefix) > 200:
            raise WeightsError("its modules are nested too deep.")
        for part in parts:
            arrays |= {prefix + k: v for k, v in part.items() if v is not None}
        settings |= {prefix + name: value for name, value in state.items()}
        waiting += [(f"{prefix}{name}.", module) for name, module in inner.items()]
    return arrays, settings


def _ada_mapping(weights: Weights, settings: Mapping[str, Any]) -> Dense:
    dense: Dense = []
    while f"mapping.fc{len(dense)}.weight" in weights:
        name = f"mapping.fc{len(dense)}"
        kernel = weights.take(f"{name}.weight", None, None).T
        rate = settings.get(f"{name}.bias_gain", MAPPING_RATE)
        gain = rate / math.sqrt(len(kernel))
        if not math.isclose(settings.get(f"{name}.weight_gain", gain), gain):
            raise WeightsError(f"its {name} scales weights and biases differently.")
        bias = weights.take(f"{name}.bias", kernel.shape[1])
        dense.append((kernel * np.float32(gain), bias * np.float32(rate)))
    return dense


def _ada_layer(weights: Weights, size: int, kind: str, width: int) -> Layer:
    word = {"up": "conv0", "conv": "conv1", "rgb": "torgb"}[kind]
    name = f"synthesis.b{size}.{word}"
    side = 1 if kind == "rgb" else 3
    kernel = weights.take(f"{name}.weight", None, None, side, side)
    kernel = kernel.transpose(2, 3, 1, 0)
    inputs, outputs = kernel.shape[2:]
    if kind == "rgb":  # applied to the styles there; demodulated layers have none
        kernel = kernel / np.float32(math.sqrt(inputs))
    modulation = weights.take(f"{name}.affine.weight", inputs, width).T
    noise, strength = None, 0.0
    if kind != "rgb" and f"{name}.noise_strength" in weights:
        strength = float(weights.take(f"{name}.noise_strength"))
        noise = weights.take(f"{name}.noise_const", size, size)
    return Layer(
        kernel,
        weights.take(f"{name}.bias", outputs),
        modulation / np.float32(math.sqrt(width)),
        weights.take(f"{name}.affine.bias", inputs),
        noise,
        strength,
    )


def _bounds(settings: Mapping[str, Any]) -> list[Any]:
    """Return what the layers clamp at, or else what they were to."""
    found = [v for name, v in settings.items() if name.endswith(".conv_clamp")]
    if found:
        return found
    wanted = settings.get("_init_kwargs", {}).get("synthesis_kwargs", {})
    return [wanted.get("conv_clamp")]


# --- the PyTorch port ---------------------------------------------------------


def read_rosinality(state: Mapping[str, Any], mean: Any = None) -> Source:
    """Read the state of a `g_ema`, or the decoder of an encoder's file."""
    weights = Weights(state)
    for name in state:
        if name.endswith(("blur.kernel", "upsample.kernel")):
            weights.take_filter(name)
    dense: Dense = []
    while f"style.{len(dense) + 1}.weight" in weights:
        name = f"style.{len(dense) + 1}"
        kernel = weights.take(f"{name}.weight", None, None).T
        kernel = kernel * np.float32(MAPPING_RATE / math.sqrt(len(kernel)))
        bias = weights.take(f"{name}.bias", kernel.shape[1])
        dense.append((kernel, bias * np.float32(MAPPING_RATE)))
    constant = weights.take("input.input", 1, None, 4, 4)
    width = _width(dense)

    def layer(size: int, kind: str) -> Layer:
        return _rosinality_layer(weights, size, kind, width)

    layers = _layers(
        layer,
        constant.shape[1],
        lambda n: f"{_rosinality_name(n, 'rgb')}.bias" in weights,
    )
    weights.check_all_taken()
    average = None if mean is None else _average(mean, len(layers), width)
    return Source(dense, constant[0].transpose(1, 2, 0), layers, average)


def _rosinality_name(size: int, kind: str) -> str:
    level = size.bit_length() - 4  # 0 at 8 px
    if size == 4:
        return {"conv": "conv1", "rgb": "to_rgb1"}[kind]
    if kind == "rgb":
        return f"to_rgbs.{level}"
    return f"convs.{2 * level + (kind == 'conv')}"


def _rosinality_layer(weights: Weights, size: int, kind: str, width: int) -> Layer:
    name, side = _rosinality_name(size, kind), 1 if kind == "rgb" else 3
    kernel = weights.take(f"{name}.conv.weight", 1, None, None, side, side)[0]
    kernel = kernel.transpose(2, 3, 1, 0)
    inputs, outputs = kernel.shape[2:]
    modulation = weights.take(f"{name}.conv.modulation.weight", inputs, width).T
    noise, strength = None, 0.0
    if kind == "rgb":
        bias = weights.take(f"{name}.bias", 1, outputs, 1, 1).ravel()
    else:
        bias = weights.take(f"{name}.activate.bias", outputs)
        strength = float(weights.take(f"{name}.noise.weight", 1)[0])
        index = 2 * size.bit_length() - 6 - (kind == "up")
        noise = weights.take(f"noises.noise_{index}", 1, 1, size, size)[0, 0]
    return Layer(
        kernel / np.float32(math.sqrt(kernel[..., 0].size)),
        bias,
        modulation / np.float32(math.sqrt(width)),
        weights.take(f"{name}.conv.modulation.bias", inputs),
        noise,
        strength,
    )


def _average(mean: Any, layers: int, width: int) -> np.ndarray:
    """Return the average latent, (width,) or with a row a style."""
    rows = (layers + 1) // 3 * 2
    if not isinstance(mean, np.ndarray) or mean.shape not in (
        (width,),
        (1, width),
        (rows, width),
    ):
        raise WeightsError("its average latent does not fit the network.")
    return Weights({"latent_avg": mean}).take("latent_avg", *mean.shape)


# --- what they share ----------------------------------------------------------


def _clamp(found: list[Any]) -> float | None:
    """Return the bound of the activations; every layer must have the same."""
    if not all(bound is None or isinstance(bound, int | float) for bound in found):
        raise WeightsError("its layers clamp at something that is no number.")
    if len(set(found)) > 1:
        raise WeightsError("its layers clamp at different values, which is not read.")
    return None if found[0] is None else float(found[0])


def _width(dense: Dense) -> int:
    if not dense:
        raise WeightsError("it has no mapping, so it is no StyleGAN2 that is known.")
    width = dense[-1][0].shape[1]
    shapes = [kernel.shape for kernel, _ in dense]
    if any(shape != (width, width) for shape in shapes[1:]) or shapes[0][1] != width:
        raise WeightsError("its mapping has layers of different widths.")
    return width


def _layers(
    read: LayerReader, channels: int, present: Callable[[int], bool]
) -> dict[tuple[int, str], Layer]:
    """Read all layers, small to large; each takes what the one before gives."""
    sizes = [4]
    while sizes[-1] * 2 in RESOLUTIONS and present(sizes[-1] * 2):
        sizes.append(sizes[-1] * 2)
    if len(sizes) == 1:
        raise WeightsError("it has no layers beyond 4 px.")
    layers: dict[tuple[int, str], Layer] = {}
    for size in sizes:
        for kind in ("conv", "rgb") if size == 4 else ("up", "conv", "rgb"):
            layer = layers[size, kind] = read(size, kind)
            inputs, outputs = layer.kernel.shape[2:]
            if inputs != channels or (kind == "rgb" and outputs != 3):
                raise WeightsError(f"its layers of {size} px do not fit each other.")
            channels = channels if kind == "rgb" else outputs
    return layers
