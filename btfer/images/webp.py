"""WebP's container: its picture without the side data that a reader could stumble over, and pages that were lost.

libwebp shows a lossy picture to its end whatever its bytes are. What a broken download or disk leaves, a stretch of
zeros, is found all the same: the arithmetic coder writes zeros only where nothing changes over thousands of blocks.
"""

import struct
from collections.abc import Iterator

_ALPHA_AND_ANIMATION = 0x12  # of the flags in VP8X; the others announce side data

_FRAME_HEAD = 16  # bytes before the chunks of a frame
_OF_ANIMATION = (b"ANIM", b"ANMF", b"EXIF", b"XMP ")  # behind its profile
_LOST_FRAME = b""

LEAST_ZEROS = 512  # a sector of a disk
BLOCKS_A_ZERO = (
    16  # 9 Mpx of plain white have a zero for 40 blocks of 16x16 px; photos have nearly none
)


def has_lost_pages(data: bytes) -> bool:
    """Whether the data of a lossy picture hold more zeros in a row than any picture of its size explains.

    Lossless data can hold any number of zeros. Of an animation that has lost its other frames, one may be left.
    """
    for name, start, stop in _pixels(data, 12, _end(data)):
        if name == _LOST_FRAME:
            return True
        if name == b"VP8 ":
            width, height = (
                int.from_bytes(data[start + i : start + i + 2], "little") for i in (6, 8)
            )
            blocks = (width & 0x3FFF) * (height & 0x3FFF) // 256
            zeros = bytes(max(LEAST_ZEROS, blocks // BLOCKS_A_ZERO))
            if data.find(zeros, start, stop) >= 0:
                return True
    return False


def _pixels(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a still picture; of an animation those inside its frames, and what is no frame any more."""
    moves = False
    for name, start, stop in _chunks(data, at, end):
        moves = moves or name == b"ANIM"
        if name == b"ANMF":
            yield from _chunks(data, start + _FRAME_HEAD, min(stop, end))
        else:
            yield _LOST_FRAME if moves and name not in _OF_ANIMATION else name, start, stop


def without_side_data(data: bytes) -> bytes:
    """The same picture without profile, EXIF, XMP, chunks of unknown kinds and bytes behind its end.

    An animation stays as it is: an unknown chunk may be a damaged frame.
    """
    if any(name == b"ANIM" for name, _, _ in _chunks(data, 12, _end(data))):
        return data
    kept = b"".join(_picture(data))
    return b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + kept


def _picture(data: bytes) -> Iterator[bytes]:
    for name, start, stop in _chunks(data, 12, _end(data)):
        chunk = data[start - 8 : stop + (stop - start) % 2]
        if name == b"VP8X" and len(chunk) > 8:
            chunk = chunk[:8] + bytes([chunk[8] & _ALPHA_AND_ANIMATION]) + chunk[9:]
        if name in (b"VP8X", b"VP8 ", b"VP8L", b"ALPH"):
            yield chunk


def _chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name of each chunk, start and end of its content."""
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, at + 8 + size
        at += 8 + size + size % 2


def _end(data: bytes) -> int:
    return min(len(data), 8 + int.from_bytes(data[4:8], "little"))
