"""Leaks: faces of ours that are already in a training set, so that a score on them says nothing.

views      what one of our faces may look like there: the photo, and windows around the face
training   training sets as hashes: folders, FER2013's csv; read once
search     near hashes make candidates; laid over each other, they are one picture or not
laid_over  how much the face differs where two pictures lie over each other
subjects   which faces are looked for
check      a release, or faces that may become one, against training sets
sheet      a picture of the pairs
"""

from btfer.leaks.check import LeakCheck, LeakCount, check_release, exclude, leaks_in
from btfer.leaks.search import Leak

__all__ = [
    "Leak",
    "LeakCheck",
    "LeakCount",
    "check_release",
    "exclude",
    "leaks_in",
]
