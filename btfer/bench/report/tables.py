"""Tables 2 and 3 in the paper's shape, ours beside the published numbers, as rows, Markdown and LaTeX."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from btfer.bench.published import MARKS, TRAINING_SETS, published_tables
from btfer.bench.report.seed_groups import BTFER, IN_DOMAIN, TEST, VALIDATION

RESOLUTION = {2: 48, 3: 224}
BALANCES = ("simple", "conservative")
PARTS = ("validation", "btfer")
SCORES = {"precision": "P", "recall": "R", "f1": "F1", "accuracy": "Acc"}
COLUMNS = [(balance, part, score) for balance in BALANCES for part in PARTS for score in SCORES]
"""The sixteen numbers of a row, in the paper's order."""

LETTERS = dict(zip(MARKS, "abcdefgh", strict=True))
NOT_RUN = "not run"

_TEX = {
    **{one: f"\\{one}" for one in "&%$#_{}"},
    **{one: f"${one}$" for one in "<>|"},
    "\\": "/",
    "~": "$\\sim$",
    "^": "\\^{}",
    '"': "''",
}

_PREFERRED = {TEST: 1, VALIDATION: 0, BTFER: 0}  # what no training has looked at comes first


@dataclass(frozen=True)
class TableEntry:
    """One number of a table: ours, the published one, or both. None where there is none."""

    ours: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    sd: float | None = None
    published: float | None = None
    difference: float | None = None
    letters: str = ""
    why: str = ""


@dataclass
class TableLine:
    """One network on one training set. entries: by (balance, part, score)."""

    model: str
    parameters: str
    training_set: str
    entries: dict[tuple[str, str, str], TableEntry] = field(default_factory=dict)

    @property
    def run(self) -> bool:
        """Whether any of it is ours."""
        return any(one.ours is not None for one in self.entries.values())

    @property
    def set_name(self) -> str:
        """The printed name of the training set."""
        return TRAINING_SETS.get(self.training_set, self.training_set)

    def at(self, column: tuple[str, str, str]) -> TableEntry:
        """The entry of a column; an empty one where nothing is known."""
        return self.entries.get(column, TableEntry())


def table_lines(
    results: pd.DataFrame, table: int, protocol: str, release: str | None = None
) -> list[TableLine]:
    """The paper's rows of a table in their order, then networks and training sets that it has not.

    results: of comparable cells. protocol: whose runs stand in it. release: whose images, as in the column
    `pictures`, since a cell never mixes two; None = of the one with most scores.
    """
    if release is None:
        release = next(iter(releases(results)), "")
    lines: dict[tuple[str, str, str], TableLine] = {}
    for one in _records(published_tables().query("table == @table")):
        _line(lines, one, one["model"], one["parameters"])
        for score in SCORES:
            _put(lines, one, one["scored_on"], score, _published(one, score))
    ours = results[
        (results["protocol"] == protocol)
        & (results["resolution"] == RESOLUTION[table])
        & results["scored_on"].isin(_PREFERRED)
        & results["balance"].isin(BALANCES)
        & results["score"].isin(list(SCORES))
        & ((results["scored_on"] != BTFER) | (results["pictures"] == release))
    ]
    for one in sorted(_records(ours), key=lambda row: _PREFERRED[row["scored_on"]]):
        _line(lines, one, one["model"], _millions(one["parameters"]))
        part = BTFER if one["scored_on"] == BTFER else VALIDATION
        _put(lines, one, part, one["score"], _ours(one))
    return _grouped(lines)


def markdown(lines: list[TableLine], title: str) -> str:
    """A table of sixteen numbers a row: a line for the published ones, one for ours where there are any."""
    head = [f"{b} {part} {SCORES[score]}" for b, part, score in COLUMNS]
    rows = [["Model", "PARAM", "Dataset", "", *head], ["---"] * (4 + len(COLUMNS))]
    for line in lines:
        for source, texts in _sources(line, _plain):
            rows.append([line.model, line.parameters, line.set_name, source, *texts])
    body = "".join(f"| {' | '.join(_escaped(row))} |\n" for row in rows)
    return f"## {title}\n\n{body}\n{_legend()}\n"


def latex(lines: list[TableLine], title: str) -> str:
    """The same as a longtable (packages longtable, booktabs); intervals as sub- and superscripts."""
    out = [
        "% needs \\usepackage{longtable,booktabs}",
        "\\begingroup\\scriptsize\\setlength{\\tabcolsep}{2pt}",
        f"\\begin{{longtable}}{{lll@{{\\hskip 4pt}}l*{{{len(COLUMNS)}}}{{r}}}}",
        f"\\caption{{{_tex(title)}}}\\\\",
        "\\toprule",
        " & & & "
        + "".join(f"& \\multicolumn{{8}}{{c}}{{{b.title()} Balancing}} " for b in BALANCES)
        + "\\\\",
        " & & & "
        + "& \\multicolumn{4}{c}{Validation} & \\multicolumn{4}{c}{Cross-domain} " * len(BALANCES)
        + "\\\\",
        "Model & PARAM & Dataset &  & " + " & ".join(list(SCORES.values()) * 4) + "\\\\",
        "\\midrule\\endhead",
    ]
    for line in lines:
        for source, texts in _sources(line, _tex_entry):
            first = [_tex(text) for text in (line.model, line.parameters, line.set_name, source)]
            out.append(" & ".join([*first, *texts]) + "\\\\")
    out += ["\\bottomrule", "\\end{longtable}", "\\endgroup", f"% {_legend()}"]
    return "\n".join(out) + "\n"


