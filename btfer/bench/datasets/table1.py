"""Images of each class in the sets that the paper trained on, and ours beside them.

Source: BTFER, Table 1; in label order. Its text says 887 for disgust in RAF-DB, its table 877.
"""

from btfer.bench.datasets.sets import Split, class_counts
from btfer.expressions import EXPRESSIONS

TABLE_1 = {
    "rafdb": (867, 877, 355, 5957, 3204, 2460, 1619),
    "fer2013": (4953, 547, 5121, 8989, 6198, 6077, 4002),
    "affectnet": (3353, 2480, 3289, 4791, 4878, 3164, 3983),
}


def beside_table_1(split: Split) -> list[str]:
    """A line for each class: images to learn from, to steer by, to test on, in all, in the paper."""
    labels = split.train.labels
    parts = (split.train_indices, split.validation_indices, split.test_indices)
    columns = [class_counts(labels[part]) for part in parts]
    columns.append([sum(row) for row in zip(*columns, strict=True)])
    paper = TABLE_1.get(split.kind)
    titles = ["train", "validation", "test", "all", *(["paper"] if paper else [])]
    columns += [list(paper)] if paper else []
    lines = [_line("", titles)]
    lines += [
        _line(name, [f"{column[label]:,}" for column in columns])
        for label, name in enumerate(EXPRESSIONS)
    ]
    return [*lines, _line("", [f"{sum(column):,}" for column in columns])]


def _line(name: str, cells: list[str]) -> str:
    return f"  {name:9}" + "".join(f"{cell:>11}" for cell in cells)
