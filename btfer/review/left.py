"""Why pictures that a person had before them are not theirs to judge any more, told as it is."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from btfer.catalogue import Catalogue, faces, photos, verdicts, votes, withdrawals
from btfer.catalogue.votes import ReviewSubject
from btfer.review.rules import check_round

FORGOTTEN = "forgotten meanwhile: there is nothing to judge"
WITHDRAWN = "withdrawn meanwhile: there is nothing to judge"
GONE = "no longer in the catalogue: there is nothing to judge"
COPY = "found to be a copy of another photo"
DROPPED = "dropped by an earlier stage or round"
YOURS = "judged by you already"
JUDGED = "judged by others already"
LEASED = "gone to other reviewers"
WAITING = "waiting for you still, on another page"
_FACE_ID = re.compile(r"[0-9a-f]{24,64}-[0-9a-f]+-\d+")


def why_left(cat: Catalogue, round_: str, ids: Iterable[str], reviewer: str) -> dict[str, str]:
    """For each photo (sha256) or face id, one of the words above. Raises UsageError for an unknown round."""
    check_round(round_)
    named = list(dict.fromkeys(ids))
    here = _subjects(cat, round_, named)
    listed = withdrawals.among(cat, {here[id_].photo if id_ in here else id_ for id_ in named})
    found = {id_: FORGOTTEN if id_ in listed else GONE for id_ in named if id_ not in here}
    found |= {id_: WITHDRAWN for id_, one in here.items() if one.photo in listed}
    found |= _dropped(cat, round_, {id_: one for id_, one in here.items() if id_ not in found})
    rest = {id_: one for id_, one in here.items() if id_ not in found}
    return found | _of_people(cat, round_, rest, reviewer)


def gone(cat: Catalogue, round_: str, ids: Iterable[str]) -> set[str]:
    """Those that were here once and are no more: photos on the withdrawal list, and faces.

    A face's id has the first digits of its photo only; nothing but forgetting takes a face out.
    """
    named = set(ids)
    unknown = named - set(_subjects(cat, round_, [*named]))
    if not unknown or round_ != "faces":
        return withdrawals.among(cat, unknown) if unknown else set()
    return {id_ for id_ in unknown if _FACE_ID.fullmatch(id_)}


def in_words(left: Iterable[str] | Mapping[str, int]) -> str:
    """How many are what, the most first; '' for none."""
    counted = Counter(left).most_common()
    return ", ".join(f"{n:,} {word}" for word, n in counted if n)


def _subjects(cat: Catalogue, round_: str, ids: list[str]) -> dict[str, ReviewSubject]:
    if round_ == "photos":
        known = photos.known(cat, ids)
        return {id_: ReviewSubject(id_) for id_ in ids if id_ in known}
    return {id_: ReviewSubject(face.photo, id_) for id_, face in faces.by_id(cat, ids).items()}


def _dropped(cat: Catalogue, round_: str, here: Mapping[str, ReviewSubject]) -> dict[str, str]:
    dropped = votes.dropped_meanwhile(cat, round_, list(here.values()))
    held = verdicts.current_on(cat, "dedup", {one.photo for one in dropped})
    copies = {row.photo for row in held if row.decision == "drop" and row.keeper}
    return {
        id_: COPY if one.photo in copies else DROPPED for id_, one in here.items() if one in dropped
    }


def _of_people(
    cat: Catalogue, round_: str, here: Mapping[str, ReviewSubject], reviewer: str
) -> dict[str, str]:
    """What is the reviewers' own doing."""
    named = {one.photo for one in here.values()}
    given = verdicts.not_undone_on(cat, round_, named)
    own = {ReviewSubject(row.photo, row.face) for row in given if row.reviewer == reviewer}
    open_ = votes.awaiting(cat, round_, list(here.values()), reviewer)
    leased = votes.leased_to_others(cat, round_, list(here), reviewer)

    def why(id_: str, one: ReviewSubject) -> str:
        if one in own:
            return YOURS
        if one not in open_:
            return JUDGED
        return LEASED if id_ in leased else WAITING

    return {id_: why(id_, one) for id_, one in here.items()}
