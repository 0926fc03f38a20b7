"""The README of a release: a datasheet, and in front of it the card that dataset hubs read.

The questions are those of T. Gebru et al., "Datasheets for Datasets", Communications of the ACM 64(12), 2021
(https://arxiv.org/abs/1803.09010); the answers are numbers that were counted, as far as there are any.
"""

from collections import Counter
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from btfer.expressions import EXPRESSIONS
from btfer.pipeline.croissant import CITE
from btfer.pipeline.hub_card import front_matter
from btfer.pipeline.overview import GROUP
from btfer.pipeline.release_facts import NOT_EVALUATED, facts_of, licence_address, unjudged
from btfer.pipeline.release_metadata import ImageMetadata, folder_of_classes
from btfer.release_record import ReleaseRecord

NOT_ASKED = "not asked"


def datasheet(
    metadata: Sequence[ImageMetadata], record: ReleaseRecord, *, has_tombstones: bool = False
) -> str:
    """The text of a release's README.md."""
    facts = facts_of(metadata)
    labels = {one.label for one in metadata}
    templates = Environment(
        loader=PackageLoader("btfer.pipeline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template("datasheet.md.j2").render(
        record.as_json(),
        front_matter=front_matter(metadata, record),
        facts=facts,
        unjudged=unjudged(record, facts),
        has_tombstones=has_tombstones,
        n=len(metadata),
        n_classes=len(labels),
        all_classes=len(EXPRESSIONS),
        absent=" or ".join(one for one in EXPRESSIONS if one not in labels),
        images=folder_of_classes(metadata[0].file_name),
        strata=counted(metadata, *GROUP),
        spread=spread(metadata),
        languages=counted(metadata, "language"),
        sources_of=counted(metadata, "source"),
        licences=counted(metadata, "licence"),
        credited=sum(bool(one.attribution_id) for one in metadata),
        enlarged=sum(one.crop_scale > 2 for one in metadata),
        clipped=sum(bool(one.crop_clipped) for one in metadata),
        stretched=sum(not 0.8 <= one.crop_distortion <= 1.25 for one in metadata),
        synthetic=bool(facts.synthetic),
        btfer_version=record.btfer,
        cite=CITE,
    )


def licence_text(metadata: Sequence[ImageMetadata]) -> str:
    """The text of a release's LICENSE.md: each image has the licence of its photo."""
    lines = [
        f"| {name} | {n} | {licence_address(name)} |\n"
        for (name,), n in counted(metadata, "licence")
    ]
    return (
        "# Licences\n\nEach image has the licence of the photo that it was cut from, as its source states it: "
        "column `licence` of `metadata.csv`. Statements of sources can be wrong.\n\n"
        f"| licence | images | address |\n|---|---|---|\n{''.join(lines)}\n"
        f"{NOT_EVALUATED} means that nobody has found out whether you may use the picture.\n\n"
        "Who is to be named, and how, is in `attribution.csv` where a licence asks for it. Each image was cropped "
        "and resized.\n"
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
