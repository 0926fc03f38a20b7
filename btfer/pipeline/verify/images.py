"""Images: of the right size, pixels and nothing else, none there twice."""

from collections.abc import Iterator

from btfer.errors import ImageError
from btfer.images import decode_rgb, metadata_in
from btfer.pipeline.verify.folder import MOST_OF_AN_IMAGE, OpenedRelease


def check_pixels(one: OpenedRelease, size_px: int) -> Iterator[str]:
    """Images that cannot be read or have another size."""
    for name in one.images:
        seen = one.found.get(name)
        if seen is None:
            yield f"{name} is not there"
            continue
        size = seen.size
        try:  # a PNG that carries more than pixels, or pixels of another kind
            if size is None:
                high, wide, _ = decode_rgb(_bytes(one, name)).shape
                size = wide, high
        except (ImageError, OSError) as error:
            yield f"{name}: {error}"
            continue
        if size != (size_px, size_px):
            yield f"{name} is {size[0]}x{size[1]}"


def _bytes(one: OpenedRelease, name: str) -> bytes:
    path = one.folder / name
    if path.stat().st_size > MOST_OF_AN_IMAGE:
        raise ImageError("too large", f"{path.stat().st_size:,} bytes")
    return path.read_bytes()


def check_bare(one: OpenedRelease) -> Iterator[str]:
    """Images that carry more than pixels."""
    for name in one.images:
        if name not in one.found or one.found[name].size:
            continue
        try:
            names = metadata_in(one.folder / name)
        except Exception:  # whatever Pillow raises on a damaged file: the check of pixels names it
            continue
        yield f"{name} carries {', '.join(names) or 'more than 8-bit RGB pixels'}"


def check_twice(one: OpenedRelease) -> Iterator[str]:
    """Images that are there twice, and photos that several images are of."""
    first: dict[str, str] = {}
    for name in one.images:
        other = first.setdefault(one.sums[name], name)
        if other != name:
            yield f"{name} is {other}"
    photo: dict[str, str] = {}
    for row in one.rows:
        name, id_ = row.get("file_name", ""), row.get("photo_id", "")
        other = photo.setdefault(id_, name)
        if id_ and other != name:
            yield f"{name} is of the same photo as {other}"
