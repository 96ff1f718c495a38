"""The bytes of our models, as the package `onnx` reads and checks them."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from pretrained import onnx_files

FEW = np.arange(-3, 3, dtype=np.float32).reshape(2, 3)
WHOLE = np.array([-1, 0, 2**40], np.int64)
ENDS = ["x", "", "y"], ["z", "w"]
WAYS = {"alpha": 0.25, "axis": -1, "mode": "linear", "pads": [0, 1, 2, 300]}


@pytest.fixture
def model():
    nodes = [
        onnx_files.node("Mul", ["inputs", "few"], ["wide"], {}),
        onnx_files.node("LeakyRelu", ["wide"], ["result"], {"alpha": 0.25}),
    ]
    kept = [onnx_files.tensor("few", FEW)]
    taken, given = [("inputs", ["a", "b"]), ("more", [])], [("result", None)]
    ends = ([onnx_files.value(*each) for each in some] for some in (taken, given))
    whole = onnx_files.graph("network", nodes, kept, *ends)
    return onnx.load_model_from_string(onnx_files.model(whole, 17, 8))


def test_a_model_is_what_the_format_wants(model):
    model.graph.output[0].type.tensor_type.shape.SetInParent()
    onnx.checker.check_model(model)
    assert model.ir_version == 8 and model.opset_import[0].version == 17
    assert [node.op_type for node in model.graph.node] == ["Mul", "LeakyRelu"]
    taken, more = model.graph.input
    assert more.name == "more" and not more.type.tensor_type.shape.dim
    lengths = taken.type.tensor_type.shape.dim
    assert [length.dim_param for length in lengths] == ["a", "b"]
    assert taken.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


@pytest.mark.parametrize("array", [FEW, WHOLE, np.float32(3), np.zeros((0, 2), "f4")])
def test_arrays_come_back(array):
    told = onnx.TensorProto.FromString(onnx_files.tensor("x", np.asarray(array)))
    back = numpy_helper.to_array(told)
    assert told.name == "x" and back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_of_an_array_that_is_given_apart_the_shape_is_told():
    told = onnx.TensorProto.FromString(onnx_files.tensor("x", FEW, apart=True))
    assert list(told.dims) == [2, 3] and not told.raw_data
    assert told.data_location == onnx.TensorProto.EXTERNAL
    assert [(e.key, e.value) for e in told.external_data] == [("location", "memory")]


def test_attributes_are_as_the_package_writes_them():
    told = onnx.NodeProto.FromString(onnx_files.node("Any", *ENDS, WAYS))
    expected = onnx.helper.make_node("Any", *ENDS, **WAYS)
    assert told.input == expected.input and told.output == expected.output
    by_name = {each.name: each for each in told.attribute}
    assert by_name == {each.name: each for each in expected.attribute}
