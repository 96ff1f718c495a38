"""How fast the generator is on this machine's processor, and what half precision costs.

    python -m benchmarks.generator
    python -m benchmarks.generator --against ../stylegan2-ada-pytorch

The second command also times the PyTorch generator of that folder (its
training/networks.py or training/networks_stylegan2.py) on the plans that both can
build, in turns with ours and in the same process; it needs PyTorch. Every plan and
precision has a process of its own, whose peak memory is printed. Seconds are those of
the wall, the best of some rounds, so nothing else should run. A gradient counts as
much work as the images it is taken of.
"""

import importlib.util
import math
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated

import keras
import numpy as np
import typer
from keras import ops
from rich.console import Console
from rich.table import Table
from safetensors.numpy import load_file, save_file

from generators.gradients import compiled, differentiate
from generators.stylegan2 import Config, StyleGAN2, official
from generators.weights import arrays, assign
from retouch.training.plan import GENERATOR

PLANS = {
    "256 official": official(256),
    "1024 official": official(1024),
    f"{GENERATOR.resolution} default": GENERATOR,
}
PRECISIONS = ("float32", "mixed_bfloat16")
SIDE = 4096  # of the matrices whose product is the measure
Figures = dict[str, float]

# --- what is measured -----------------------------------------------------------


def work(config: Config) -> float:
    """Return the operations of one image's convolutions, in units of 1e9."""
    total, inputs, size = 0, 0, config.start
    for outputs in config.channels:
        # An up-convolution puts the kernel at every pixel of the smaller image.
        total += (size // 2) ** 2 * 9 * inputs * outputs
        total += size**2 * (9 * outputs + 3) * outputs
        inputs, size = outputs, 2 * size
    return 2 * total / 1e9


@dataclass(frozen=True)
class Task:
    """A plan and a precision, timed beside the reference if there is one."""

    plan: str
    precision: str
    rounds: int
    against: Path | None = None

    def measure(self) -> Figures:
        """Return seconds and peak memory; runs in a process of its own."""
        network = StyleGAN2(PLANS[self.plan], dtype=self.precision)
        calls = ours(network, latents(network.config))
        for call in calls.values():
            call()  # compiles
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1024**3 if sys.platform == "darwin" else 1024**2
        calls["product"] = product(self.precision)
        if self.against is not None:
            calls |= theirs(self.against, network.config)
        return {**best(calls, self.rounds), "memory": memory / unit}


def best(calls: dict[str, Callable[[], object]], rounds: int) -> Figures:
    """Return each call's seconds, the least of so many rounds, one after the other."""
    seconds = dict.fromkeys(calls, math.inf)
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def latents(config: Config) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, *config.latent_shape), np.float32)


def ours(network: StyleGAN2, codes: np.ndarray) -> dict[str, Callable]:
    """Return what decodes one latent, and what also takes the gradient to it."""

    def loss(codes):
        return ops.mean(ops.square(network.decode(codes))), None

    decode, slope = compiled(network.decode), compiled(lambda x: differentiate(loss, x))
    codes = ops.convert_to_tensor(codes)
    return {
        "forward": lambda: ops.convert_to_numpy(decode(codes)),
        "both": lambda: ops.convert_to_numpy(slope(codes)[1]),
    }


def product(precision: str) -> Callable:
    kind = precision.removeprefix("mixed_")
    matrix = ops.cast(np.random.default_rng(0).random((SIDE, SIDE), np.float32), kind)
    # One number comes back: the rest of the product need not be copied.
    multiply = compiled(lambda x: ops.matmul(x, x)[0, 0])
    return lambda: float(multiply(matrix))


# --- the reference --------------------------------------------------------------


def reference(folder: Path) -> ModuleType:
    """Import the folder's networks without mistaking its packages for ours."""
    if importlib.util.find_spec("torch") is None:
        raise typer.BadParameter("The reference needs PyTorch: pip install torch.")
    files = [
        folder / "training" / f"{n}.py" for n in ("networks", "networks_stylegan2")
    ]
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        raise typer.BadParameter(f"{folder} has neither of {[str(f) for f in files]}.")
    spec = importlib.util.spec_from_file_location("reference_networks", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(folder))
    spec.loader.exec_module(module)
    return module


