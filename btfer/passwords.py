"""Passwords, keys and tokens kept out of what is printed and logged, also where they were put in the wrong place."""

import re
from urllib.parse import unquote

HIDDEN = "***"
_SECRET = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
_PARAMETER = re.compile(r"([^\s?&;=]+)=([^&]*)")
_SETTING = re.compile(r"(\b\w*(?:passw|pwd)\w*\s*=\s*)('[^']*'|\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"\b[a-z][a-z\d+.-]*://\S+?(?=[)'\":;,.]*(?:\s|$))", re.IGNORECASE)
_LOGIN = re.compile(r"(\b[a-z][a-z\d+.-]*://[^\s/:@]*:)[^\s/@]*@", re.IGNORECASE)
_PORT = re.compile(r"\d+\b")
_DATABASES = ("postgres", "mysql", "mariadb", "mongodb", "redis", "oracle", "mssql")


def without_password(url: str) -> str:
    """The URL of a database with `***` for its password, wherever it stands; mistyped ones are taken too.

    That is what stands between the user's name and the host, a port that is no number (the host was left out),
    parameters that name a secret, and the same among the words of a libpq connection string.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return HIDDEN if "@" in url or _SETTING.search(url) else url
    rest = _PARAMETER.sub(_without_secret, rest)
    login, at, place = rest.rpartition("@")  # a password may have an @ in it
    user, colon, _ = login.partition(":")
    if not at:
        host, colon_, port = place.partition(":")
        is_address = not colon_ or "/" in host or host.startswith("[") or _PORT.match(port)
        return f"{scheme}://{place if is_address else f'{host}:{HIDDEN}'}"
    return f"{scheme}://{user}{f':{HIDDEN}' if colon else ''}{at}{place}"


def without_passwords(text: str) -> str:
    """A message with `***` for the password of every URL in it, and for `password=...`."""
    text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    text = _ADDRESS.sub(lambda found: _of_database(found[0]), text)
    return _SETTING.sub(rf"\1{HIDDEN}", text)


def _of_database(address: str) -> str:
    return without_password(address) if address.lower().startswith(_DATABASES) else address


def _without_secret(parameter: re.Match[str]) -> str:
    name, value = parameter.groups()
    return f"{name}={HIDDEN if _SECRET.search(unquote(name)) else value}"
