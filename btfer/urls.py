"""Web addresses as text: which of them are the same address, and how a long one is shown."""

from urllib.parse import SplitResult, unquote, urlsplit

SHOWN = 120  # characters of an address in a message
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What shops, newsletters and, since 2026, Commons add to say where a visitor came from.
_TRACKING = frozenset(
    {"fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid"}
    | {"igshid", "igsh", "mc_cid", "mc_eid", "_ga", "_gl", "srsltid", "mkt_tok"}
)


def identity(url: str) -> str:
    """The one form of all spellings of a web address; anything else (file:, a hash) as it is.

    Left out are blanks around it, the fragment, a default port and tracking parameters (utm_*);
    the host is written small, without a last dot, and in ASCII.
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
    return SplitResult(
        parts.scheme, user + at + host, parts.path or "/", _without_tracking(parts.query), ""
    ).geturl()


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


def _without_tracking(query: str) -> str:
    kept = [part for part in query.split("&") if not _is_tracking(part.partition("=")[0].lower())]
    return "&".join(kept)


def _is_tracking(name: str) -> bool:
    return name.startswith("utm_") or name in _TRACKING
