"""Pairs of pictures with the truth: copies of a photo, and the same photo with another expression.

Another expression is made in the pixels of the face alone: the corners of the mouth are bent, or another
person's mouth is laid on by the landmarks. All else stays as it was, as it does between two shots of a series.
"""

import io
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from btfer.faces import Box
from btfer.images import Pixels

Change = Callable[[Image.Image], Image.Image]
SCENE_PX = (1000, 700)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
BLUR_PX, PLAIN = 60, 150
SHARES = (0.08, 0.1, 0.15, 0.25, 0.5, 1.0)  # heights of the face in its scene


def as_bytes(image: Image.Image, quality: int = 90, form: str = "JPEG") -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.convert("RGB").save(file, form, quality=quality)
    return file.getvalue()


# ---- copies ----


def copies(image: Image.Image, seed: int) -> Iterator[tuple[str, bytes]]:
    """Every kind of copy, by name."""
    rng = np.random.default_rng(seed)
    for name, change in CHANGES.items():
        yield name, as_bytes(change(image))
    for quality in (20, 50, 95):
        yield f"quality {quality}", as_bytes(image, quality)
    for form, quality in (("WEBP", 30), ("AVIF", 40)):
        yield f"{form} {quality}", as_bytes(image, quality, form)
    for share in (0.05, 0.1, 0.2, 0.3):
        yield f"crop {share:.0%}", as_bytes(_cropped(image, share, rng))


