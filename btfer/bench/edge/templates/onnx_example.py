"""Prints what model.onnx predicts for an image of one face: python example.py face.png"""

import json
import sys
from pathlib import Path

import cv2
import onnxruntime

network = onnxruntime.InferenceSession(Path(__file__).with_name("model.onnx"))
card = json.loads(network.get_modelmeta().custom_metadata_map["btfer"])
side = (card["input"]["width_px"], card["input"]["height_px"])
face = cv2.cvtColor(cv2.imread(sys.argv[1]), cv2.COLOR_BGR2RGB)
face = cv2.resize(face, side, interpolation=cv2.INTER_AREA)
[output] = network.run(None, {network.get_inputs()[0].name: face[None].astype("float32")})
for name, p in zip(card["classes"], output[0], strict=True):
    print(f"{name:9} {p:.3f}")
