"""One run as one small file that somebody else can check: `btfer bench submit` writes it, everybody reads it.

bundle   the file: a card and the predictions, written the same each time, read as a stranger's file
scores   every number of one set of answers, images without an answer counted as wrong
pack     a run as a bundle
checks   a bundle beside the release that it names: every number anew from the predictions
folder   a folder of bundles, what is none left out and named
"""

from btfer.bench.submit.bundle import (
    Bundle,
    Card,
    as_bytes,
    read_bundle,
)
from btfer.bench.submit.checks import Checked, FalseClaim, check_bundle
from btfer.bench.submit.folder import CheckedFolder, check_folder
from btfer.bench.submit.pack import pack, write_bundle

__all__ = [
    "Bundle",
    "Card",
    "Checked",
    "CheckedFolder",
    "FalseClaim",
    "as_bytes",
    "check_bundle",
    "check_folder",
    "pack",
    "read_bundle",
    "write_bundle",
]
