"""What is kept, what is refused and why; upright pixels from every format."""

import base64
import contextlib
import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps

from btfer import images
from btfer.errors import ImageError
from btfer.images.decode import decode_reduced
from btfer.images.jpeg import MAX_SCANS
from tests.conftest import as_bytes, draw_photo
from tests.images.drawn import grainy

# 96x72, red grows to the right, green downwards; arithmetic coding, which Pillow reads and cannot write.
ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywt"
    "QFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T09PT09PT09PT09PT09PT09PT0//yQARCABIAGADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/ALWu"
    "t92HopBAbkfvCaDvTsl7murE07hSvpBE8r7MmOLhkVtXqn8rSw0dgsIqYBwXkOJgPOxcGGDvgF9THeDvOikpVVZHz351"
    "N2HTGWbyD6tqDovQ+BjYsHm9u1NW7Y6gl6/xreNV0U8y47YJQ3hYsKTgE2VG2JLUaPnQNonCO1O05KTyggNYzDEaXS6i"
    "sRfRswdWlPpEVH7UGcLkZlfZZPZ0u3Mt52DrtfWte3MVQMbmHIvnxpTR7POJMhy6c3mFTxJTaay3ZBHM/wAyIZFPJuM1"
    "F2fOntTLnf0/GQstlllFQ7cJ0hJMETKYxMsCntFjFs38gM09CTKDOFh0GU1HXxCa3gJ/MpA5IIAaKQPCOFf+rTc7D29Y"
    "2CjDe3lSdZa9/wD93HUFJwRnmKZVyz4f630ABHEraLGgVeTaCVW9mGFBS2jwO1tpXT2bTUZJkVo6wKRMn2o6rCmBbGfY"
    "nP/Z"
)
WHOLE = {
    "baseline": as_bytes(grainy(1), quality=85),
    "progressive": as_bytes(grainy(1), progressive=True),
    "restart marks": as_bytes(grainy(1), restart_marker_rows=1),
    "grey": as_bytes(grainy(1).convert("L")),
    "CMYK": as_bytes(grainy(1).convert("CMYK")),
    "arithmetic": ARITHMETIC,
    "PNG": as_bytes(grainy(1), "PNG"),
    "WebP": as_bytes(grainy(1), "WEBP"),
    "AVIF": as_bytes(grainy(1, (300, 200)), "AVIF"),
}
JPEGS = {name: data for name, data in WHOLE.items() if data.startswith(b"\xff\xd8")}
READERS = [images.read_photo, images.decode_rgb]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_cut_file_is_refused_wherever_it_is_cut(data: bytes, read) -> None:  # type: ignore[no-untyped-def]
    read(data)
    header = 250 if data == ARITHMETIC else 0
    for share in (0.3, 0.6, 0.9, 0.99):
        with pytest.raises(ImageError) as error:
            read(data[: header + int((len(data) - header) * share)])
        assert error.value.reason == "truncated", share


@pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS)
def test_a_jpeg_that_lacks_only_its_last_byte_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="truncated"):
        images.read_photo(data[:-1])


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_garbage_behind_a_whole_picture_does_no_harm(data: bytes) -> None:
    clean, dirty = images.read_photo(data), images.read_photo(data + b"\0<script>" * 500)
    assert (dirty.phash, dirty.thumbnail) == (clean.phash, clean.thumbnail)
    assert dirty.sha256 != clean.sha256


def test_an_arithmetic_jpeg_has_its_pixels() -> None:
    pixels = images.decode_rgb(ARITHMETIC).astype(int)
    assert pixels.shape == (72, 96, 3)
    assert abs(pixels[36, 86, 0] - pixels[36, 10, 0] - 76 * 255 / 96) < 15
    assert abs(pixels[66, 48, 1] - pixels[6, 48, 1] - 60 * 255 / 72) < 15


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<html>hello</html>", "not an image"),
        (b"\xff\xd8\xff\xe0 and no more", "not an image"),
        (as_bytes(draw_photo(5), "GIF"), "format"),
        (as_bytes(draw_photo(5), "BMP"), "format"),
        (as_bytes(draw_photo(5), "TIFF"), "format"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42avc1" + bytes(99), "format"),
        (as_bytes(draw_photo(5, (24, 24))), "too small"),
        (as_bytes(Image.new("1", (30_000, 30_000)), "PNG"), "too many pixels"),
        (as_bytes(draw_photo(5), "WEBP", save_all=True, append_images=[draw_photo(6)]), "animated"),
        (as_bytes(draw_photo(5), "PNG", save_all=True, append_images=[draw_photo(6)]), "animated"),
        (as_bytes(draw_photo(5), "AVIF", save_all=True, append_images=[draw_photo(6)]), "animated"),
    ],
    ids=[
        "empty",
        "html",
        "header",
        "gif",
        "bmp",
        "tiff",
        "video",
        "tiny",
        "bomb",
        "webp-anim",
        "png-anim",
        "avif-anim",
    ],
)
def test_bad_pictures_have_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as error:
        images.read_photo(data)
    assert error.value.reason == reason


