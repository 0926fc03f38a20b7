"""Requests to Zenodo: the token goes to its own host only, and every refusal becomes one line."""

import json
import time
from pathlib import Path
from typing import Any

import certifi
import urllib3
from urllib3.exceptions import HTTPError

from btfer import __version__
from btfer.errors import NetworkError
from btfer.parsing import parse_json
from btfer.pipeline.publish.targets import Again, Patience

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_TEXTS = {
    401: "Zenodo does not accept the token: set ZENODO_TOKEN to one with deposit:write and deposit:actions "
    "(the sandbox has tokens of its own)",
    403: "the token may not do this: set ZENODO_TOKEN to one with deposit:write and deposit:actions",
    404: "Zenodo does not find the record: was it deleted?",
    409: "the record was changed by somebody else meanwhile: run the same command again",
    413: "the release is too large: Zenodo takes 50 GB a record unless you ask for more",
    507: "there is no room left for this release at Zenodo",
}


class ZenodoApi:
    """Zenodo's deposit API at one address."""

    def __init__(self, endpoint: str, token: str, patience: Patience) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": f"btfer/{__version__}"}
        timeout = urllib3.Timeout(patience.timeout_s)
        self._pool = urllib3.PoolManager(ca_certs=certifi.where(), timeout=timeout, retries=False)

    def ask(self, method: str, url: str, *, value: Any = None, file: Path | None = None) -> Any:
        """The answer's JSON; {} where there is none. url: a path below the endpoint, or a link that came from it.

        Raises Again where it may work later, NetworkError where it will not.
        """
        url = url if "://" in url else f"{self.endpoint}/api{url}"
        if not url.startswith(f"{self.endpoint}/"):
            raise NetworkError(
                f"Zenodo named an address of another host, which gets no token: {url[:100]}"
            )
        body = None if value is None else json.dumps(value).encode()
        try:
            if file is None:
                return self._answer(method, url, body, {"Content-Type": "application/json"})
            more = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(file.stat().st_size),
            }
            with file.open("rb") as stream:
                return self._answer(method, url, stream, more)
        except (HTTPError, OSError) as error:
            text = str(error).partition(": ")[2] or type(error).__name__
            raise Again(f"cannot reach {self.endpoint}: {text[:200]}") from None

    def _answer(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Any:
        answer = self._pool.request(
            method, url, body=body, headers=self._headers | headers, redirect=False
        )
        try:
            told = parse_json(answer.data) if answer.data else {}
        except ValueError:
            told = None
        if answer.status in _AGAIN:
            busy = (
                "takes no more requests for now"
                if answer.status == 429
                else f"answered {answer.status}"
            )
            raise Again(f"Zenodo {busy}", _pause_s(answer.headers))
        if not 200 <= answer.status < 300:
            raise NetworkError(_refusal(answer.status, told))
        if told is None:
            raise Again("Zenodo answered with something that is not JSON")
        return told


def _pause_s(headers: Any) -> float | None:
    """What an answer asks for: `Retry-After` in seconds, or the time of `X-RateLimit-Reset`."""
    after, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    if after.isdigit():
        return float(after)
    if headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        return max(0.0, float(reset) - time.time())
    return None


def _refusal(status: int, told: Any) -> str:
    """One line, with what Zenodo says of each field."""
    told = told if isinstance(told, dict) else {}
    said = [str(told.get("message", ""))]
    for one in told.get("errors") or ():
        if isinstance(one, dict):
            words = one.get("messages") or [one.get("message", "")]
            said.append(f"{one.get('field', '')}: {' '.join(str(word) for word in words)}")
    more = "; ".join(text for text in said if text).replace("\n", " ")[:300]
    return _TEXTS.get(status, f"Zenodo answered {status}") + (f" ({more})" if more else "")
