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
given, output = network.get_input_details()[0], network.get_output_details()[0]
face = cv2.cvtColor(cv2.imread(sys.argv[1]), cv2.COLOR_BGR2RGB)
side = (card["input"]["width_px"], card["input"]["height_px"])
face = cv2.resize(face, side, interpolation=cv2.INTER_AREA)
network.set_tensor(given["index"], face[None].astype(given["dtype"]))
network.invoke()
for name, p in zip(card["classes"], network.get_tensor(output["index"])[0], strict=True):
    print(f"{name:9} {p:.3f}")
