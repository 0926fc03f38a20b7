"""The query plan: TOML files that a native speaker can read, expanded to search phrases.

A plan is a folder: `expressions.toml` (terms of each class), `people.toml` (the groups of people to search
for) and `languages/<code>.toml` (word order, nouns and agreement); it may have `sources.toml` (words that
one source's search gets beside a phrase). Source of the grid: BTFER, section 2.

cells      class, language and group; the order in which they are asked
plan       queries; load a plan and expand it
plan_file  one TOML file, and the line of each value
check      whether the files are complete
phrases    word order and the forms of words
tables     the plan as tables and as a CSV
"""

from btfer.queries.cells import Cell
from btfer.queries.plan import Query, QueryPlan, find_plan, load_plan
from btfer.queries.tables import group_table, plan_table, write_plan

__all__ = [
    "Cell",
    "Query",
    "QueryPlan",
    "find_plan",
    "group_table",
    "load_plan",
    "plan_table",
    "write_plan",
]
