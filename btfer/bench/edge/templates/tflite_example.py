"""Prints what model.tflite predicts for an image of one face: python example.py face.png"""

import json
import sys
import zipfile
from pathlib import Path

import cv2
from ai_edge_litert.interpreter import Interpreter

file = Path(__file__).with_name("model.tflite")
card = json.loads(zipfile.ZipFile(file).read("btfer.json"))
network = Interpreter(str(file))
network.allocate_tensors()
tensor, output = network.get_input_details()[0], network.get_output_details()[0]
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
network.set_tensor(tensor["index"], face[None].astype(tensor["dtype"]))
network.invoke()
for name, p in zip(card["classes"], network.get_tensor(output["index"])[0], strict=True):
    print(f"{name:9} {p:.3f}")
