"""What a file is by its first bytes, never by its name; and whether it is shorter than it says."""

_FIRST_BYTES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"8BPS": "PSD",
    b"\0\0\1\0": "ICO",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"<svg": "SVG",
}
_HEVC = (b"heic", b"heix", b"heim", b"heis")


def format_of(data: bytes) -> str:
    """The format's name, "" for what is no picture."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        brands = data[8 : 8 + min(int.from_bytes(data[:4]), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        return "HEIC" if any(one in brands for one in _HEVC) else "HEIF or video"
    return next((name for first, name in _FIRST_BYTES.items() if data.startswith(first)), "")


def is_cut(data: bytes, format_: str) -> bool:
    """Whether a format that says its length in front has fewer bytes; its readers fail at the header."""
    end = 0
    if format_ == "WEBP":
        end = 8 + int.from_bytes(data[4:8], "little")
    boxed = format_ in ("AVIF", "HEIC")
    while boxed and end < len(data) and (box := int.from_bytes(data[end : end + 4])):
        end += int.from_bytes(data[end + 8 : end + 16]) if box == 1 else box
    return end > len(data)
