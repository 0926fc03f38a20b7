"""MTCNN's three networks as OpenVINO runs them, built in memory from the package's weights.

Read layer by layer beside `mtcnn/network/*.py`; two things differ in form, not in result. The last layers are one:
box offsets, landmarks and the face's log-odds (the difference of the two softmax inputs) are channels of one output.
Pictures lie as [N, 3, H, W], which is OpenVINO's order, where Keras has [N, H, W, 3].
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btfer.faces.first_layer import FirstLayer
from btfer.faces.weights import Weights, read_weights

Floats = NDArray[np.float32]


class Network:
    """One network, compiled for one core; a worker is a process, so more threads would only get in its way."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._compile()

    def _compile(self) -> None:
        import openvino

        compiled = openvino.Core().compile_model(self._model, "CPU", ONE_CORE)
        self._request = compiled.create_infer_request()
        self._shapes: set[tuple[int, ...]] = set()

    def __call__(self, pictures: Floats) -> Floats:
        """Pictures, float32 [N, 3, H, W], RGB, -1 to 1 -> float32 [N, channels, ...]; overwritten by the next call."""
        self._shapes.add(pictures.shape)
        if len(self._shapes) > MAX_SHAPES:
            self._compile()
        try:
            self._request.infer({0: pictures}, share_inputs=True)
        except RuntimeError as error:  # of OpenVINO, around a C++ error
            if "alloc" not in str(error):
                raise
            raise MemoryError(str(error)) from error
        result: Floats = self._request.get_output_tensor(0).data
        return result


class ProposalNetwork:
    """PNet: its first layer compiled for this machine, the others by OpenVINO."""

    def __init__(self, weights: Weights) -> None:
        self._first = FirstLayer(weights[:FIRST_LAYER])
        layers = _Layers(weights[FIRST_LAYER:], [1, len(weights[1]), -1, -1])
        layers.conv().prelu().conv().prelu()
        self._others = Network(layers.heads_by_conv().model())

    def __call__(self, picture: Floats, parts: NDArray[np.int64]) -> Floats:
        """A canvas, float32 [3, H, W], RGB, -1 to 1 -> float32 [1, 5, rows, columns]; overwritten by the next call.

        parts: int64 [N, 4], top, left, bottom, right of each level on it; outside them the result says nothing.
        """
        return self._others(self._first(picture, parts))


FIRST_LAYER = 3  # arrays of weights: kernel, bias, slopes
MAX_SHAPES = 256  # OpenVINO keeps half a megabyte for each; then it forgets them all (0.1 s)
ONE_CORE = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_PRECISION_HINT": "f32",  # bf16, the default where a CPU has it, moves boxes
    "ENABLE_CPU_PINNING": False,
}


@dataclass(frozen=True)
class Networks:
    """The cascade's three steps. The channels of what they return:

    pnet [1, 5, rows, columns]: box offsets, log-odds. rnet [N, 5]: the same.
    onet [N, 15]: box offsets, five landmarks' x, their y, log-odds.
    """

    pnet: ProposalNetwork
    rnet: Network
    onet: Network


@cache
def networks() -> Networks:
    """The three networks, built once in a process (0.3 s)."""
    return Networks(ProposalNetwork(read_weights("pnet")), Network(_rnet()), Network(_onet()))


def _rnet() -> Any:
    layers = _Layers(read_weights("rnet"), [-1, 3, 24, 24])
    layers.conv().prelu().pool(3, "same").conv().prelu().pool(3, "valid").conv().prelu()
    return layers.flatten().dense().prelu().heads_by_dense().model()


def _onet() -> Any:
    layers = _Layers(read_weights("onet"), [-1, 3, 48, 48])
    layers.conv().prelu().pool(3, "same").conv().prelu().pool(3, "valid").conv().prelu()
    layers.pool(2, "same").conv().prelu()
    return layers.flatten().dense().prelu().heads_by_dense().model()


class _Layers:
    """A network in the making: each call adds the next layer and takes its weights from the list."""

    def __init__(self, weights: Weights, shape: list[int]) -> None:
        from openvino import opset13

        self._ops, self._weights = opset13, iter(weights)
        self._last = opset13.parameter(shape, np.float32)
        self._input = self._last

    def conv(self) -> "_Layers":
        kernel, bias = next(self._weights), next(self._weights)
        return self._convolve(kernel, bias)

    def prelu(self) -> "_Layers":
        slopes = next(self._weights).ravel()
        self._last = self._ops.prelu(self._last, slopes)
        return self

    def pool(self, size: int, padding: str) -> "_Layers":
        """Keras' max pooling with a stride of 2; "same" pads below and on the right."""
        auto = {"same": "same_upper", "valid": "valid"}[padding]
        pooled = self._ops.max_pool(
            self._last, [2, 2], [1, 1], [0, 0], [0, 0], [size, size], auto_pad=auto
        )
        self._last = pooled.output(0)
        return self

    def flatten(self) -> "_Layers":
        """Column by column, then rows, then channels: Keras' Permute((2, 1, 3)) before its Flatten."""
        turned = self._ops.transpose(self._last, [0, 3, 2, 1])
        self._last = self._ops.reshape(turned, [0, -1], special_zero=True)
        return self

    def dense(self) -> "_Layers":
        weights, bias = next(self._weights), next(self._weights)
        self._last = self._ops.add(self._ops.matmul(self._last, weights, False, False), bias)
        return self

    def heads_by_conv(self) -> "_Layers":
        return self._convolve(*_one_head(list(self._weights)))

    def heads_by_dense(self) -> "_Layers":
        weights, bias = _one_head(list(self._weights))
        self._last = self._ops.add(self._ops.matmul(self._last, weights, False, False), bias)
        return self

    def model(self) -> Any:
        import openvino

        return openvino.Model([self._last], [self._input])

    def _convolve(self, kernel: Floats, bias: Floats) -> "_Layers":
        filters = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        convolved = self._ops.convolution(
            self._last, filters, [1, 1], [0, 0], [0, 0], [1, 1], auto_pad="valid"
        )
        self._last = self._ops.add(convolved, bias.reshape(1, -1, 1, 1))
        return self


def _one_head(weights: Weights) -> tuple[Floats, Floats]:
    """All last layers as one; the two softmax inputs, always the last, become their difference."""
    kernels, biases = list(weights[0::2]), list(weights[1::2])
    kernels[-1] = kernels[-1][..., 1:] - kernels[-1][..., :1]
    biases[-1] = biases[-1][1:] - biases[-1][:1]
    return np.concatenate(kernels, axis=-1), np.concatenate(biases)
