"""Networks that are written for a builder, built in Keras to be trained."""

from collections.abc import Callable
from typing import Any

from keras import Input, Model, layers

NETWORK = Callable[[Any, Any], Any]


class KerasBuilder:
    """Makes layers of Keras; `pretrained.forward` has its counterpart."""

    def conv(
        self,
        x: Any,
        name: str,
        channels: int,
        size: int,
        stride: int = 1,
        act: bool = False,
    ) -> Any:
        layer = layers.Conv2D(channels, size, stride, "same", name=name)
        return self._after(layer(x), act)

    def depthwise(
        self, x: Any, name: str, size: int, stride: int = 1, act: bool = False
    ) -> Any:
        layer = layers.DepthwiseConv2D(size, stride, "same", name=name)
        return self._after(layer(x), act)

    def add(self, x: Any, y: Any) -> Any:
        return layers.Add()([x, y])

    def relu(self, x: Any) -> Any:
        return layers.ReLU(6.0)(x)

    def doubled(self, x: Any) -> Any:
        return layers.UpSampling2D(2, interpolation="bilinear")(x)

    def _after(self, x: Any, act: bool) -> Any:
        return self.relu(x) if act else x


def built(network: NETWORK, size: int | None, name: str, channels: int = 3) -> Model:
    """Return the Keras model of a network for images of a size, or of any."""
    images = Input((size, size, channels))
    return Model(images, network(KerasBuilder(), images), name=name)
