"""Why a URL did not come: one error, and the short fixed words that the journal keeps."""

from collections.abc import Iterator
from contextlib import contextmanager

from requests import exceptions
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    LocationParseError,
    ProtocolError,
    ReadTimeoutError,
)

from btfer.errors import NetworkError
from btfer.sources.addresses import PrivateAddress


class NotFetched(NetworkError):
    """One URL that did not come: `refused` for good or `failed` for now, why, and what was answered."""

    def __init__(
        self,
        state: str,
        reason: str,
        *,
        url: str = "",
        status: int | None = None,
        wait_s: float | None = None,
    ) -> None:
        super().__init__(f"{url}: {reason}")
        self.state = state
        self.reason = reason
        self.url = url
        self.status = status
        self.retry_after_s = wait_s
        self.attempts = 1


_Error = type[Exception]
_LOSSES: tuple[tuple[tuple[_Error, ...], str, str], ...] = (  # the first that fits is the word
    ((PrivateAddress,), "refused", "private address"),
    ((exceptions.InvalidURL, exceptions.MissingSchema), "refused", "bad url"),
    ((LocationParseError, UnicodeError), "refused", "bad url"),
    ((exceptions.Timeout, ReadTimeoutError), "failed", "timeout"),
    ((exceptions.SSLError,), "failed", "tls"),
    ((ProtocolError, DecodeError), "failed", "incomplete"),  # raised only while a body is read
    ((exceptions.RequestException, HTTPError, OSError), "failed", "no connection"),
)


@contextmanager
def plain_losses(url: str) -> Iterator[None]:
    """Turn what requests and urllib3 raise into NotFetched with one word."""
    try:
        yield
    except tuple(kind for kinds, _, _ in _LOSSES for kind in kinds) as error:
        state, reason = next(
            (state, reason) for kinds, state, reason in _LOSSES if isinstance(error, kinds)
        )
        raise NotFetched(state, reason, url=url) from error
