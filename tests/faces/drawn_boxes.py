"""Boxes as MTCNN reports them, with landmarks where they are in most faces."""

from btfer.faces import Box

# In shares of the box's width and height.
USUAL = {
    "left_eye": (0.27, 0.39),
    "right_eye": (0.73, 0.39),
    "nose": (0.50, 0.59),
    "mouth_left": (0.30, 0.75),
    "mouth_right": (0.70, 0.75),
}


def face_box(
    x: float = 200,
    y: float = 100,
    width: float = 100,
    height: float = 130,
    probability: float = 0.999,
    **moved: tuple[float, float],
) -> Box:
    """A box; moved: landmarks that are elsewhere, in shares of the box."""
    landmarks = {
        name: (x + right * width, y + down * height)
        for name, (right, down) in (USUAL | moved).items()
    }
    return Box(x, y, width, height, probability, landmarks)
