"""The URL of a folder in a bucket, as `data_dir` gives it: `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from btfer.errors import UsageError

EXTRA_OF = {"s3": "s3", "gs": "gcs"}
"""The extra that each kind of URL needs."""
_LIKE_A_URL = re.compile(r"(?i)\s*(s3a?|s3n|gs|gcs)\s*:|[a-z][a-z0-9+.-]*://")
_ONE_SLASH = re.compile(r"^([a-z][a-z0-9+.-]+):/(?!/)")
_WHOLE = re.compile(r"(s3|gs)://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._=-]+)*)/?")
LONGEST_KEY = 1_024
"""Bytes, of both services."""
_SERVER = re.compile(r"https?://[A-Za-z0-9._\-\[\]:]+/?")
_LONGEST_PREFIX = (
    513  # its slash included; a release's name has up to 255, what is in it less than 100
)
FORM = (
    "write s3://BUCKET/PREFIX or gs://BUCKET/PREFIX, with small letters before ://, a bucket that is there, and "
    "letters, digits and . _ - = in the prefix"
)


def is_url(place: str) -> bool:
    """Whether a data folder is meant as a URL, well written or not; a folder on disk is not."""
    return _LIKE_A_URL.match(place) is not None


def as_written(path: Path) -> str:
    """A folder's name for a message: of the two slashes of a URL a `Path` has left one."""
    return _ONE_SLASH.sub(r"\1://", str(path))


def bucket_url(place: str) -> str:
    """The URL without its last slash. Raises UsageError, which never shows a key that was written into it."""
    found = _WHOLE.fullmatch(place)
    if not found or {".", ".."} & set(found[3].split("/")):
        shown = f" '{place}'" if place.isprintable() and not {"@", "?"} & set(place) else ""
        raise UsageError(f"data_dir{shown} is not the address of a bucket: {FORM}")
    if len(found[3]) > _LONGEST_PREFIX:
        raise UsageError(
            f"data_dir: the prefix in the bucket has {len(found[3]) - 1:,} letters: use at most {_LONGEST_PREFIX - 1}, "
            "since no key may be longer than 1,024 bytes, the names of releases and files included"
        )
    return place.removesuffix("/")


def checked_endpoint(address: str) -> str:
    """The address of a server. Raises UsageError, which never shows a password."""
    if address and not (_SERVER.fullmatch(address) and _has_host_and_port(address)):
        shown = "" if "@" in address or not address.isprintable() else f" '{address}'"
        raise UsageError(f"endpoint_url{shown}: write http://HOST:PORT or https://HOST")
    return address


def _has_host_and_port(address: str) -> bool:
    """Whether there is a host, and its port is a number that a port can have, or is left out."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
