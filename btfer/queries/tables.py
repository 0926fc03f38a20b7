"""A plan as tables: queries of each class, language and group, and all of them as a CSV."""

from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path

from btfer.csv_writer import as_csv
from btfer.files import write_atomic
from btfer.queries.check import PEOPLE
from btfer.queries.plan import Query, QueryPlan

Table = list[list[str | int]]


def plan_table(plan: QueryPlan) -> Table:
    """Rows of class, language, number of queries."""
    counts = Counter((query.expression, query.language) for query in plan.queries)
    return [[label, language, n] for (label, language), n in sorted(counts.items())]


def group_table(plan: QueryPlan) -> Table:
    """Rows of kind (ethnicity, gender or age), group, number of queries per language, total.

    The languages' columns are in the order of `plan.languages`.
    """
    rows: Table = []
    for kind in PEOPLE:
        counts = Counter((getattr(query, kind), query.language) for query in plan.queries)
        for group in dict.fromkeys(group for group, _ in counts):
            per_language = [counts[group, language] for language in plan.languages]
            rows.append([kind, group, *per_language, sum(per_language)])
    return rows


def write_plan(plan: QueryPlan, path: Path) -> None:
    """Write every query as a line of a CSV: phrase, expression, language, ethnicity, gender, age, plan."""
    columns = [key.name for key in fields(Query)]
    write_atomic(path, as_csv(columns, (asdict(query) for query in plan.queries)))
