"""Prints what model.onnx predicts for an image of one face: python example.py face.png"""

import json
import sys
from pathlib import Path

import cv2
import onnxruntime

network = onnxruntime.InferenceSession(Path(__file__).with_name("model.onnx"))
card = json.loads(network.get_modelmeta().custom_metadata_map["btfer"])
face = cv2.imread(sys.argv[1], cv2.IMREAD_COLOR) if len(sys.argv) == 2 else None
if face is None:
    sys.exit(f"{' '.join(sys.argv[1:]) or 'nothing'} is no image file: python example.py face.png")
given = card["input"]
side = (given["width_px"], given["height_px"])
shrinking = cv2.INTER_AREA if min(face.shape[:2]) >= max(side) else cv2.INTER_LINEAR
resize = {"area": shrinking, "nearest": cv2.INTER_NEAREST_EXACT}[given["filter"]]
face = cv2.resize(face, side, interpolation=resize)
if given["channels"] == "RGB":  # OpenCV reads BGR
    face = cv2.cvtColor(face, cv2.COLOR_BGR2RGB)
[output] = network.run(None, {network.get_inputs()[0].name: face[None].astype("float32")})
for name, p in zip(card["classes"], output[0], strict=True):
    print(f"{name:9} {p:.3f}")
