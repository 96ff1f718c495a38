"""Networks ready for use: built from their row's configuration, given their weights."""

import dataclasses
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pretrained import backend, catalogue, directions, fetching, importing
from pretrained.files import digest, read
from pretrained.registry import Library, Row, check_name, home
from retouch.errors import WeightsError

# The module that holds an architecture's Config, and the class it configures.
ARCHITECTURES = {
    "expression-mask": ("generators.expression_mask", "ExpressionMask"),
    "stylegan2": ("generators.stylegan2", "StyleGAN2"),
    "compact": ("encoders.compact", "Compact"),
    "irse": ("encoders.irse", "Irse"),
    "glow": ("generators.glow", "Glow"),
    "vae": ("generators.vae", "VAE"),
    "cvae": ("generators.cvae", "CVAE"),
    "vqvae": ("generators.vqvae", "VQVAE"),
    "sight": ("encoders.vae", "Sight"),
    "maps": ("encoders.vqvae", "Maps"),
    "finisher": ("generators.finisher", "Finisher"),
}


def load(library: Library, name: str, kind: str | None = None) -> Any:
    """Return the network of that name."""
    row = library.row(name, kind)
    if row.architecture not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise WeightsError(
            f"'{name}' is of the architecture '{row.architecture}', which this version"
            f" of retouch does not know. Known: {known}."
        )
    weights = library.weights(name)
    module, network = ARCHITECTURES[row.architecture]
    backend.start()
    code = importlib.import_module(module)
    with refusing(name):
        model = getattr(code, network)(code.Config(**_frozen(row.config)))
        importlib.import_module("generators.weights").assign(model, weights)
    return model


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Refuse weights from which the block cannot build their network."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise WeightsError(
            f"The weights of '{name}' do not fit its configuration ({error})."
            " Remove it and import it again."
        ) from None


def load_traits(library: Library, name: str) -> Any:
    """Return the reader of latents of that name."""
    from scorers.latent import LatentTraits, Space

    arrays = _arrays(library, name)
    with _of_its_kind(name):
        space = Space(*(arrays.pop(key) for key in ("mean", "axes", "spread")))
        return LatentTraits(space, _names(library, name), **arrays)


def load_moves(library: Library, name: str) -> Any:
    """Return the moves of that name."""
    from scorers.moves import Moves

    arrays = _arrays(library, name)
    with _of_its_kind(name):
        own = [arrays.pop(key) for key in ("together", "mean", "spread", "rest")]
        styles = library.row(name, "scorer").config["styles"]
        return Moves(_names(library, name), *own, arrays, styles)


def load_action_units(library: Library, name: str = "expression") -> Any:
    """Return the reader of action units of that name, and of expressions in it."""
    from scorers.action_units import ActionUnits
    from scorers.expression import Expressions

    arrays = _arrays(library, name)
    with _of_its_kind(name):
        own = {key: arrays.pop(key) for key in ("low", "high", "creased")}
        own["spread"] = arrays.pop("unit_spread")
        return ActionUnits(Expressions(**arrays), **own)


def load_judge(library: Library, name: str) -> Any:
    """Return the judge of that name."""
    from scorers.judge import Judge

    with _of_its_kind(name):
        return Judge(_names(library, name), **_arrays(library, name))


def load_shape(library: Library, name: str) -> Any:
    """Return the reader of faces' shapes of that name."""
    from scorers.guide import Shape

    with _of_its_kind(name):
        return Shape(**_arrays(library, name))


def _arrays(library: Library, name: str) -> dict[str, Any]:
    return dict(library.weights(name, "scorer"))


def _names(library: Library, name: str) -> tuple[str, ...]:
    return tuple(library.row(name, "scorer").config.get("names", ()))


@contextmanager
def _of_its_kind(name: str) -> Iterator[None]:
    """Refuse weights that are not those of what is built in the block."""
    try:
        yield
    except (KeyError, TypeError) as error:
        raise WeightsError(
            f"The weights of '{name}' are not those of its kind ({error})."
            " Install retouch anew."
        ) from None


def import_file(
    library: Library,
    path: Path,
    name: str,
    *,
    licence: str = "unknown",
    family: str | None = None,
    crop: str = "ffhq",
    half: bool = False,
) -> Row:
    """Keep the generator or the directions of another project's file under a name."""
    check_name(name)
    row = Row(
        name,
        "generator",
        f"{name}.safetensors",
        licence=licence,
        source=path.name,
        source_sha256=digest(path) if path.exists() else "",
    )
    data = read(path)
    if _holds_directions(data):
        found = directions.convert(data, path, name, family)
        row = dataclasses.replace(row, kind="directions", family=found[0].family)
        vectors = {direction.name: direction.vector for direction in found}
        return library.add(row, vectors, half=half)
    encoder, left_out = importing.encoder_in(data, path)
    network = importing.convert(data, path, crop)
    row = dataclasses.replace(
        row,
        architecture="stylegan2",
        config=network.config,
        source=f"{path.name} ({network.origin}{left_out})",
        family=family or name,
        resolution=network.config["resolution"],
        crop=crop,
    )
    if encoder is None:
        return library.add(row, network.weights, half=half)
    rows, width = 2 * len(network.config["channels"]), network.config["width"]
    if (encoder.config["layers"], encoder.config["width"]) != (rows, width):
        raise WeightsError(
            f"{path} was refused: its encoder gives {encoder.config['layers']} rows of"
            f" {encoder.config['width']}, its generator takes {rows} of {width}."
            f" {importing.REMEDY}"
        )
    return _add_both(library, row, network.weights, encoder, half)


def _add_both(
    library: Library, row: Row, weights: dict[str, Any], encoder: Any, half: bool
) -> Row:
    """Keep a generator and the encoder that came with it, or neither."""
    name = f"{row.name}-encoder"
    library.check_free(name)
    row = library.add(row, weights, half=half)
    beside = dataclasses.replace(
        row,
        name=name,
        file=f"{name}.safetensors",
        kind="encoder",
        architecture="irse",
        config=encoder.config,
        resolution=encoder.config["resolution"],
    )
    try:
        library.add(beside, encoder.weights, half=half)
    except BaseException:
        library.remove(row.name)
        raise
    return row


def fetch(
    library: Library, name: str, progress: fetching.Progress | None = None
) -> Row:
    """Download a published network and keep it under its name."""
    entry = catalogue.published(name)
    if name in {row.name for row in library.rows()}:
        return library.verify(name)
    path = fetching.fetch(entry, home() / "downloads", progress)
    return import_file(
        library, path, name, licence=entry.licence, family=entry.family, crop="ffhq"
    )


def _holds_directions(data: Any) -> bool:
    if not isinstance(data, dict):
        return hasattr(data, "shape")
    return any({a, b} <= data.keys() for a, b in directions.COMPONENTS)


def _frozen(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with tuples, which JSON keeps as lists."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
