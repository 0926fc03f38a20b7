"""A folder in a bucket: whole objects, put, got, listed and deleted through fsspec, with patience for a bad network.

Keys and tokens are never given to btfer: the libraries find them where they always do (variables, profiles, the
machine's role). Their error messages may hold parts of them, and addresses that are signed, so none is passed on:
what went wrong is said by its code.
"""

import hashlib
import logging
import os
import platform
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from btfer.bucket_url import EXTRA_OF, LONGEST_KEY
from btfer.errors import BtferError, UsageError
from btfer.extras import require

ATTEMPTS = {"s3": 5, "gs": 2}  # gcsfs itself makes six of each
BACK_OFF_S = 0.3  # before the second attempt; twice as long before each further one, more or less
CONNECT_S, READ_S = 5.0, 30.0
CONNECTIONS = 32
MODULE_OF = {"s3": "s3fs", "gs": "gcsfs"}
_NO_BUCKET = ("NoSuchBucket", "InvalidBucketName")
_NO_LOGIN = ("Credential", "ProfileNotFound", "TokenLoad", "TokenRetrieval", "RefreshError")
_REFUSED = (
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "403",
    "401",
)
_NOT_SET_UP = (
    "ConfigParse",
    "ConfigNotFound",
    "InvalidConfig",
    "InvalidRegion",
    "InvalidRetry",
    "EndpointResolution",
)
_OTHER_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "301")

Answer = TypeVar("Answer")


class StoreError(BtferError):
    """A bucket cannot be reached, or refuses."""


class Listed(NamedTuple):
    """An object of a bucket: its size in bytes, and when it was written, in seconds since 1970."""

    n_bytes: int
    written_s: float


