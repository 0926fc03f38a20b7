"""Forget: a photo, its crops and every trace of it go for good, and each release that showed it gets a next version.

`withdraw` only keeps a photo out of what comes later. `forget` deletes: files, rows, hashes, caches, predictions,
and images of every release folder, whether the catalogue knows it or not. An erasure is written down first
(`entry`), with its names resolved once, so that a run that was killed is gone on with and never becomes another.
Deletion comes before new releases: whatever fails later cannot keep a byte. At the end everything is searched
(`search`), archives and links too, and what is left, or cannot be looked into, is named. What stays for good are
keyed marks in the catalogue: of the request, of all names of what went, and sealed perceptual hashes by which copies
are refused when they come again.
"""

from btfer.pipeline.forget.entry import open_entries
from btfer.pipeline.forget.erase import WAIT_S, forget, preview
from btfer.pipeline.forget.plan import ErasurePlan
from btfer.pipeline.forget.report import Forgotten
from btfer.pipeline.forget.returned import check_forgotten

__all__ = [
    "WAIT_S",
    "ErasurePlan",
    "Forgotten",
    "check_forgotten",
    "forget",
    "open_entries",
    "preview",
]
