"""The README of a release: a datasheet, and in front of it the card that dataset hubs read.

The questions are those of T. Gebru et al., "Datasheets for Datasets", Communications of the ACM 64(12), 2021
(https://arxiv.org/abs/1803.09010); the answers are numbers that were counted, as far as there are any.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from btfer import RESULTS_VERSION
from btfer.catalogue.store import Row
from btfer.pipeline.croissant import CITE
from btfer.pipeline.overview import GROUP

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
NOT_ASKED = "not asked"


def datasheet(metadata: Sequence[Row], record: Mapping[str, Any]) -> str:
    """The text. metadata: the rows of metadata.csv; record: the content of release.json."""
    templates = Environment(
        loader=PackageLoader("btfer.pipeline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template("datasheet.md.j2").render(
        record,
        n=len(metadata),
        strata=counted(metadata, *GROUP),
        spread=spread(metadata),
        languages=counted(metadata, "language"),
        sources_of=counted(metadata, "source"),
        licences=counted(metadata, "licence"),
        credited=sum(bool(row["attribution_id"]) for row in metadata),
        reviewed=sum(row["reviewed"] == "yes" for row in metadata),
        enlarged=sum(float(row["crop_scale"]) > 2 for row in metadata),
        clipped=sum(bool(row["crop_clipped"]) for row in metadata),
        stretched=sum(not 0.8 <= float(row["crop_distortion"]) <= 1.25 for row in metadata),
        size=next((word for most, word in SIZES if len(metadata) < most), "n>100K"),
        synthetic=any(row["source"] == "sample" for row in metadata),
        btfer_version=RESULTS_VERSION,
        cite=CITE,
    )


def counted(metadata: Sequence[Row], *columns: str) -> list[tuple[tuple[str, ...], int]]:
    """How many images have which words in these columns, in alphabetic order."""
    found = Counter(tuple(row[name] or NOT_ASKED for name in columns) for row in metadata)
    return sorted(found.items())


def spread(metadata: Sequence[Row]) -> list[tuple[str, int, int, int]]:
    """For each class: how many groups were asked for, and how many images the smallest and the largest have."""
    groups: dict[str, Counter[tuple[str, ...]]] = {}
    for row in metadata:
        groups.setdefault(row["label"], Counter())[tuple(row[name] for name in GROUP)] += 1
    return [
        (label, len(its), min(its.values()), max(its.values()))
        for label, its in sorted(groups.items())
    ]
