"""One licence as it was read: what it is called, and what it allows.

It is a filter, no legal advice: what is not recognised is `unknown`, never free.
"""

from dataclasses import dataclass
from enum import StrEnum

CC_VERSIONS = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
_CC_URL = "https://creativecommons.org/licenses"
_CC_ORDER = ("by", "nc", "nd", "sa")
_RETIRED_WITHOUT_BY = {"sa", "nc", "nd", "nc-sa", "nd-nc"}
"""Version 1.0 had licences that ask for no credit; all of them are retired since 2004."""
_PORTS_IN_SPDX = {
    *("CC-BY-2.5-AU", "CC-BY-3.0-AT", "CC-BY-3.0-AU", "CC-BY-3.0-DE", "CC-BY-3.0-IGO"),
    *("CC-BY-3.0-NL", "CC-BY-3.0-US", "CC-BY-NC-3.0-DE", "CC-BY-NC-ND-3.0-DE"),
    *("CC-BY-NC-ND-3.0-IGO", "CC-BY-NC-SA-2.0-DE", "CC-BY-NC-SA-2.0-FR", "CC-BY-NC-SA-2.0-UK"),
    *("CC-BY-NC-SA-3.0-DE", "CC-BY-NC-SA-3.0-IGO", "CC-BY-ND-3.0-DE", "CC-BY-SA-2.0-UK"),
    *("CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-AT", "CC-BY-SA-3.0-DE", "CC-BY-SA-3.0-IGO"),
}


class Kind(StrEnum):
    """What a statement amounts to.

    FREE: everybody may share and adapt the work, perhaps not commercially. RESERVED: nobody may adapt it, or
    nobody may do anything with it. UNKNOWN: something is stated, and it is not understood. NOT_STATED: nothing is.
    """

    FREE = "free"
    RESERVED = "reserved"
    UNKNOWN = "unknown"
    NOT_STATED = "not stated"


@dataclass(frozen=True)
class Licence:
    """What one statement says.

    name: as it is shown; of an unknown one the statement itself. code: its family (`by-nc-sa`, `cc0`, `gfdl`), the
    same for all versions and ports. spdx: '' where SPDX has no id. url: the canonical address, '' where there is
    none. version, port: '' where none is stated. conflict: a sentence where name and address contradict each other.
    """

    name: str
    kind: Kind
    code: str = ""
    spdx: str = ""
    url: str = ""
    version: str = ""
    port: str = ""
    may_share: bool = False
    may_adapt: bool = False
    may_use_commercially: bool = False
    needs_credit: bool = False
    share_alike: bool = False
    conflict: str = ""


NOT_STATED = Licence("not stated", Kind.NOT_STATED)


def unknown(statement: str) -> Licence:
    """The licence of a statement that is not understood."""
    short = " ".join(statement.split())
    return Licence(short if len(short) <= 80 else f"{short[:79]}…", Kind.UNKNOWN)


def reserved(name: str, code: str = "reserved", url: str = "") -> Licence:
    """A work with which nobody may do anything without asking."""
    return Licence(name, Kind.RESERVED, code, url=url)


def creative_commons(elements: frozenset[str], version: str = "", port: str = "") -> Licence | None:
    """A licence of Creative Commons by its elements (by, nc, nd, sa); None where there is no such one.

    No-derivatives counts even in a combination or a version that never existed.
    """
    code = _code(elements, version)
    exists = _exists(elements, code, version, port)
    if not exists and "nd" not in elements:
        return None
    adapt = "nd" not in elements
    return Licence(
        " ".join(filter(None, ("CC", code.upper(), version, port.upper()))),
        Kind.FREE if adapt else Kind.RESERVED,
        "-".join(one for one in _CC_ORDER if one in elements),
        spdx=_cc_spdx(elements, version, port) if exists else "",
        url="".join(f"{one}/" for one in (_CC_URL, code, version, port) if one)
        if exists and version
        else "",
        version=version,
        port=port,
        may_share=exists,
        may_adapt=adapt,
        may_use_commercially="nc" not in elements,
        needs_credit="by" in elements,
        share_alike="sa" in elements,
    )


def _code(elements: frozenset[str], version: str) -> str:
    """`by-nc-nd`; version 1.0 put `nd` first."""
    nd_first = version == "1.0" or "by" not in elements
    order = ("by", "nd", "nc", "sa") if nd_first else _CC_ORDER
    return "-".join(one for one in order if one in elements)


def _exists(elements: frozenset[str], code: str, version: str, port: str) -> bool:
    if {"nd", "sa"} <= elements or version not in ("", *CC_VERSIONS):
        return False
    if port and version not in ("2.0", "2.1", "2.5", "3.0"):
        return False
    return "by" in elements or (code in _RETIRED_WITHOUT_BY and version in ("", "1.0"))


def _cc_spdx(elements: frozenset[str], version: str, port: str) -> str:
    parts = [one for one in _CC_ORDER if one in elements]
    spdx = "-".join(("CC", *parts, version, *filter(None, (port,)))).upper()
    if not version or ("by" not in elements and spdx != "CC-SA-1.0"):
        return ""
    return spdx if (not port and version != "2.1") or spdx in _PORTS_IN_SPDX else ""
