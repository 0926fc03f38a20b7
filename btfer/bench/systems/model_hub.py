"""Networks by name on Hugging Face's hub, `hf:ORG/NAME` or `hf:ORG/NAME@REVISION`, kept in the hub's own cache.

What has been fetched once is found there without a network too.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from btfer.errors import BtferError, MissingExtra, NetworkError, UsageError
from btfer.files import sha256_file

PREFIX = "hf:"
SMALL = ("*.json", "*.txt", "*.model")
SAFE, PICKLED = "*.safetensors", "*.bin"
WANTED = (*SMALL, SAFE, PICKLED)

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetched(name: str) -> Path:
    """The folder of ORG/NAME[@REVISION] in the hub's own cache, fetched where it is not there; its name is the commit.

    Raises UsageError for a name that the hub does not have or does not give out, NetworkError where it cannot be
    reached, BtferError for a file that arrived damaged.
    """
    repo, _, revision = name.partition("@")
    if not _NAME.fullmatch(repo):
        raise UsageError(
            f"'{PREFIX}{name}': write {PREFIX}ORG/NAME as in the address of its page, and @REVISION after it for a "
            "branch, a tag or a commit"
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtra(f"{PREFIX}{name}", "torch") from None

    def files(*patterns: str) -> Path:
        # Of folders inside, nothing: training leaves its checkpoints there, each as large as the network.
        return Path(
            snapshot_download(
                repo,
                revision=revision or None,
                allow_patterns=list(patterns),
                ignore_patterns="*/*",
            )
        )

    try:
        with _quiet():
            folder = files(*SMALL, SAFE)
            if not any(folder.glob(SAFE)):
                folder = files(*SMALL, PICKLED)
    except Exception as error:  # of HTTP, of the hub and of the disk
        raise _told(f"{PREFIX}{name}", error) from error
    _check_arrived(f"{PREFIX}{name}", folder)
    return folder


def _check_arrived(name: str, folder: Path) -> None:
    """Raise BtferError for a large file that is not what the hub has: only its length was compared on arrival."""
    for file in sorted(folder.iterdir()):
        kept = file.resolve()  # in the cache a large file is called as its sha256
        if _SHA256.fullmatch(kept.name) and sha256_file(kept) != kept.name:
            raise BtferError(
                f"{name}: {file.name} arrived damaged, its sha256 is not the hub's: delete {kept} and run the same "
                "command again"
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Errors are told by who calls; bars are for a person who waits."""
    from huggingface_hub.utils import logging as hub_logging
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    verbosity, had_bars = hub_logging.get_verbosity(), not are_progress_bars_disabled()
    hub_logging.set_verbosity(logging.ERROR)
    if had_bars and not sys.stderr.isatty():
        disable_progress_bars()
    try:
        yield
    finally:
        hub_logging.set_verbosity(verbosity)
        if had_bars:
            enable_progress_bars()


def _told(name: str, error: BaseException) -> BtferError:
    """One line for whatever the library raised."""
    from huggingface_hub import errors

    cause = error.__cause__
    if isinstance(error, errors.IncompleteSnapshotError):
        return NetworkError(f"{name} is in the cache in part only, and the hub cannot be reached")
    if isinstance(cause, errors.OfflineModeIsEnabled):
        return UsageError(
            f"{name} is not in the cache, and HF_HUB_OFFLINE is set: unset it to fetch the network"
        )
    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(cause, Exception):
        return _told(name, cause)
    if isinstance(error, errors.HfHubHTTPError):
        return _refused(name, error)
    first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
        return NetworkError(
            f"{name} cannot be fetched, the connection failed ({first[:200]}): run the same command again"
        )
    return BtferError(f"{name} cannot be fetched: {first[:200]}")


def _refused(name: str, error: Any) -> BtferError:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return UsageError(
            f"{name} is given out only to those who accepted its terms: accept them on its page, and set HF_TOKEN"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return UsageError(f"the hub has no such revision of {name}")
    status = error.response.status_code
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403, 404):
        return UsageError(
            f"the hub has no network {name}, or it is private: check the name, or set HF_TOKEN"
        )
    return NetworkError(f"{name} cannot be fetched, the hub answered {status}: try again later")
