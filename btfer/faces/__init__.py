"""Faces in a photo: MTCNN with the weights of the `mtcnn` package."""

from btfer.faces.box import LANDMARKS, Box
from btfer.faces.detector import DETECTOR, detect

__all__ = ["DETECTOR", "LANDMARKS", "Box", "detect"]
