"""Says what the licences of the dependencies oblige to; fails where one is unknown or would bind btfer's own users.

python tests/licence_duties.py licences.json dist/licences.md

licences.json: of `pip-licenses --format json --with-urls --with-license-file`. The list is written as Markdown.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

DUTIES = {
    r"AGPL|Affero|SSPL|Commons Clause|Proprietary|Non-?Commercial": None,  # not to be depended on
    r"LGPL|Lesser": "may be used and replaced freely; who ships a changed copy shares its source",
    r"\bGPL": None,
    r"MPL|Mozilla": "who ships a changed file shares that file's source",
    r"Apache": "keep licence and NOTICE; patents are granted",
    r"BSD|MIT|ISC|HPND|PSF|Python Software Foundation|CMU|Zlib|ZPL|Unlicense|CC0|0BSD|Artistic|Public":
        "keep the copyright line and the licence",
}  # fmt: skip
"""Words in a licence's name, the strictest first, and what follows; None: btfer may not need such a package."""
NOTHING = "UNKNOWN"
STATED_ELSEWHERE = {"mlcroissant": "Apache License 2.0, by its repository"}
"""Packages that carry no licence at all."""
TEXTS = {
    "Apache License 2.0": "www.apache.org/licenses/LICENSE-2.0",
    "MIT": "Permission is hereby granted, free of charge",
    "BSD": "Redistribution and use in source and binary forms",
}
"""Licences by words of their texts. Those that bind more are not among them, so that nothing passes by mistake."""
HEAD = "| name | version | licence | address |\n|---|---|---|---|"


def duty(licence: str) -> str | None:
    """What a licence obliges to; None where it may not be depended on. Raises KeyError for an unknown one."""
    if " OR " in licence or ";" in licence:  # the user chooses
        found = [duty(one) for one in re.split(r" OR |;", licence) if _known(one)]
        return next((one for one in found if one), None)
    return next(what for words, what in DUTIES.items() if re.search(words, licence, re.IGNORECASE))


def _known(licence: str) -> bool:
    return any(re.search(words, licence, re.IGNORECASE) for words in DUTIES)


def licence_of(row: Mapping[str, str]) -> str:
    """The name of a package's licence, from what its metadata say, else its licence file, else STATED_ELSEWHERE.

    Some packages put the whole text where the name belongs.
    """
    said = row["License"] if row["License"] != NOTHING else row["LicenseText"]
    if said == NOTHING:
        return STATED_ELSEWHERE.get(row["Name"], NOTHING)
    if len(said.splitlines()) < 2:
        return said
    return next((name for name, words in TEXTS.items() if words in said), said[:60])


def main() -> None:
    """Print the sums and write the list; exit code 1 for what may not be."""
    source, target = map(Path, sys.argv[1:])
    rows = json.loads(source.read_text(encoding="utf-8"))
    if not rows:
        sys.exit(f"{source} names no package: pip-licenses found no environment")
    wrong, sums, lines = [], Counter[str](), [HEAD]
    for row in rows:
        licence = licence_of(row)
        name = f"{row['Name']} {row['Version']}"
        lines.append(f"| {row['Name']} | {row['Version']} | {licence} | {row['URL']} |")
        if not _known(licence):
            wrong.append(f"{name}: unknown licence '{licence}'")
        elif (what := duty(licence)) is None:
            wrong.append(f"{name}: '{licence}' may not be depended on")
        else:
            sums[what] += 1
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for what, count in sums.most_common():
        print(f"{count:4} packages: {what}")
    for one in wrong:
        print(one)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
