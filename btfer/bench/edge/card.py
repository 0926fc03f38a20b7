"""What an exported network says of itself: classes, input, where it comes from. Importing this loads no runtime.

A TFLite file carries its card as `btfer.json` and `labels.txt` in a zip archive at its end, the place
where TFLite's own metadata keep associated files; an ONNX file in its metadata_props.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

from btfer.errors import MissingExtra
from btfer.parsing import parse_json

CARD, LABELS, KEY = "btfer.json", "labels.txt", "btfer"


def add_card(file: Path, card: dict[str, Any]) -> None:
    """Put a card into a file that has none yet."""
    text = json.dumps(card, indent=2)
    if file.suffix == ".onnx":
        import onnx

        model = onnx.load(str(file))
        onnx.helper.set_model_props(model, {KEY: text, "labels": ",".join(card["classes"])})
        onnx.save(model, str(file))
        return
    with zipfile.ZipFile(file, "a") as archive:
        for name, part in ((CARD, text), (LABELS, "\n".join(card["classes"]) + "\n")):
            # A fixed time: the same network gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part)


def read_card(file: Path) -> dict[str, Any] | None:
    """The card of a file; None where it has none. Raises MissingExtra for ONNX without its package."""
    if file.suffix == ".onnx":
        return _onnx_card(file)
    if not zipfile.is_zipfile(file):
        return None
    with zipfile.ZipFile(file) as archive:
        if CARD not in archive.namelist():  # a .keras file is an archive too
            return None
        return dict(parse_json(archive.read(CARD)))


def _onnx_card(file: Path) -> dict[str, Any] | None:
    try:
        import onnx
    except ImportError:
        raise MissingExtra("an ONNX file", "export") from None
    props = {one.key: one.value for one in onnx.load(str(file)).metadata_props}
    return dict(parse_json(props[KEY])) if KEY in props else None
