"""The README of a release: a datasheet, and in front of it the card that dataset hubs read.

The questions are those of T. Gebru et al., "Datasheets for Datasets", Communications of the ACM 64(12), 2021
(https://arxiv.org/abs/1803.09010); the answers are numbers that were counted, as far as there are any.
"""

from collections import Counter
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from btfer.pipeline.croissant import CITE
from btfer.pipeline.overview import GROUP
from btfer.pipeline.release_metadata import ImageMetadata
from btfer.release_record import ReleaseRecord

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
NOT_ASKED = "not asked"


def datasheet(metadata: Sequence[ImageMetadata], record: ReleaseRecord) -> str:
    """The text of a release's README.md."""
    templates = Environment(
        loader=PackageLoader("btfer.pipeline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template("datasheet.md.j2").render(
        record.as_json(),
        n=len(metadata),
        strata=counted(metadata, *GROUP),
        spread=spread(metadata),
        languages=counted(metadata, "language"),
        sources_of=counted(metadata, "source"),
        licences=counted(metadata, "licence"),
        credited=sum(bool(one.attribution_id) for one in metadata),
        reviewed=sum(one.reviewed for one in metadata),
        enlarged=sum(one.crop_scale > 2 for one in metadata),
        clipped=sum(bool(one.crop_clipped) for one in metadata),
        stretched=sum(not 0.8 <= one.crop_distortion <= 1.25 for one in metadata),
        size=next((word for most, word in SIZES if len(metadata) < most), "n>100K"),
        synthetic=any(one.source == "sample" for one in metadata),
        btfer_version=record.btfer,
        cite=CITE,
    )


def counted(metadata: Sequence[ImageMetadata], *columns: str) -> list[tuple[tuple[str, ...], int]]:
    """How many images have which words in these columns, in alphabetic order."""
    found = Counter(tuple(getattr(one, name) or NOT_ASKED for name in columns) for one in metadata)
    return sorted(found.items())


def spread(metadata: Sequence[ImageMetadata]) -> list[tuple[str, int, int, int]]:
    """For each class: how many groups were asked for, and how many images the smallest and the largest have."""
    groups: dict[str, Counter[tuple[str, ...]]] = {}
    for one in metadata:
        groups.setdefault(one.label, Counter())[one.ethnicity, one.gender, one.age] += 1
    return [
        (label, len(its), min(its.values()), max(its.values()))
        for label, its in sorted(groups.items())
    ]