def _resized(image: Image.Image, factor: float) -> Image.Image:
    size = (max(64, int(image.width * factor)), max(64, int(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _gamma(image: Image.Image, gamma: float) -> Image.Image:
    return image.point([int(255 * (v / 255) ** gamma + 0.5) for v in range(256)] * 3)


def _turned(image: Image.Image, degrees: float) -> Image.Image:
    cut = int(max(image.size) * abs(np.sin(np.radians(degrees))) * 0.55)
    turned = image.rotate(degrees, Image.Resampling.BICUBIC)
    return turned.crop((cut, cut, image.width - cut, image.height - cut))


def _cropped(image: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    left, top = (int(side * share * rng.uniform()) for side in image.size)
    width, height = (int(side * (1 - share)) for side in image.size)
    return image.crop((left, top, left + width, top + height))


def _watermark(
    image: Image.Image, height: float, at: tuple[float, float], cover: int
) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    font = ImageFont.load_default(int(image.height * height))
    place = (image.width * at[0], image.height * at[1])
    ImageDraw.Draw(layer).text(place, "SAMPLE STOCK", (*WHITE, cover), font=font)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _strip(image: Image.Image) -> Image.Image:
    image, height = image.copy(), int(image.height * 0.1)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, image.height - height, image.width, image.height), (20, 20, 20))
    font = ImageFont.load_default(height * 0.6)
    draw.text((10, image.height - height), "a caption over the picture", WHITE, font=font)
    return image


def _meme(image: Image.Image) -> Image.Image:
    band = int(image.height * 0.18)
    framed = Image.new("RGB", (image.width, image.height + band), WHITE)
    framed.paste(image, (0, band))
    ImageDraw.Draw(framed).text(
        (9, 5), "WHEN IT IS MONDAY", BLACK, ImageFont.load_default(band / 2)
    )
    return framed


def _screenshot(image: Image.Image) -> Image.Image:
    width, height = image.size
    screen = Image.new("RGB", (int(width * 1.15), int(height * 1.3)), (245, 245, 245))
    screen.paste(image, (int(width * 0.07), int(height * 0.2)))
    ImageDraw.Draw(screen).rectangle((0, 0, screen.width, int(height * 0.1)), (60, 90, 160))
    return screen


CHANGES: dict[str, Change] = {
    "resize 0.25": lambda one: _resized(one, 0.25),
    "resize 0.5": lambda one: _resized(one, 0.5),
    "resize 2": lambda one: _resized(one, 2),
    "mirror": ImageOps.mirror,
    "grey": lambda one: one.convert("L"),
    "brightness 0.6": lambda one: ImageEnhance.Brightness(one).enhance(0.6),
    "brightness 1.2": lambda one: ImageEnhance.Brightness(one).enhance(1.2),
    "brightness 1.4": lambda one: ImageEnhance.Brightness(one).enhance(1.4),
    "contrast 1.4": lambda one: ImageEnhance.Contrast(one).enhance(1.4),
    "gamma 0.5": lambda one: _gamma(one, 0.5),
    "gamma 2": lambda one: _gamma(one, 2),
    "blur": lambda one: one.filter(ImageFilter.GaussianBlur(one.height * 0.003)),
    "white border": lambda one: ImageOps.expand(one, int(one.width * 0.06), WHITE),
    "black border": lambda one: ImageOps.expand(one, int(one.width * 0.1), BLACK),
    "text strip": _strip,
    "small watermark": lambda one: _watermark(one, 0.04, (0.6, 0.93), 200),
    "large watermark": lambda one: _watermark(one, 0.12, (0.08, 0.45), 110),
    "turned 1 degree": lambda one: _turned(one, 1),
    "turned 3 degrees": lambda one: _turned(one, 3),
    "screenshot": _screenshot,
    "meme": _meme,
}


# ---- other expressions ----


def bend_mouth(pixels: Pixels, box: Box, amount: float) -> Pixels:
    """The corners of the mouth moved up and out by a share of its width, nothing else. uint8 [H, W, 3], RGB."""
    left, right = (np.array(box.landmarks[name]) for name in ("mouth_left", "mouth_right"))
    width = float(np.linalg.norm(right - left))
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    to_x, to_y = x.copy(), y.copy()

    def near(point: np.ndarray) -> np.ndarray:
        away = (x - point[0]) ** 2 + (y - point[1]) ** 2
        return np.asarray(np.exp(-away / (2 * (width * 0.28) ** 2)))

    for corner, outwards in ((left, -1), (right, 1)):
        to_y += near(corner) * amount * width
        to_x -= near(corner) * outwards * amount * width / 2
    to_y -= near((left + right) / 2) * amount * width * 0.6
    moved = cv2.remap(pixels, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def swap_mouth(pixels: Pixels, box: Box, donor: Pixels, donor_box: Box) -> Pixels:
    """Another face's mouth, laid on by the landmarks, in this face's colours. uint8 [H, W, 3], RGB."""
    mine, theirs = (np.array(list(one.landmarks.values()), np.float32) for one in (box, donor_box))
    matrix, _ = cv2.estimateAffinePartial2D(theirs, mine)
    size = (pixels.shape[1], pixels.shape[0])
    laid = cv2.warpAffine(donor, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros(pixels.shape[:2], np.float32)
    middle = (mine[3] + mine[4]) / 2
    axes = (int(box.width * 0.3), int(box.height * 0.17))
    cv2.ellipse(cover, (int(middle[0]), int(middle[1])), axes, 0, 0, 360, 1, -1)
    cover = cv2.GaussianBlur(cover, (0, 0), max(1, box.width * 0.04))[..., None]
    shift = ((pixels - laid.astype(float)) * cover).sum((0, 1)) / cover.sum()
    mixed = pixels * (1 - cover) + (laid + shift) * cover
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def backgrounds(photo: Pixels) -> dict[str, Pixels]:
    """What a face may stand before, by name: a larger face, as on a poster, or nothing of the kind."""
    blurred = cv2.GaussianBlur(photo, (0, 0), BLUR_PX)
    return {"a photo": photo, "blur": blurred, "one colour": np.full_like(photo, PLAIN)}


def in_scene(box: Box, background: Pixels, share: float) -> Callable[[Pixels], Pixels]:
    """Puts variants of one picture at one place of a scene, 1000x700, where the face has a share of the height."""
    width, height = SCENE_PX
    scale = share * height / box.height
    middle = ((box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale)

    def place(pixels: Pixels) -> Pixels:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=way)
        left, top = width // 2 - int(middle[0]), height // 2 - int(middle[1])
        scene = np.asarray(cv2.resize(background, SCENE_PX, interpolation=cv2.INTER_AREA), np.uint8)
        x0, y0 = max(0, left), max(0, top)
        part = small[y0 - top : height - top, x0 - left : width - left]
        scene[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
        return scene

    return place
