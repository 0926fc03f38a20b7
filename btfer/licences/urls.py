"""Reads the address of a licence: of Creative Commons, SPDX, rightsstatements.org, and of those who write their own."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit

from btfer.licences.licence import Licence, creative_commons, reserved
from btfer.licences.names import read_name
from btfer.licences.others import OTHERS, RIGHTS_STATEMENTS
from btfer.licences.words import PORTS

_ELEMENTS = {"by", "nc", "nd", "sa"}
_OLD_CC = {"sampling", "sampling+", "nc-sampling+", "devnations"}
_SOFTWARE = {"mit": "mit", "bsd": "bsd", "gpl": "gpl"}
_OPEN_SOURCE = {"apache", "mit", "isc", "bsd", "bsd2", "bsd3", "gpl"}
_AGENCIES = re.compile(
    r"(?:gettyimages|shutterstock|alamy|istockphoto|depositphotos|dreamstime|123rf|stock\.adobe|agefotostock)\.[a-z.]+"
)


def read_url(url: str) -> Licence | None:
    """The licence at an address; None where it is not the address of one that is known."""
    host, path = _divided(url)
    if reader := _HOSTS.get(host):
        return reader(path)
    if _AGENCIES.fullmatch(host):
        return reserved(f"Licence of {host}", url=f"https://{host}/")
    return None


def _divided(url: str) -> tuple[str, list[str]]:
    """Host without www, and the steps of the path; query and fragment say only how a page is shown."""
    text = url.strip()
    if not re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE):
        text = "https://" + text.lstrip("/")
    try:
        seen = urlsplit(text)
        host = (seen.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return "", []
    if seen.scheme.lower() not in ("http", "https"):
        return "", []
    return host, [step for step in unquote(seen.path).casefold().split("/") if step]


def _creative_commons(path: list[str]) -> Licence | None:
    match _without_page(path):
        case ["licenses", "publicdomain", *_] | ["publicdomain", "certification", *_]:
            return OTHERS["pddc"].of()
        case (
            ["publicdomain", "zero", *rest]
            | ["licenses", "zero" | "cc0", *rest]
            | ["l" | "p", "zero", *rest]
        ):
            return _other("cc0", rest)
        case ["publicdomain", "mark", *rest] | ["l" | "p", "mark", *rest]:
            return _other("pdm", rest)
        case ["licenses" | "l", code, *rest] if code in _OLD_CC:
            return OTHERS[code].of()
        case ["licenses", code, *rest] if code in _SOFTWARE:
            return _other(_SOFTWARE[code], rest)
        case ["licenses" | "l", code, *rest] if len(rest) < 3 and _ELEMENTS.issuperset(
            code.split("-")
        ):
            version, port = (*rest, "", "")[:2]
            if port and port not in PORTS:
                return None
            return creative_commons(frozenset(code.split("-")), version, port)
    return None


def _without_page(path: list[str]) -> list[str]:
    """Without the page of a licence that is meant: its deed, its text, its RDF, its button."""
    pages = r"(deed|legalcode|rdf)([.-].*)?|\d+x\d+\.(png|svg)|index\.html?"
    while path and re.fullmatch(pages, path[-1]):
        path = path[:-1]
    return path


def _other(key: str, rest: list[str]) -> Licence | None:
    """A licence by key, in the version that is the next step of its path."""
    if rest and not re.fullmatch(r"\d(\.\d)?", rest[0]):
        return None
    return OTHERS[key].of(rest[0] if rest else "")


def _spdx(path: list[str]) -> Licence | None:
    if len(path) != 2 or path[0] != "licenses":
        return None
    named = read_name(re.sub(r"\.(html|txt|json|rdf)$", "", path[1]))
    return named if named and named.spdx else None


def _rights_statements(path: list[str]) -> Licence | None:
    codes = {code.casefold(): code for code in RIGHTS_STATEMENTS}
    return next((RIGHTS_STATEMENTS[codes[step]] for step in path if step in codes), None)


def _gnu(path: list[str]) -> Licence | None:
    found = re.fullmatch(r"(fdl|gpl)(?:-(\d\.\d))?(?:\.[a-z.-]+)?", path[-1] if path else "")
    if not found:
        return None
    return OTHERS["gfdl" if found[1] == "fdl" else "gpl"].of(found[2] or "")


def _uk_archives(path: list[str]) -> Licence | None:
    match path:
        case ["doc", "open-government-licence", "version", version, *_]:
            return _other("ogl", [version])
        case ["doc", "open-government-licence", *_]:
            return OTHERS["ogl"].of()
    return None


def _open_source(path: list[str]) -> Licence | None:
    if len(path) != 2 or path[0] not in ("license", "licenses"):
        return None
    named = read_name(re.sub(r"(-license-txt|\.php|\.html)$", "", path[1]))
    return named if named and named.code in _OPEN_SOURCE else None


def _apache(path: list[str]) -> Licence | None:
    found = re.fullmatch(r"license-(\d\.\d)(?:\.(?:html|txt))?", path[-1] if path else "")
    return OTHERS["apache"].of(found[1]) if found else None


def _under(start: list[str], key: str) -> Callable[[list[str]], Licence | None]:
    """A reader of a site that has one licence, below a path."""
    return lambda path: OTHERS[key].of() if path[: len(start)] == start else None


def _usa(path: list[str]) -> Licence | None:
    pages = {"copyright.shtml", "government-works", "government-copyright"}
    return OTHERS["usgov"].of() if path[:1] and path[0] in pages else None


def _govdata(path: list[str]) -> Licence | None:
    match path:
        case ["dl-de", "by-2-0"]:
            return OTHERS["dldeby"].of()
        case ["dl-de", "zero-2-0"]:
            return OTHERS["dldezero"].of()
    return None


def _wikipedia(path: list[str]) -> Licence | None:
    return OTHERS["pd"].of() if path == ["wiki", "public_domain"] else None


_HOSTS: Mapping[str, Callable[[list[str]], Licence | None]] = {
    "creativecommons.org": _creative_commons,
    "i.creativecommons.org": _creative_commons,
    "licensebuttons.net": _creative_commons,
    "spdx.org": _spdx,
    "rightsstatements.org": _rights_statements,
    "gnu.org": _gnu,
    "artlibre.org": _under(["licence", "lal"], "fal"),
    "nationalarchives.gov.uk": _uk_archives,
    "opensource.org": _open_source,
    "apache.org": _apache,
    "flickr.com": _under(["commons", "usage"], "nkcr"),
    "usa.gov": _usa,
    "etalab.gouv.fr": _under(["licence-ouverte-open-licence"], "etalab"),
    "govdata.de": _govdata,
    "unlicense.org": _under([], "unlicense"),
    "en.wikipedia.org": _wikipedia,
}
