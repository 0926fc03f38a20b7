"""Licences and statements beside the six of Creative Commons: by what names they go, and what they allow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from btfer.licences.licence import Kind, Licence, reserved

_CC = "https://creativecommons.org"
_GNU = "https://www.gnu.org/licenses"


@dataclass(frozen=True)
class Other:
    """A licence with versions; `{v}` in spdx and url is its version, one of `versions` or '' (not stated)."""

    licence: Licence
    spdx: str = ""
    url: str = ""
    versions: tuple[str, ...] = ()
    only_version: str = ""
    or_later: bool = False

    def of(self, version: str = "", later: bool = False) -> Licence | None:
        """This licence in a version; None where it has no such version."""
        version = self._full(version) if version else self.only_version
        if version and version not in self.versions:
            return None
        tail = ("-or-later" if later else "-only") if self.or_later else ""
        stated = bool(version) or "{v}" not in self.spdx + self.url
        return replace(
            self.licence,
            name=" ".join(
                filter(None, (self.licence.name, version + "+" * (later and bool(version))))
            ),
            spdx=self.spdx.format(v=version) + tail if self.spdx and stated else "",
            url=self.url.format(v=version) if stated else "",
            version=version,
        )

    def _full(self, version: str) -> str:
        """`3` is version 3.0."""
        return version if "." in version else f"{version}.0"


def _free(name: str, code: str, credit: bool = False, share_alike: bool = False) -> Licence:
    return Licence(
        name,
        Kind.FREE,
        code,
        may_share=True,
        may_adapt=True,
        may_use_commercially=True,
        needs_credit=credit,
        share_alike=share_alike,
    )


OTHERS: Mapping[str, Other] = {
    "cc0": Other(
        _free("CC0", "cc0"),
        spdx="CC0-{v}",
        url=_CC + "/publicdomain/zero/{v}/",
        versions=("1.0",),
        only_version="1.0",
    ),
    "pdm": Other(
        _free("Public Domain Mark", "pdm"),
        spdx="CC-PDM-{v}",
        url=_CC + "/publicdomain/mark/{v}/",
        versions=("1.0",),
        only_version="1.0",
    ),
    "pd": Other(_free("Public domain", "pd")),
    "pddc": Other(
        _free("Public domain", "pd"), spdx="CC-PDDC", url=_CC + "/licenses/publicdomain/"
    ),
    "usgov": Other(
        _free("United States Government Work", "usgov"),
        url="https://www.usa.gov/government-copyright",
    ),
    "nkcr": Other(
        _free("No known copyright restrictions", "nkcr"),
        url="https://www.flickr.com/commons/usage/",
    ),
    "attribution": Other(_free("Attribution", "attribution", credit=True)),
    "freeuse": Other(_free("Copyrighted free use", "freeuse")),
    "gfdl": Other(
        _free("GFDL", "gfdl", credit=True, share_alike=True),
        spdx="GFDL-{v}",
        url=_GNU + "/old-licenses/fdl-{v}.html",
        versions=("1.1", "1.2", "1.3"),
        or_later=True,
    ),
    "fal": Other(
        _free("Free Art License", "fal", credit=True, share_alike=True),
        spdx="LAL-{v}",
        url="https://artlibre.org/licence/lal/en/",
        versions=("1.2", "1.3"),
    ),
    "ogl": Other(
        _free("Open Government Licence", "ogl", credit=True),
        spdx="OGL-UK-{v}",
        url="https://www.nationalarchives.gov.uk/doc/open-government-licence/version/{v:.1}/",
        versions=("1.0", "2.0", "3.0"),
    ),
    "apache": Other(
        _free("Apache License", "apache", credit=True),
        spdx="Apache-{v}",
        url="https://www.apache.org/licenses/LICENSE-{v}",
        versions=("1.0", "1.1", "2.0"),
    ),
    "mit": Other(
        _free("MIT License", "mit", credit=True),
        spdx="MIT",
        url="https://opensource.org/license/mit",
    ),
    "isc": Other(
        _free("ISC License", "isc", credit=True),
        spdx="ISC",
        url="https://opensource.org/license/isc-license-txt",
    ),
    "bsd2": Other(
        _free("BSD 2-Clause License", "bsd2", credit=True),
        spdx="BSD-2-Clause",
        url="https://opensource.org/license/bsd-2-clause",
    ),
    "bsd3": Other(
        _free("BSD 3-Clause License", "bsd3", credit=True),
        spdx="BSD-3-Clause",
        url="https://opensource.org/license/bsd-3-clause",
    ),
    "bsd": Other(_free("BSD License", "bsd", credit=True)),
    "gpl": Other(
        _free("GPL", "gpl", credit=True, share_alike=True),
        spdx="GPL-{v}",
        url=_GNU + "/old-licenses/gpl-{v}.html",
        versions=("1.0", "2.0", "3.0"),
        or_later=True,
    ),
    "etalab1": Other(_free("Licence Ouverte 1.0", "etalab", credit=True)),
    "etalab": Other(
        _free("Licence Ouverte", "etalab", credit=True),
        spdx="etalab-{v}",
        url="https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
        versions=("2.0",),
    ),
    "dldeby": Other(
        _free("Datenlizenz Deutschland Namensnennung 2.0", "dl-de-by", credit=True),
        spdx="DL-DE-BY-2.0",
        url="https://www.govdata.de/dl-de/by-2-0",
    ),
    "dldezero": Other(
        _free("Datenlizenz Deutschland Zero 2.0", "dl-de-zero"),
        spdx="DL-DE-ZERO-2.0",
        url="https://www.govdata.de/dl-de/zero-2-0",
    ),
    "unlicense": Other(
        _free("Unlicense", "unlicense"), spdx="Unlicense", url="https://unlicense.org/"
    ),
    # Retired licences of Creative Commons. A crop of a photo is no "sampling" (which has to transform the work
    # creatively), and a release goes to all countries, not to developing ones alone: nothing of it may be released.
    "sampling": Other(reserved("CC Sampling", "sampling"), versions=("1.0",)),
    "sampling+": Other(reserved("CC Sampling+", "sampling+"), versions=("1.0",)),
    "nc-sampling+": Other(reserved("CC NC-Sampling+", "nc-sampling+"), versions=("1.0",)),
    "devnations": Other(reserved("CC Developing Nations", "devnations"), versions=("2.0",)),
}
"""By the keys of the table `names.toml`."""

RIGHTS_STATEMENTS: Mapping[str, Licence] = {
    code: reserved(name, code, f"https://rightsstatements.org/vocab/{code}/1.0/")
    for code, name in (
        ("InC", "In copyright"),
        ("InC-OW-EU", "In copyright, EU orphan work"),
        ("InC-EDU", "In copyright, educational use permitted"),
        ("InC-NC", "In copyright, non-commercial use permitted"),
        ("InC-RUU", "In copyright, rights holders cannot be found"),
    )
} | {
    code: Licence(name, Kind.UNKNOWN, code, url=f"https://rightsstatements.org/vocab/{code}/1.0/")
    for code, name in (
        ("NoC-CR", "No copyright, contractual restrictions"),
        ("NoC-NC", "No copyright, non-commercial use only"),
        ("NoC-OKLR", "No copyright, other known legal restrictions"),
        ("NoC-US", "No copyright in the United States"),
        ("CNE", "Copyright not evaluated"),
        ("UND", "Copyright undetermined"),
        ("NKC", "No known copyright"),
    )
}
"""By their codes. All that are in copyright are reserved: a permitted use is no permission to adapt and publish.
The others say of no country but one, or of nothing at all, that everybody may adapt the work: they stay unknown."""

RIGHTS_NAMES: Mapping[str, str] = {
    "inc": "InC",
    "in copyright": "InC",
    "inc ow eu": "InC-OW-EU",
    "in copyright eu orphan work": "InC-OW-EU",
    "inc edu": "InC-EDU",
    "in copyright educational use permitted": "InC-EDU",
    "inc nc": "InC-NC",
    "in copyright non commercial use permitted": "InC-NC",
    "inc ruu": "InC-RUU",
    "in copyright rights holder s unlocatable or unidentifiable": "InC-RUU",
    "noc cr": "NoC-CR",
    "no copyright contractual restrictions": "NoC-CR",
    "noc nc": "NoC-NC",
    "no copyright non commercial use only": "NoC-NC",
    "noc oklr": "NoC-OKLR",
    "no copyright other known legal restrictions": "NoC-OKLR",
    "noc us": "NoC-US",
    "no copyright united states": "NoC-US",
    "cne": "CNE",
    "copyright not evaluated": "CNE",
    "und": "UND",
    "copyright undetermined": "UND",
    "nkc": "NKC",
    "no known copyright": "NKC",
}
"""Codes and titles of rightsstatements.org, which museums write instead of the address, in plain words."""

FLICKR: Mapping[str, tuple[str, str]] = {
    "0": ("All rights reserved", ""),
    "1": ("CC BY-NC-SA 2.0", f"{_CC}/licenses/by-nc-sa/2.0/"),
    "2": ("CC BY-NC 2.0", f"{_CC}/licenses/by-nc/2.0/"),
    "3": ("CC BY-NC-ND 2.0", f"{_CC}/licenses/by-nc-nd/2.0/"),
    "4": ("CC BY 2.0", f"{_CC}/licenses/by/2.0/"),
    "5": ("CC BY-SA 2.0", f"{_CC}/licenses/by-sa/2.0/"),
    "6": ("CC BY-ND 2.0", f"{_CC}/licenses/by-nd/2.0/"),
    "7": ("No known copyright restrictions", "https://www.flickr.com/commons/usage/"),
    "8": ("United States Government Work", "https://www.usa.gov/copyright.shtml"),
    "9": ("CC0 1.0", f"{_CC}/publicdomain/zero/1.0/"),
    "10": ("Public Domain Mark 1.0", f"{_CC}/publicdomain/mark/1.0/"),
    "11": ("CC BY 4.0", f"{_CC}/licenses/by/4.0/"),
    "12": ("CC BY-SA 4.0", f"{_CC}/licenses/by-sa/4.0/"),
    "13": ("CC BY-ND 4.0", f"{_CC}/licenses/by-nd/4.0/"),
    "14": ("CC BY-NC 4.0", f"{_CC}/licenses/by-nc/4.0/"),
    "15": ("CC BY-NC-SA 4.0", f"{_CC}/licenses/by-nc-sa/4.0/"),
    "16": ("CC BY-NC-ND 4.0", f"{_CC}/licenses/by-nc-nd/4.0/"),
}
"""Name and address of each of Flickr's licence numbers (flickr.photos.licenses.getInfo)."""
