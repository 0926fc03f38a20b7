"""The two rounds in which people judge: photos before the crop, faces after it. No Streamlit and no SQL here.

rules     the reasons for a drop, their keys, and what a judgement must be
index     every picture with what holds of it, in memory, and what has changed since
head      what a fresh server needs for its first pages, kept with the catalogue
part_index  the index before everything was read
serving   which of both answers
filters   what a person may choose of it, and in which order
same_person faces of one person together, compared in the background
queues    what awaits a person, a page at a time, and how far each class is
badges    the hints
disputes  what people judged differently, and how many votes a picture needs
suspects  faces whose label good networks contradict, shown first
judge     writing a page of judgements, settling disputes, undoing, labels that come with a dataset
pace      how fast a person judges
forecast  what each class will likely yield
next_step what a person had best do now
left      why pictures are not a person's to judge any more
log       what a reviewer may see of all verdicts
exchange  verdicts in and out as rows of a CSV file
guidelines what reviewers are to go by, and its version
"""

from btfer.catalogue.review_pages import PageFacts
from btfer.catalogue.rows import PhotoBox
from btfer.catalogue.verdicts import StoredVerdict
from btfer.review.disputes import (
    Dispute,
    Vote,
    as_item,
    disputes,
    in_words,
    notes_of,
    plan,
    votes_before,
)
from btfer.review.exchange import Imported, check_columns, export_verdicts, import_verdicts
from btfer.review.exchange_rows import ExchangedVerdict
from btfer.review.filters import CHOICES, FIRST_ORDER, ORDERS, Filter, counted
from btfer.review.forecast import Forecast, forecast, to_crop, to_dedup
from btfer.review.judge import (
    Committed,
    TrueFace,
    apply_labels_to_faces,
    commit,
    keep_single_faces,
    recall,
    settle,
    undo,
    undo_last,
)
from btfer.review.left import why_left
from btfer.review.log import (
    LogFilter,
    LoggedVerdict,
    decide,
    judge_anew,
    log_choices,
    photo_items,
    visible_log,
    with_pictures,
)
from btfer.review.next_step import NextStep, next_step
from btfer.review.pace import Pace, pace
from btfer.review.queues import (
    Item,
    Page,
    Queue,
    Tally,
    asked,
    disputed,
    dropped,
    end_leases,
    progress,
    queue,
)
from btfer.review.rules import (
    DROP_REASONS,
    LONGEST_NOTE,
    RELABEL_KEYS,
    RESERVED_KEYS,
    ROUNDS,
    Judged,
)
from btfer.review.same_person import FacesCompared, SamePerson, comparing
from btfer.review.suspects import MarkedSuspects, mark_suspects

__all__ = [
    "CHOICES",
    "DROP_REASONS",
    "FIRST_ORDER",
    "LONGEST_NOTE",
    "ORDERS",
    "RELABEL_KEYS",
    "RESERVED_KEYS",
    "ROUNDS",
    "Committed",
    "Dispute",
    "ExchangedVerdict",
    "FacesCompared",
    "Filter",
    "Forecast",
    "Imported",
    "Item",
    "Judged",
    "LogFilter",
    "LoggedVerdict",
    "MarkedSuspects",
    "NextStep",
    "Pace",
    "Page",
    "PageFacts",
    "PhotoBox",
    "Queue",
    "SamePerson",
    "StoredVerdict",
    "Tally",
    "TrueFace",
    "Vote",
    "apply_labels_to_faces",
    "as_item",
    "asked",
    "check_columns",
    "commit",
    "comparing",
    "counted",
    "decide",
    "disputed",
    "disputes",
    "dropped",
    "end_leases",
    "export_verdicts",
    "forecast",
    "import_verdicts",
    "in_words",
    "judge_anew",
    "keep_single_faces",
    "log_choices",
    "mark_suspects",
    "next_step",
    "notes_of",
    "pace",
    "photo_items",
    "plan",
    "progress",
    "queue",
    "recall",
    "settle",
    "to_crop",
    "to_dedup",
    "undo",
    "undo_last",
    "visible_log",
    "votes_before",
    "why_left",
    "with_pictures",
]
