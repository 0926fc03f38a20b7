"""What a person may choose of what awaits them, and in which order: by class, hint, source, query, size, date ...

Choices are counted over what awaits them and fits the other choices, so that no choice leads to an empty page.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace

from btfer.catalogue import Catalogue
from btfer.errors import UsageError
from btfer.review.index import ReviewIndex, shared, without_collecting

ORDERS = (
    "as found",
    "suspicious first",
    "suspicious last",
    "surest face last",
    "smallest first",
    "largest first",
    "look-alikes together",
)
FIRST_ORDER = {"photos": "as found", "faces": "suspicious first"}
"""In which a person who has chosen nothing judges a round."""
SIZES = {"under 200 px": 200, "200 to 499 px": 500, "500 to 999 px": 1000, "1000 px and more": 0}
"""By the shorter side of the photo, or of the face's box; each up to the next one's start (0 = no end)."""

_GROUP = ("ethnicity", "gender", "age")


@dataclass(frozen=True)
class Filter:
    """What pictures must be; '' = any. group: what a query asked for; date: the day a photo came (UTC).

    find: the start of a sha256 or of a face id, an address of the photo or of its page, or the name of its file.
    """

    label: str = ""
    hint: str = ""
    source: str = ""
    language: str = ""
    group: str = ""
    query: str = ""
    size: str = ""
    date: str = ""
    find: str = ""


ALL = Filter()
CHOICES = tuple(one.name for one in fields(Filter) if one.name != "find")


def order_of(index: ReviewIndex, round_: str, order: str) -> list[str]:
    """The ids of all that awaits a round, in one of `ORDERS`; some may have been judged since it was sorted.

    Raises UsageError for another order.
    """
    if order not in ORDERS:
        raise UsageError(f"unknown order '{order}'; choose one of {', '.join(ORDERS)}")
    known = index.orders.get((round_, order))
    if known is None or known[0] != index.shape:
        with without_collecting():
            first = index.first_key
            as_found = sorted(index.awaiting[round_], key=lambda id_: first(round_, id_))
            known = index.shape, _sorted(index, round_, as_found, order)
        index.orders[round_, order] = known
    awaiting, ids = index.awaiting[round_], known[1]
    if len(ids) > 1.1 * len(awaiting):  # what was judged since is taken out now and then
        ids = [id_ for id_ in ids if id_ in awaiting]
        index.orders[round_, order] = known[0], ids
    return ids


def matching(index: ReviewIndex, round_: str, ids: Sequence[str], chosen: Filter) -> list[str]:
    """Those of the ids that are as chosen, in their order."""
    asked = {name: value for name in CHOICES if (value := getattr(chosen, name))}
    found = [id_ for id_ in ids if id_ in index.awaiting[round_]]
    if chosen.find:
        named = index.named(chosen.find)
        found = [id_ for id_ in found if index.awaiting[round_][id_].photo in named]
    for name, value in asked.items():
        facts = _facts(index, round_, found, name)
        found = [id_ for id_ in found if value in facts[id_]]
    return found


def counted(
    cat: Catalogue, round_: str, crop_digest: str, reviewer: str, chosen: Filter
) -> dict[str, dict[str, int]]:
    """`choices` of the catalogue as it is now, the most first; dates in their order."""
    index = shared(cat, crop_digest)
    with index.lock:
        index.refresh()
        with without_collecting():
            found = choices(index, round_, reviewer, chosen)
    by_number = {name: dict(values.most_common()) for name, values in found.items()}
    return by_number | {"date": dict(sorted(by_number["date"].items()))}


def choices(
    index: ReviewIndex, round_: str, reviewer: str, chosen: Filter
) -> dict[str, Counter[str]]:
    """For each name of `CHOICES`, how many pictures each value would leave, the other choices as they are."""
    asked = list(index.asks(round_, reviewer))
    found = {}
    for name in CHOICES:
        ids = matching(index, round_, asked, replace(chosen, **{name: ""}))
        values = _facts(index, round_, ids, name).values()
        found[name] = Counter(value for several in values for value in several)
    return found


def _facts(
    index: ReviewIndex, round_: str, ids: Collection[str], name: str
) -> dict[str, tuple[str, ...]]:
    """Each picture's values of one choice, by id."""
    photo_of = {id_: index.awaiting[round_][id_].photo for id_ in ids}
    if name == "label":
        return {id_: (index.label(photo),) for id_, photo in photo_of.items()}
    if name == "hint":
        hints = index.badges(round_, ids)
        return {id_: hints.get(id_, ()) for id_ in ids}
    if name == "source":
        return {id_: (index.found[photo].source,) for id_, photo in photo_of.items()}
    if name in ("language", "group", "query"):
        queries = {key: _of_query(one, name) for key, one in index.queries.items()}
        return {id_: queries[index.found[photo].query] for id_, photo in photo_of.items()}
    if name == "date":
        days = index.photo_facts(set(photo_of.values()))
        return {id_: (days[photo].at[:10],) for id_, photo in photo_of.items() if photo in days}
    sides = _shorter_sides(index, round_, ids)
    return {id_: (_size(side),) for id_, side in sides.items()}


def _of_query(one: object, name: str) -> tuple[str, ...]:
    if name == "group":
        return tuple(value for part in _GROUP if (value := str(getattr(one, part))))
    return (str(getattr(one, {"query": "phrase"}.get(name, name))),)


def _size(side_px: float) -> str:
    return next(name for name, below in SIZES.items() if not below or side_px < below)


def _shorter_sides(index: ReviewIndex, round_: str, ids: Collection[str]) -> dict[str, float]:
    if round_ == "photos":
        photos = index.photo_facts(ids)
        found = {id_: photos[id_] for id_ in ids if id_ in photos}
        return {id_: min(one.width_px, one.height_px) for id_, one in found.items()}
    faces = index.face_facts(ids)
    boxes = {id_: faces[id_].box for id_ in ids if id_ in faces}
    return {id_: min(box.width_px, box.height_px) for id_, box in boxes.items()}


def _sorted(index: ReviewIndex, round_: str, as_found: list[str], order: str) -> list[str]:
    """Stable: pictures that are alike stay as found."""
    if order == ORDERS[0]:
        return as_found
    if order.startswith("suspicious"):
        hints, sign = index.badges(round_, as_found), -1 if order == ORDERS[1] else 1
        return sorted(as_found, key=lambda id_: sign * len(hints.get(id_, ())))
    if order == "surest face last":
        if round_ == "photos":
            return as_found
        faces = index.face_facts(as_found)
        return sorted(as_found, key=lambda id_: faces[id_].probability if id_ in faces else 0.0)
    if order == "look-alikes together":
        photos = index.photo_facts({one.photo for one in index.awaiting[round_].values()})
        hashes = {id_: photos.get(index.awaiting[round_][id_].photo) for id_ in as_found}
        # The first bits of the hash are its lowest frequencies: the coarse look of a picture.
        return sorted(as_found, key=lambda id_: one.phash % 2**64 if (one := hashes[id_]) else 0)
    sign = 1 if order == "smallest first" else -1
    sides = _shorter_sides(index, round_, as_found)
    return sorted(as_found, key=lambda id_: sign * sides.get(id_, 0.0))
