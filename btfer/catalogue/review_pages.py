"""Pages of judgements as wholes: how long each took, what nobody looked at, and which guidelines were read."""

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue
from btfer.catalogue.tables import review_page


@dataclass(frozen=True)
class PageFacts:
    """What is known of a page beside its verdicts.

    seconds: from opening to sending (0 = not known). unseen: pictures that were kept and never on the screen.
    guidelines: the version that the reviewer had before them ('' = none).
    """

    seconds: float = 0.0
    unseen: int = 0
    guidelines: str = ""


def add_within(
    connection: sa.Connection, round_: str, reviewer: str, at: str, facts: PageFacts
) -> None:
    """Record a page inside the caller's transaction. at: the time of its verdicts."""
    row = {"round": round_, "reviewer": reviewer, "at": at} | asdict(facts)
    connection.execute(sa.insert(review_page).values(row))


def unseen_times(cat: Catalogue, reviewer: str) -> set[str]:
    """When (ISO times in UTC) a person sent pages that they had not looked at."""
    own = (review_page.c.reviewer == reviewer) & (review_page.c.unseen > 0)
    with cat.read() as connection:
        return set(connection.execute(sa.select(review_page.c.at).where(own)).scalars())


def guidelines_of(cat: Catalogue, round_: str) -> dict[tuple[str, str], str]:
    """The version of the guidelines by (reviewer, time of the verdicts), where one was recorded."""
    columns = (review_page.c.reviewer, review_page.c.at, review_page.c.guidelines)
    rows = sa.select(*columns).where(review_page.c.round == round_, review_page.c.guidelines != "")
    with cat.read() as connection:
        return {(row.reviewer, row.at): row.guidelines for row in connection.execute(rows)}