def protocols(results: pd.DataFrame) -> list[str]:
    """Protocols of what the tables have a place for, in alphabetical order: trained networks, not in-domain."""
    run = results[
        (results["state"] == "done")
        & (results["scored_on"] != IN_DOMAIN)
        & results["balance"].isin(BALANCES)
        & results["resolution"].isin(RESOLUTION.values())
    ]
    return sorted(run["protocol"].unique())


def releases(results: pd.DataFrame) -> list[str]:
    """Names of the releases of cross-domain scores in the tables, the one with the most first."""
    run = results[
        (results["state"] == "done")
        & (results["scored_on"] == BTFER)
        & results["balance"].isin(BALANCES)
        & results["resolution"].isin(RESOLUTION.values())
    ]
    return [str(name) for name in run["pictures"].value_counts().index]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[Any] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _line(lines: dict[Any, TableLine], one: dict[str, Any], model: str, parameters: str) -> None:
    key = (one["architecture"], one["weights"], one["training_set"])
    lines.setdefault(key, TableLine(model, parameters, one["training_set"]))


def _put(
    lines: dict[Any, TableLine], one: dict[str, Any], part: str, score: str, entry: TableEntry
) -> None:
    line = lines[(one["architecture"], one["weights"], one["training_set"])]
    line.entries[(one["balance"], part, score)] = entry


def _published(one: dict[str, Any], score: str) -> TableEntry:
    letters = "".join(LETTERS[mark] for mark in one["marks"].split())
    return TableEntry(published=one[score], letters=letters, why=one["reason"])


def _ours(one: dict[str, Any]) -> TableEntry:
    return TableEntry(
        one["ours"],
        one["low"],
        one["high"],
        one["seeds"],
        one["seeds_sd"],
        one["published"],
        one["difference"],
        "".join(LETTERS[mark] for mark in one["marks"].split()),
        one["reason"],
    )


def _grouped(lines: dict[Any, TableLine]) -> list[TableLine]:
    """New training sets of a network right below the paper's rows of it."""
    order = {key[:2]: number for number, key in reversed(list(enumerate(lines)))}
    return [lines[key] for key in sorted(lines, key=lambda key: order[key[:2]])]


def _sources(line: TableLine, text: Any) -> Iterator[tuple[str, list[str]]]:
    found = [line.at(column) for column in COLUMNS]
    if any(one.published is not None for one in found):
        label = "published" if line.run else f"published; {NOT_RUN}"
        yield (
            label,
            [text(TableEntry(published=one.published, letters=one.letters)) for one in found],
        )
    if line.run:
        yield "ours", [text(_only_ours(one)) for one in found]


def _only_ours(one: TableEntry) -> TableEntry:
    return TableEntry(one.ours, one.low, one.high, one.seeds, one.sd)


def _plain(one: TableEntry) -> str:
    if one.published is not None:
        return f"{one.published:.2f}{'^' + one.letters if one.letters else ''}"
    if one.ours is None:
        return NOT_RUN
    spread = "" if one.sd is None else f" ± {one.sd:.3f}"
    return f"{one.ours:.3f} [{one.low:.3f}, {one.high:.3f}]{spread}"


def _tex_entry(one: TableEntry) -> str:
    if one.published is not None:
        return f"{one.published:.2f}" + (f"$^{{{one.letters}}}$" if one.letters else "")
    if one.ours is None:
        return "--"
    low, high = (f"{end:.2f}".removeprefix("0") for end in (one.low or 0, one.high or 0))
    return f"${one.ours:.3f}_{{{low}}}^{{{high}}}$"


def _legend() -> str:
    return "; ".join(f"{LETTERS[mark]}: {what}" for mark, what in MARKS.items())


def _millions(parameters: Any) -> str:
    return "" if parameters is None else f"{parameters / 1e6:.1f}M"


def _escaped(texts: list[str]) -> list[str]:
    return [text.replace("|", "\\|") for text in texts]


def _tex(text: str) -> str:
    return "".join(_TEX.get(one) or _letter(one) for one in text)


def _letter(one: str) -> str:
    """A character that LaTeX sets without further packages: itself, its plain form, or a question mark."""
    if one.isascii() or (one.isalpha() and one < "\u0180"):
        return one if one.isprintable() else " "
    plain = unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode()
    return "".join(_TEX.get(each, each) for each in plain) or "?"
