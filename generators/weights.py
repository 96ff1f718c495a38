"""A network's weights by name, as they are kept in files."""

import keras
import numpy as np


def variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the model's variables, named like "b8.conv.kernel"."""
    prefix = f"{model.name}/"
    names = [v.path.removeprefix(prefix).replace("/", ".") for v in model.weights]
    return dict(zip(names, model.weights, strict=True))


def arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Return the model's weights as arrays."""
    return {
        name: keras.ops.convert_to_numpy(keras.ops.copy(variable.value))
        for name, variable in variables(model).items()
    }


def assign(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Give the model all its weights; names and shapes must be the model's own."""
    own = variables(model)
    if different := sorted(own.keys() ^ weights.keys()):
        raise ValueError(f"The weights do not fit the network: {different[:3]} ...")
    for name, variable in own.items():
        if tuple(variable.shape) != weights[name].shape:
            raise ValueError(
                f"{name} has the shape {weights[name].shape},"
                f" the network wants {tuple(variable.shape)}."
            )
    for name, variable in own.items():
        variable.assign(weights[name])
