"""The two rounds in which people judge: photos before the crop, faces after it. No Streamlit and no SQL here.

rules     the reasons for a drop, their keys, and what a judgement must be
queues    what awaits a person, a page at a time, and how far each class is
badges    the hints
judge     writing a page of judgements, settling disputes, taking back, labels that come with a dataset
exchange  verdicts in and out as rows of a CSV file
"""

from btfer.review.exchange import Imported, export_verdicts, import_verdicts
from btfer.review.judge import (
    Committed,
    apply_labels_to_faces,
    commit,
    keep_single_faces,
    settle,
    undo,
    undo_last,
)
from btfer.review.queues import ORDERS, Item, Page, Queue, Tally, progress, queue
from btfer.review.rules import DROP_REASONS, RELABEL_KEYS, RESERVED_KEYS, ROUNDS, Judged

__all__ = [
    "DROP_REASONS",
    "ORDERS",
    "RELABEL_KEYS",
    "RESERVED_KEYS",
    "ROUNDS",
    "Committed",
    "Imported",
    "Item",
    "Judged",
    "Page",
    "Queue",
    "Tally",
    "apply_labels_to_faces",
    "commit",
    "export_verdicts",
    "import_verdicts",
    "keep_single_faces",
    "progress",
    "queue",
    "settle",
    "undo",
    "undo_last",
]