def theirs(folder: Path, config: Config) -> dict[str, Callable]:
    """Return the reference's two calls, with fused modulation and without."""
    import torch

    network = reference(folder).Generator(
        z_dim=config.inputs,
        c_dim=0,
        w_dim=config.width,
        img_resolution=config.resolution,
        img_channels=3,
        mapping_kwargs={"num_layers": config.depth},
        synthesis_kwargs={"channel_base": 32768, "channel_max": 512, "num_fp16_res": 0},
    )
    network.eval().requires_grad_(False)
    codes = torch.from_numpy(latents(config))

    def forward(fused: bool):
        with torch.no_grad():
            network.synthesis(codes, noise_mode="const", fused_modconv=fused)

    def both(fused: bool):
        own = codes.clone().requires_grad_()
        images = network.synthesis(own, noise_mode="const", fused_modconv=fused)
        torch.autograd.grad(images.square().mean(), own)

    return {
        f"their {call.__name__}{' fused' * fused}": lambda c=call, f=fused: c(f)
        for call in (forward, both)
        for fused in (False, True)
    }


# --- precision and start --------------------------------------------------------


def rounding(plan: str) -> Figures:
    """Return how far bfloat16's image and gradient are from float32's."""
    keras.utils.set_random_seed(0)
    exact = StyleGAN2(PLANS[plan])
    rough = StyleGAN2(PLANS[plan], dtype="mixed_bfloat16")
    assign(rough, arrays(exact))
    found = [
        [call() for call in ours(network, latents(exact.config)).values()]
        for network in (exact, rough)
    ]
    (image, slope), (image_16, slope_16) = found
    lengths = np.linalg.norm(slope) * np.linalg.norm(slope_16)
    return {
        "error": float(np.sqrt(np.mean((image_16 - image) ** 2)) / image.std()),
        "cosine": float(np.sum(slope * slope_16) / lengths),
    }


def store(plan: str, path: Path) -> None:
    """Keep random weights as files have them, in half precision."""
    weights = arrays(StyleGAN2(PLANS[plan]))
    save_file({name: a.astype(np.float16) for name, a in weights.items()}, path)


def start(plan: str, path: Path, began: float) -> float:
    """Return the seconds from before this process to the first picture."""
    network = StyleGAN2(PLANS[plan])
    weights = load_file(path)
    assign(network, {name: a.astype(np.float32) for name, a in weights.items()})
    ops.convert_to_numpy(compiled(network.decode)(latents(network.config)))
    return time.time() - began


# --- the table ------------------------------------------------------------------


def alone(function: Callable, *arguments):
    """Return what a function gives in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(function, *arguments).result()


def cells(task: Task, found: Figures) -> list[str]:
    """Return a row of the table."""
    amount, speed = work(PLANS[task.plan]), 2 * SIDE**3 / 1e9 / found["product"]
    rates = [amount / found["forward"], 2 * amount / found["both"]]
    row = [task.plan, task.precision.removeprefix("mixed_")]
    row += [f"{found['forward']:.3f}", f"{found['both']:.3f}", f"{found['memory']:.2f}"]
    row += [" / ".join(f"{rate:.0f}" for rate in rates)]
    row += [f"{speed:.0f}", " / ".join(f"{rate / speed:.0%}" for rate in rates)]
    for name in ("forward", "both"):
        other = [value for key, value in found.items() if f"their {name}" in key]
        row += [f"{min(other):.3f}, {min(other) / found[name]:.2f} x"] if other else []
    return row


def main(
    against: Annotated[
        Path | None, typer.Option(help="Folder of a PyTorch reference.")
    ] = None,
    rounds: int = 5,
    plan: Annotated[list[str] | None, typer.Option(help="Only these plans.")] = None,
) -> None:
    """Time the generator, and the reference if there is one."""
    if against is not None:
        reference(against)  # if it cannot be imported, say so at once
    columns = ["plan", "precision", "forward s", "+ gradient s", "peak GiB", "GFLOP/s"]
    columns += ["product's", "share"]
    table = Table(*columns, *(["theirs, forward", "+ gradient"] if against else []))
    for name in plan or PLANS:
        known = against if name.endswith("official") else None
        for precision in PRECISIONS:
            task = Task(name, precision, rounds, known)
            table.add_row(*cells(task, alone(task.measure)))
    console = Console(width=140)
    console.print(table)
    for name in plan or PLANS:
        found = alone(rounding, name)
        console.print(
            f"bfloat16 at {name}: error {found['error']:.4f} of the image's standard"
            f" deviation; cosine of the gradients {found['cosine']:.5f}."
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        alone(store, "1024 official", path)
        seconds = alone(start, "1024 official", path, time.time())
    console.print(f"From nothing to the first picture of 1024 px: {seconds:.1f} s.")


if __name__ == "__main__":
    keras.config.disable_interactive_logging()
    typer.run(main)
