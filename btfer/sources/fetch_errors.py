"""Why a URL could not be fetched: one error, and the short fixed words that the journal keeps."""

from collections.abc import Iterator
from contextlib import contextmanager

from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as TimeoutError_

from btfer.errors import NetworkError
from btfer.sources.addresses import PrivateAddress
from btfer.urls import shortened

WAITING = "found"  # as before it was asked: its host wants to be left alone for now


class NotFetched(NetworkError):
    """One URL that could not be fetched, why, and the HTTP status, if any.

    state: `refused` for good, `failed` for now, or WAITING.
    """

    def __init__(
        self,
        state: str,
        reason: str,
        *,
        url: str = "",
        status: int | None = None,
        wait_s: float | None = None,
    ) -> None:
        super().__init__(f"{shortened(url)}: {reason}")
        self.state = state
        self.reason = reason
        self.url = url
        self.status = status
        self.retry_after_s = wait_s
        self.attempts = 1
        self.is_final = False  # every attempt has been made


_Error = type[Exception]
_REASONS: tuple[tuple[tuple[_Error, ...], str, str], ...] = (  # the first that fits is the word
    ((PrivateAddress,), "refused", "private address"),
    ((LocationValueError, UnicodeError), "refused", "bad url"),
    ((NewConnectionError,), "failed", "no connection"),  # a kind of timeout in urllib3's tree
    ((TimeoutError_, ConnectTimeoutError), "failed", "timeout"),
    ((SSLError,), "failed", "tls"),
    ((ProtocolError, DecodeError), "failed", ""),
    ((HTTPError, OSError), "failed", "no connection"),
)


@contextmanager
def as_not_fetched(url: str, broken: str = "no connection") -> Iterator[None]:
    """Turn what urllib3 raises into NotFetched with one word. broken: the word for a connection that breaks off."""
    try:
        yield
    except tuple(kind for kinds, _, _ in _REASONS for kind in kinds) as error:
        state, reason = next(
            (state, reason) for kinds, state, reason in _REASONS if isinstance(error, kinds)
        )
        raise NotFetched(state, reason or broken, url=url) from error
