"""The two rounds in which people judge: photos before the crop, faces after it. No Streamlit and no SQL here.

rules     the reasons for a drop, their keys, and what a judgement must be
queues    what awaits a person, a page at a time, and how far each class is
badges    the hints
disputes  what people judged differently, and how many votes a picture needs
doubts    faces whose label good networks deny, shown first
judge     writing a page of judgements, settling disputes, taking back, labels that come with a dataset
pace      how fast a person is, and outlook what each class will likely yield
log       what a reviewer may see of all verdicts
exchange  verdicts in and out as rows of a CSV file
"""

from btfer.review.disputes import Dispute, Vote, as_item, disputes, plan
from btfer.review.exchange import Imported, export_verdicts, import_verdicts
from btfer.review.forecast import Outlook, outlook
from btfer.review.judge import (
    Committed,
    apply_labels_to_faces,
    commit,
    keep_single_faces,
    settle,
    undo,
    undo_last,
)
from btfer.review.log import visible_log
from btfer.review.pace import Pace, pace
from btfer.review.queues import ORDERS, Item, Page, Queue, Tally, let_go, progress, queue
from btfer.review.rules import DROP_REASONS, RELABEL_KEYS, RESERVED_KEYS, ROUNDS, Judged
from btfer.review.suspects import Doubted, doubt

__all__ = [
    "DROP_REASONS",
    "ORDERS",
    "RELABEL_KEYS",
    "RESERVED_KEYS",
    "ROUNDS",
    "Committed",
    "Dispute",
    "Doubted",
    "Imported",
    "Item",
    "Judged",
    "Outlook",
    "Pace",
    "Page",
    "Queue",
    "Tally",
    "Vote",
    "apply_labels_to_faces",
    "as_item",
    "commit",
    "disputes",
    "doubt",
    "export_verdicts",
    "import_verdicts",
    "keep_single_faces",
    "let_go",
    "outlook",
    "pace",
    "plan",
    "progress",
    "queue",
    "settle",
    "undo",
    "undo_last",
    "visible_log",
]