@dataclass(frozen=True)
class Bucket:
    """A place in a bucket. url: `s3://BUCKET/PREFIX`. endpoint: of a server that is not Amazon's; '' = as the
    environment says. It can be sent to other processes and machines, which log in by themselves.
    """

    url: str
    endpoint: str = ""

    @property
    def kind(self) -> str:
        """`s3` or `gs`."""
        return self.url.partition("://")[0]

    def check(self) -> None:
        """Raise MissingExtra where the library for it is not installed."""
        require(EXTRA_OF[self.kind], f"data_dir {self.url}", MODULE_OF[self.kind])

    def get(self, key: str, n_bytes: int | None = None) -> bytes:
        """The bytes of an object, all of them. Raises FileNotFoundError where there is none, and StoreError.

        What was cut off on the way is fetched again: a photo has the sha256 of its name, and anything else the size
        that the bucket states. n_bytes: that size, where it is known from a list.
        """
        try:
            return self._patiently(lambda: self._whole(key, n_bytes))
        except FileNotFoundError:
            if self.kind == "gs":  # it answers in the same way where there is no bucket
                self.list(key)
            raise

    def _whole(self, key: str, n_bytes: int | None) -> bytes:
        data: bytes = self._files.cat_file(self._path(key))
        if hashlib.sha256(data).hexdigest() != PurePosixPath(key).stem:
            size = self._files.info(self._path(key))["size"] if n_bytes is None else n_bytes
            if size != len(data):
                raise ConnectionError(f"{len(data)} of {size} bytes came")
        return data

    def put(self, key: str, data: bytes) -> None:
        """Write an object: it is as before, or whole. Raises StoreError, UsageError for a key that is too long."""
        n_bytes = len(self._path(key).partition("/")[2].encode())
        if n_bytes > LONGEST_KEY:  # not every server refuses it
            raise UsageError(
                f"{self.url}: the key {key[:60]}... has {n_bytes:,} bytes, more than the {LONGEST_KEY:,} that an "
                "object of a bucket may have: shorten the file's name, or the prefix"
            )
        self._patiently(lambda: self._send(key, data), found=True)

    def _send(self, key: str, data: bytes) -> None:
        answer = self._files.pipe_file(self._path(key), data)
        # A web page, or the login of a network, may answer with 200 as well: then nothing was kept.
        if self.kind == "s3" and isinstance(answer, dict) and not answer.get("ETag"):
            raise ConnectionError("the answer is not that of a bucket")

    def delete(self, key: str) -> None:
        """Delete an object; none there is right too. Raises StoreError."""

        def delete() -> None:
            try:
                self._files.rm_file(self._path(key))
            except FileNotFoundError as error:
                if _is(error, _NO_BUCKET):
                    raise

        self._patiently(delete)

    def list(self, beginning: str) -> dict[str, Listed]:
        """The objects whose keys begin so, by key. Raises StoreError."""
        return self._patiently(lambda: dict(self._listed(beginning)), found=True)

    def _listed(self, beginning: str) -> Iterator[tuple[str, Listed]]:
        folder, _, first = beginning.rpartition("/")
        found = self._files.find(self._path(folder), prefix=first, detail=True)
        root = self._path("")
        for path, info in found.items():
            key = path.removeprefix(root)
            if info["type"] == "file" and is_plain(key):
                yield key, Listed(info["size"], _seconds(info))

    def _path(self, key: str) -> str:
        return f"{self.url.partition('://')[2]}/{key}"

    @property
    def _files(self) -> Any:
        return _file_system(self.kind, self.endpoint, os.getpid())

    def _patiently(self, ask: Callable[[], Answer], *, found: bool = False) -> Answer:
        """What `ask` returns; what may be better a moment later is tried again, a few times.

        found: nothing but the bucket itself can be missing.
        """
        attempts = ATTEMPTS[self.kind]
        for attempt in range(attempts):
            if attempt:
                time.sleep(BACK_OFF_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
            try:
                return ask()
            except Exception as error:  # the libraries under fsspec raise kinds of their own
                if found and isinstance(error, FileNotFoundError):
                    raise self._no_bucket() from None
                self._raise_final(error)
                last = error
        raise StoreError(
            f"{self.url} cannot be reached ({_code(last)}, {attempts} attempts). What was finished is kept: "
            f"run the command again{f', or check endpoint_url {self.endpoint}' if self.endpoint else ''}"
        ) from None

    def _no_bucket(self) -> UsageError:
        name = self.url.split("/")[2]
        server = f" at {self.endpoint}" if self.endpoint else ""
        return UsageError(f"there is no bucket '{name}'{server} ({self.url}): make it first")

    def _raise_final(self, error: Exception) -> None:
        """Raise what no patience helps against, in words."""
        if _is(error, _NO_BUCKET):
            raise self._no_bucket() from None
        if _is(error, _NO_LOGIN):
            ways = {
                "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
                "gs": "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
            }
            raise StoreError(
                f"this machine ({platform.node()}) has no credentials for {self.url}: {ways[self.kind]}"
            ) from None
        if _is(error, _NOT_SET_UP) or type(error) is ValueError:  # botocore's, of an endpoint
            raise StoreError(
                f"{self.url} cannot be asked ({_code(error)}): look at the AWS_* variables and the files in ~/.aws"
            ) from None
        if _is(error, _OTHER_REGION):
            raise StoreError(f"{self.url} is in another region: set AWS_REGION") from None
        if isinstance(error, PermissionError) or _is(error, _REFUSED):
            raise StoreError(
                f"no permission for {self.url} ({_code(error)}): reading, writing, deleting and listing of objects "
                "must be allowed, and the clock right"
            ) from None
        if isinstance(error, FileNotFoundError):
            raise error


def is_plain(key: str) -> bool:
    """Whether a key names a file below a folder. Whoever may write in a bucket may use `..` in a key, too."""
    return key.isprintable() and not {"", ".", ".."} & set(key.split("/"))


def _code(error: BaseException) -> str:
    """What went wrong, in a word of the service's, else the kind of error; never the message of a library."""
    while error.__cause__ and not hasattr(error, "response") and not hasattr(error, "code"):
        error = error.__cause__
    response = getattr(error, "response", None)
    told = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(told or getattr(error, "code", "") or type(error).__name__)[:60]


def _is(error: BaseException, words: tuple[str, ...]) -> bool:
    """Whether the code or a kind of the error has one of some words in it, or is one of some numbers."""
    told = [_code(error), *(one.__name__ for one in type(error).__mro__)]
    return any(word == one if word.isdigit() else word in one for word in words for one in told)


def _seconds(info: dict[str, Any]) -> float:
    written: Any = info.get("LastModified") or info.get("mtime")
    return float(written.timestamp()) if hasattr(written, "timestamp") else 0.0


@lru_cache(maxsize=8)
def _file_system(kind: str, endpoint: str, process: int) -> Any:
    """The library's, without its own caches and attempts. process: it does not survive a fork."""
    for name in ("botocore", "gcsfs", "google", "s3fs"):  # what they log may hold what is secret
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    own: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if kind == "gs":
        from gcsfs.core import GCSFileSystem  # its other class asks of which kind each bucket is

        return GCSFileSystem(**own, **({"endpoint_url": endpoint} if endpoint else {}))
    import s3fs

    # Many servers that speak S3 know nothing of the checksums that botocore adds since 1.36.
    checksums = {
        name: os.environ.get(f"AWS_{name}".upper(), "when_required").lower()
        for name in ("request_checksum_calculation", "response_checksum_validation")
    }
    config = {
        "connect_timeout": CONNECT_S,
        "read_timeout": READ_S,
        "max_pool_connections": CONNECTIONS,
        "retries": {"total_max_attempts": 1},
        **checksums,
    }
    own["max_concurrency"] = 1  # of one object's parts, else it asks for the size first
    files = s3fs.S3FileSystem(endpoint_url=endpoint or None, config_kwargs=config, **own)
    files.retries = 1
    return files
