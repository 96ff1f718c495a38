"""Several devices at one step: each takes a part of the batch.

The networks are copied to all of them. Of Keras' backends JAX can do this.
"""

from collections.abc import Mapping

import keras

from retouch.contracts import Tensor
from retouch.errors import SettingsError

SHARED = ("images", "noise")  # what is parted; all else goes to every device


def use_all(batch: int) -> None:
    """Part batches between all devices there are, if there are several."""
    if keras.backend.backend() != "jax":
        return
    count = len(keras.distribution.list_devices())
    if batch % count:
        raise SettingsError(
            f"A batch of {batch} cannot be parted between {count} devices. Choose a"
            f" multiple of {count}, or hide some of them."
        )
    if count > 1:
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(auto_shard_dataset=False)
        )


def part(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a step's inputs as tensors, parted between the devices."""
    tensors = {name: keras.ops.convert_to_tensor(x) for name, x in inputs.items()}
    distribution = keras.distribution.distribution()
    if distribution is None:
        return tensors
    shared = {
        name: keras.distribution.distribute_tensor(
            tensors[name], distribution.get_data_layout(tensors[name].shape)
        )
        for name in SHARED
    }
    return {name: copied(x) for name, x in tensors.items()} | shared


def copied(tensor: Tensor) -> Tensor:
    """Return a tensor that every device has in whole."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return tensor
    axes = [None] * len(tensor.shape)
    layout = keras.distribution.TensorLayout(axes, distribution.device_mesh)
    return keras.distribution.distribute_tensor(tensor, layout)