@pytest.mark.parametrize("side", [7_100, 9_000, 20_000])
def test_the_limit_of_pixels_holds_whatever_others_do_with_warnings(side: int) -> None:
    bomb = as_bytes(Image.new("1", (side, side)), "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ImageError, match="too many pixels"):
            images.decode_rgb(bomb)


def test_a_picture_just_below_the_limit_is_kept() -> None:
    intake = images.read_photo(as_bytes(Image.new("L", (7_000, 7_100), 90), "PNG"))
    assert (intake.width, intake.height) == (7_000, 7_100)


def test_a_jpeg_of_endless_scans_is_refused_before_it_is_decoded() -> None:
    data = as_bytes(grainy(1), progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="too many scans"):
        images.read_photo(data[:last] + data[last:-2] * MAX_SCANS + data[-2:])


def test_an_avif_whose_pictures_are_broken_is_refused() -> None:
    head, _, pictures = WHOLE["AVIF"].partition(b"mdat")
    with pytest.raises(ImageError, match="truncated"):
        images.read_photo(head + b"mdat" + b"\xff" * 6 + pictures[6:])


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest lifts our own filters
def test_no_broken_byte_raises_anything_but_image_error() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    rng = np.random.default_rng(1)
    for format_ in ("JPEG", "PNG", "WEBP", "AVIF"):
        data = as_bytes(draw_photo(5, (64, 48)), format_, exif=exif.tobytes())
        for _ in range(60):
            broken = bytearray(data)
            for at in rng.integers(0, len(data), 4):
                broken[at] = rng.integers(0, 256)
            for read in READERS:
                with contextlib.suppress(ImageError):
                    read(bytes(broken))


def test_a_cameras_mpo_is_a_jpeg_and_its_first_picture_counts() -> None:
    several = as_bytes(grainy(1), "MPO", save_all=True, append_images=[grainy(2)])
    alone = images.read_photo(as_bytes(grainy(1)))
    intake = images.read_photo(several)
    assert intake.format == "jpg"
    assert bin((intake.phash ^ alone.phash) & (2**64 - 1)).count("1") <= 2


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_upright(format_: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format_ == "WEBP" else {}
    lying = as_bytes(grainy(3, (640, 400)), format_, exif=exif.tobytes(), **options)
    seen = ImageOps.exif_transpose(Image.open(io.BytesIO(lying))).convert("RGB")
    assert np.array_equal(images.decode_rgb(lying), np.asarray(seen))
    turned = images.read_photo(lying)
    upright = images.read_photo(as_bytes(seen, "PNG"))
    assert (turned.width, turned.height) == seen.size
    for name in ("phash", "mirror_phash"):
        differ = getattr(turned, name) ^ getattr(upright, name)
        assert bin(differ & (2**64 - 1)).count("1") <= 2, name
    difference = images.decode_rgb(turned.thumbnail).astype(int) - images.decode_rgb(
        upright.thumbnail
    )
    assert np.abs(difference).mean() < 8


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest lifts our own filters
def test_a_broken_exif_block_leaves_the_photo_as_it_lies() -> None:
    for exif in (b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + bytes(range(200))):
        data = as_bytes(draw_photo(3), exif=exif)
        assert images.decode_rgb(data).shape == (120, 160, 3)
        assert images.read_photo(data).width == 160


@pytest.mark.parametrize(
    ("size", "reduced"),
    [
        ((1200, 840), (300, 210)),
        ((1281, 961), (161, 121)),
        ((840, 1200), (210, 300)),
        ((3000, 480), (750, 120)),  # an eighth would leave 60 rows
        ((3000, 520), (375, 65)),
        ((200, 150), (200, 150)),
    ],
)
def test_a_jpeg_is_decoded_as_small_as_hash_and_thumbnail_allow(
    size: tuple[int, int], reduced: tuple[int, int]
) -> None:
    photo = decode_reduced(as_bytes(draw_photo(2, size)))
    assert photo.image.size == reduced
    assert (photo.width, photo.height) == size


def test_many_threads_read_what_one_reads() -> None:
    files = list(WHOLE.values()) * 3
    alone = [images.read_photo(data) for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(images.read_photo, files)) == alone
