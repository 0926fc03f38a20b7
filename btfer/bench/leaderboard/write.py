"""`btfer leaderboard`: a folder of bundles as a page that needs no other file, and as CSV."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.bench.datasets import ImageSet
from btfer.bench.leaderboard.board import Board, Submission, make_board
from btfer.bench.leaderboard.page import render
from btfer.bench.submit.card_check import PARTS
from btfer.bench.submit.folder import check_folder
from btfer.bench.submit.scores import SCORES
from btfer.csv_writer import as_csv
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic
from btfer.progress import SILENT, Progress

PAGE, TABLE = "index.html", "leaderboard.csv"
COLUMNS = (
    *("part", "number", "best_place", "worst_place", "name", "by", "link"),
    *SCORES,
    *("accuracy_low", "accuracy_high", "macro_recall_low", "macro_recall_high"),
    *(f"recall_{name}" for name in EXPRESSIONS),
    *("leaks", "leaks_of", "training", "protocol", "weights", "resolution", "parameters"),
    *("epochs", "seconds_per_step", "images_per_second", "ties", "same_as", "differs"),
    *("run", "release", "release_digest", "btfer", "file"),
)


@dataclass(frozen=True)
class Written:
    """What came of a folder. page: its path. ranked: submissions on it. left_out: file names, and why each is not."""

    page: Path
    ranked: int
    left_out: list[tuple[str, str]]


def write_leaderboard(
    folder: Path, images: ImageSet, out_dir: Path, progress: Progress = SILENT
) -> Written:
    """Check every bundle in `folder` against the release and write index.html and leaderboard.csv to `out_dir`.

    A file that is no bundle, is of another release or was handed in twice is left out with a line, here and on the
    page. Raises UsageError where there is no such folder, Incomplete where nothing in it can be ranked.
    """
    gathered = check_folder(folder, lambda _: images, progress, what=f"be ranked on {images.name}")
    found, left_out = gathered.checked, gathered.left_out
    boards = [
        make_board(part, mine)
        for part in PARTS
        if (mine := [one for one in found if one.card.part == part])
    ]
    for one in found:
        for difference in one.differences:
            progress.say(f"{one.bundle.path.name} {difference}")
    rows = [row for board in boards for row in _rows(board)]
    write_atomic(out_dir / TABLE, as_csv(COLUMNS, rows))
    write_atomic(out_dir / PAGE, render(boards, images, left_out).encode())
    return Written(out_dir / PAGE, len(found), left_out)


def _rows(board: Board) -> Iterable[dict[str, Any]]:
    return [_row(board.part, one) for one in board.entries]


def _row(part: str, one: Submission) -> dict[str, Any]:
    checked, card = one.checked, one.checked.card
    recalls = {
        f"recall_{name}": "" if found is None else round(found.value, 6)
        for name, found in zip(EXPRESSIONS, one.recalls, strict=True)
    }
    scores = {name: "" if value is None else value for name, value in checked.scores.items()}
    return {
        **card.stated,
        **scores,
        **recalls,
        "part": part,
        "number": one.number,
        "best_place": one.best,
        "worst_place": one.worst,
        "name": card.name,
        "by": card.by,
        "link": card.link,
        "accuracy_low": round(one.accuracy.low, 6),
        "accuracy_high": round(one.accuracy.high, 6),
        "macro_recall_low": round(one.macro_recall.low, 6),
        "macro_recall_high": round(one.macro_recall.high, 6),
        "ties": " ".join(map(str, one.ties)),
        "same_as": one.same_as or "",
        "differs": "; ".join(map(str, checked.differences)),
        "run": card.run,
        "release": checked.images.name,
        "release_digest": checked.images.digest,
        "btfer": card.versions.get("btfer", ""),
        "file": checked.bundle.path.name,
    }
