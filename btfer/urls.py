"""Web addresses as text: which of them are the same address, and how a long one is shown."""

import re
from urllib.parse import SplitResult, unquote, urlsplit

SHOWN = 120  # characters of an address in a message
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What shops, newsletters and, since 2026, Commons add to say where a visitor came from.
_TRACKING = frozenset(
    {"fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid"}
    | {"igshid", "igsh", "mc_cid", "mc_eid", "_ga", "_gl", "srsltid", "mkt_tok"}
)

_SPELT_OTHERWISE = re.compile(r"[^\w!$&'()*+,;=:@~/.?-]|/\.", re.ASCII)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_NEVER_ESCAPED = re.compile(r"[\w.~-]", re.ASCII)


def identity(url: str) -> str:
    """The one form of all spellings of a web address; anything else (file:, a hash) as it is.

    Left out are blanks around it, the fragment, a default port and tracking parameters (utm_*);
    the host is written small, without a last dot, and in ASCII; the path as it is sent (`é` is %C3%A9).
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return url
    host = ascii_host(parts.hostname or "")
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return url
    if ":" in host:
        host = f"[{host}]"
    if port not in (None, _DEFAULT_PORTS[parts.scheme]):
        host = f"{host}:{port}"
    user, at, _ = parts.netloc.rpartition("@")
    path, query = _as_sent(parts.path or "/", _without_tracking(parts.query))
    return SplitResult(parts.scheme, user + at + host, path, query, "").geturl()


def other_scheme(url: str) -> str:
    """The same address with http for https, or https for http; anything else as it is."""
    scheme, separator, rest = url.partition("://")
    return {"http": "https", "https": "http"}.get(scheme, scheme) + separator + rest


def alike(url: str) -> str:
    """What addresses have in common that a person would take for one: http or https, www. or not, a last slash.

    For questions only: two such addresses may show different things.
    """
    _, _, rest = identity(url).partition("://")
    for front in ("www.", "m."):
        rest = rest.removeprefix(front)
    address, mark, query = rest.partition("?")
    return unquote(address.rstrip("/") + mark + query).casefold()


def is_web_address(text: str) -> bool:
    """Whether this is an http(s) address with a host."""
    try:
        parts = urlsplit(text.strip())
        return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname)
    except ValueError:
        return False


def ascii_host(host: str) -> str:
    """A host's name as DNS has it: small letters, without a last dot, other alphabets as xn--."""
    host = host.lower().rstrip(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


def shortened(url: str, longest: int = SHOWN) -> str:
    """An address as a message shows it: its beginning and its end, where it is long."""
    if len(url) <= longest:
        return url
    end = longest // 4
    return f"{url[: longest - end - 1]}…{url[-end:]}"


def _as_sent(path: str, query: str) -> tuple[str, str]:
    """Path and query as urllib3 sends them, so that addresses of one and the same request are one."""
    if not (_SPELT_OTHERWISE.search(path) or _SPELT_OTHERWISE.search(query)):
        return path, query
    from urllib3.util import parse_url  # late, for commands that touch no web

    plain = [_ESCAPED.sub(_unescaped, text) for text in (path, query)]
    sent = parse_url("http://host" + "?".join(plain))
    return sent.path or "/", sent.query or ""


def _unescaped(escaped: re.Match[str]) -> str:
    """A letter for its escape (%7E is ~) where RFC 3986 says that both are the same."""
    letter = chr(int(escaped[1], 16))
    return letter if _NEVER_ESCAPED.fullmatch(letter) else escaped[0]


def _without_tracking(query: str) -> str:
    kept = [part for part in query.split("&") if not _is_tracking(part.partition("=")[0].lower())]
    return "&".join(kept)


def _is_tracking(name: str) -> bool:
    return name.startswith("utm_") or name in _TRACKING
