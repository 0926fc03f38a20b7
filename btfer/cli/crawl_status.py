"""What all crawls together brought, for `btfer status`: photos by cell, and what was asked of sources and hosts."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from btfer.cli import output

if TYPE_CHECKING:
    from btfer.catalogue import Catalogue
    from btfer.pipeline.crawl_tally import CrawlTally
    from btfer.queries import Cell


@dataclass(frozen=True)
class CrawlStatus:
    """photos: by cell. asked: the cells that searches have asked for, in order."""

    photos: dict["Cell", int]
    asked: list["Cell"]
    by_source: dict[str, "CrawlTally"]
    by_host: dict[str, "CrawlTally"]

    @property
    def empty(self) -> list["Cell"]:
        """Cells that were asked for and have no photo."""
        return [one for one in self.asked if not self.photos.get(one)]

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        every = dict.fromkeys([*self.asked, *self.photos])
        return {
            "cells": [one._asdict() | {"photos": self.photos.get(one, 0)} for one in every],
            "sources": {name: asdict(one) for name, one in self.by_source.items()},
            "hosts": {name: asdict(one) for name, one in self.by_host.items()},
        }


def read(cat: "Catalogue", by_cell: dict["Cell", int]) -> CrawlStatus:
    """The state of the catalogue now. by_cell: how many photos each cell has."""
    from btfer.catalogue import photos
    from btfer.pipeline import crawl_tally

    return CrawlStatus(
        by_cell,
        photos.asked_cells(cat),
        crawl_tally.of_sources(cat),
        crawl_tally.of_hosts(cat),
    )


def show(status: CrawlStatus) -> None:
    """Tables of the photos by group and of the busiest hosts, and the empty cells by name."""
    from btfer.pipeline.crawl_outcome import named_cells
    from btfer.pipeline.crawl_tally import COLUMNS, SHOWN, table

    if not status.asked:
        return
    print()
    output.table(*group_table(status))
    if status.empty:
        print(f"{named_cells(status.empty)} (btfer status --json names all)")
    print()
    output.table(["source", *COLUMNS], table(status.by_source))
    output.table(["host", *COLUMNS], table(status.by_host, most=SHOWN))


def group_table(status: CrawlStatus) -> tuple[list[str], list[list[Any]]]:
    """Photos of all classes by language, age and gender, with a column for each ethnicity: head and rows."""
    columns = list(dict.fromkeys(one.ethnicity for one in status.asked))
    counts = Counter[tuple[str, str, str, str]]()
    for one, n in status.photos.items():
        counts[one.language, one.age, one.gender, one.ethnicity] += n
    groups = dict.fromkeys((one.language, one.age, one.gender) for one in status.asked)
    rows = [[*group, *(counts[*group, column] for column in columns)] for group in sorted(groups)]
    return ["language", "age", "gender", *(one or "(any)" for one in columns)], rows
