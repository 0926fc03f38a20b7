"""huggingface_hub's connections as a command needs them: bounded waits, no chatter, errors of one line."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from btfer.errors import BtferError, NetworkError, UsageError
from btfer.pipeline.publish.targets import Again, Patience

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_FULL = frozenset({402, 413, 507})


@contextmanager
def sessions(patience: Patience) -> Iterator[None]:
    """The library's connections with a time-out, bounded pauses and no chatter; as before afterwards.

    Xet is off: it tries for many minutes where a server fails, and small pictures gain nothing by it.
    """
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils import logging as hub_logging
    from huggingface_hub.utils._http import default_client_factory
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    def hook(response: Any) -> None:
        wait_s = _asked_pause_s(response.headers)
        if response.status_code == 429 and wait_s and wait_s > patience.max_wait_s:
            raise Again("Hugging Face takes no more requests for now", wait_s)

    def client() -> Any:
        made = default_client_factory()
        made.timeout = patience.timeout_s
        made.event_hooks = made.event_hooks | {"response": [hook]}
        return made

    had_xet, constants.HF_HUB_DISABLE_XET = constants.HF_HUB_DISABLE_XET, True
    verbosity = hub_logging.get_verbosity()
    set_client_factory(client)
    hub_logging.set_verbosity(logging.ERROR)
    had_bars = not are_progress_bars_disabled()
    if had_bars:
        disable_progress_bars()
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = had_xet
        if had_bars:
            enable_progress_bars()
        hub_logging.set_verbosity(verbosity)
        set_client_factory(default_client_factory)


def _asked_pause_s(headers: Any) -> float | None:
    """The pause that an answer asks for in `Retry-After` or `RateLimit`."""
    after = str(headers.get("retry-after", ""))
    limit = re.search(r"r=0\b.*?\bt=(\d+)", str(headers.get("ratelimit", "")))
    if after.isdigit():
        return float(after)
    return float(limit[1]) if limit else None


def one_line(error: BaseException, repo: str, endpoint: str) -> BtferError:
    """One line for whatever the library raised."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, BtferError):
        return error
    if isinstance(error, OfflineModeIsEnabled):
        return UsageError("HF_HUB_OFFLINE is set: unset it to publish")
    if isinstance(error, HfHubHTTPError):
        return _refused(error, repo, endpoint)
    if isinstance(error.__cause__, BtferError | HfHubHTTPError):
        return one_line(error.__cause__, repo, endpoint)
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2") or isinstance(
        error, OSError
    ):
        return Again(f"cannot reach {endpoint}: {text}")
    return NetworkError(f"Hugging Face: {text}")


def _refused(error: Any, repo: str, endpoint: str) -> BtferError:
    status, org = error.response.status_code, repo.partition("/")[0]
    why = (error.server_message or "").strip().splitlines()
    more = f" ({why[0][:200]})" if why else ""
    if status in _AGAIN:
        busy = "takes no more requests for now" if status == 429 else f"answered {status}"
        return Again(f"Hugging Face {busy}{more}", _asked_pause_s(error.response.headers))
    if status in _FULL:
        return NetworkError(f"{repo} has no room for this release at Hugging Face{more}")
    texts = {
        401: "Hugging Face does not accept the token: set HF_TOKEN to one with write permission",
        403: f"the token may not write to {repo}: set HF_TOKEN to one with write permission for {org}",
        404: f"{endpoint} has no user or organisation {org}, or the token does not show it",
        409: f"{repo} was changed by somebody else meanwhile: run the same command again",
        412: f"{repo} was changed by somebody else meanwhile: run the same command again",
    }
    return NetworkError(texts.get(status, f"Hugging Face answered {status}") + more)
