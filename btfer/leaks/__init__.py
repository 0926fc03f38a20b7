"""Leaks: faces of ours that stand in a training set already, so that a score on them says nothing.

views      how one of our faces may stand there: the photo, and windows around the face
training   training sets as hashes: folders, FER2013's csv; read once
search     near hashes make candidates
alike      laid over each other, they are the same picture or not
subjects   which faces are looked for
check      a release, or faces that may become one, against training sets
sheet      a picture of the pairs
"""

from btfer.leaks.check import Against, check_release, exclude, leaks_in
from btfer.leaks.search import Leak

__all__ = ["Against", "Leak", "check_release", "exclude", "leaks_in"]
