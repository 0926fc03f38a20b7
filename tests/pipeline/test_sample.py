import time
from collections import Counter
from collections.abc import Iterable
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btfer.catalogue.rows import KeptFace
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import sample

SIZES = st.dictionaries(
    st.tuples(st.sampled_from("abcd")), st.integers(1, 5), min_size=1, max_size=4
)


def face(number: int, expression: str = "happy", gender: str = "", photo: str = "") -> KeptFace:
    id_ = f"face{number:04d}"
    rest = dict.fromkeys(KeptFace._fields[3:], "") | {"gender": gender}
    return KeptFace(id_, photo or id_, expression, **rest)


def population(per_class: int) -> list[KeptFace]:
    return [
        face(1000 * c + n, label, "female" if n % 5 else "male")
        for c, label in enumerate(EXPRESSIONS)
        for n in range(per_class)
    ]


@given(SIZES, st.integers(0, 12))
def test_shares_are_exact_and_as_even_as_any_split_can_be(sizes: dict, total: int) -> None:
    if sum(sizes.values()) < total:
        with pytest.raises(Incomplete):
            sample.even_shares(sizes, total)
        return
    shares = sample.even_shares(sizes, total)
    assert sum(shares.values()) == total
    assert all(0 <= shares[name] <= sizes[name] for name in sizes)
    splits = product(*(range(size + 1) for size in sizes.values()))
    best = min((max(s) - min(s) for s in splits if sum(s) == total), default=0)
    assert max(shares.values()) - min(shares.values()) == best


def ratio(shares: Iterable[int]) -> float:
    """Of the largest share to the smallest."""
    given = list(shares)
    return max(given) / min(given) if min(given) else float("inf")


@given(SIZES, st.integers(1, 12))
def test_no_split_has_a_smaller_ratio_of_the_largest_group_to_the_smallest(
    sizes: dict, total: int
) -> None:
    total = min(total, sum(sizes.values()))
    splits = product(*(range(size + 1) for size in sizes.values()))
    best = min(ratio(split) for split in splits if sum(split) == total)
    assert ratio(sample.even_shares(sizes, total).values()) == best


CROWD = st.lists(
    st.tuples(
        st.integers(0, 40),  # photo
        st.sampled_from(["female", "male", "", "other"]),
        st.sampled_from(["one.example", "two.example", "three.example", ""]),
    ),
    min_size=1,
    max_size=40,
)


def crowd(drawn: list[tuple[int, str, str]], label: str = "sad") -> list[KeptFace]:
    """Faces of one class; a photo has one group and one site, and may have several faces."""
    first: dict[int, tuple[str, str]] = {}
    rows = []
    for number, (photo, gender, host) in enumerate(drawn):
        gender, host = first.setdefault(photo, (gender, host))
        row = face(number, label, gender, f"photo{photo}")
        rows.append(from_page(row, f"https://{host}/{photo}" if host else ""))
    return rows


def chosen(rows: list[KeptFace], n: int, **options: Any) -> list[str]:
    """Ids of the class of `crowd` that are drawn; the other classes are empty."""
    drawn = sample.draw(rows, per_class=n, seed=4, allow_short=True, **options)
    return [row.id for row in drawn.chosen["sad"]]


STRATEGY = st.sampled_from(list(sample.STRATEGIES))


@given(CROWD, st.integers(0, 20), STRATEGY, st.integers(0, 5), st.randoms())
def test_counts_are_exact_whatever_comes_in_and_in_whatever_order(
    drawn: list, n: int, strategy: str, max_per_site: int, random: Random
) -> None:
    rows = crowd(drawn)
    options = {"strategy": strategy, "max_per_site": max_per_site}
    ids = chosen(rows, n, **options)
    by_id = {row.id: row for row in rows}
    photos = [by_id[id_].photo for id_ in ids]
    places = Counter(sample.site_of(by_id[id_]) for id_ in ids)
    del places[""]
    assert len(set(photos)) == len(ids)
    assert max(places.values(), default=0) <= (max_per_site or n)
    site = {row.photo: sample.site_of(row) for row in rows}
    sites = Counter(site.values())
    there = sum(min(k, max_per_site) if host and max_per_site else k for host, k in sites.items())
    assert len(ids) == min(n, there)
    random.shuffle(rows)
    assert chosen(rows, n, **options) == ids


@given(CROWD, st.integers(1, 20), st.sampled_from(["equal", "random"]), st.data())
def test_forgetting_one_photo_changes_exactly_its_place(
    drawn: list, n: int, strategy: str, data: st.DataObject
) -> None:
    rows = crowd(drawn)
    before = chosen(rows, n, strategy=strategy, max_per_site=0)
    victim = data.draw(st.sampled_from(before))
    photo = next(row.photo for row in rows if row.id == victim)
    left = [row for row in rows if row.photo != photo]
    after = chosen(left, n, strategy=strategy, max_per_site=0)
    assert set(before) - set(after) == {victim}
    assert len(after) == min(n, len({row.photo for row in left}))


@given(CROWD, st.integers(1, 20), st.sampled_from(["equal", "random"]), st.data())
def test_where_a_site_has_more_than_its_share_forgetting_changes_two_places_at_most(
    drawn: list, n: int, strategy: str, data: st.DataObject
) -> None:
    rows = crowd(drawn)
    before = chosen(rows, n, strategy=strategy, max_per_site=3)
    victim = data.draw(st.sampled_from(before))
    photo = next(row.photo for row in rows if row.id == victim)
    left = [row for row in rows if row.photo != photo]
    after = chosen(left, n, strategy=strategy, max_per_site=3)
    assert 1 <= len(set(before) - set(after)) <= (2 if strategy == "equal" else 1)


@given(CROWD, st.integers(1, 20), st.sampled_from(["equal", "random"]), st.sampled_from("mfx"))
def test_a_photo_that_is_added_takes_one_place_at_most(
    drawn: list, n: int, strategy: str, gender: str
) -> None:
    rows = crowd(drawn)
    before = chosen(rows, n, strategy=strategy, max_per_site=0)
    after = chosen([*rows, face(9999, "sad", gender)], n, strategy=strategy, max_per_site=0)
    assert len(set(before) - set(after)) <= 1
    assert len(set(after) - set(before)) <= 1


def test_every_class_gives_the_same_number_and_strata_share_evenly() -> None:
    drawn = sample.draw(population(50), per_class=16, seed=1)
    for label in EXPRESSIONS:
        genders = [row.gender for row in drawn.chosen[label]]
        assert (len(genders), genders.count("male")) == (16, 8)


def test_the_order_of_the_catalogue_does_not_matter() -> None:
    rows = population(20)
    assert sample.draw(rows, per_class=7, seed=1) == sample.draw(rows[::-1], per_class=7, seed=1)


def test_the_seed_does() -> None:
    rows = population(40)
    assert sample.draw(rows, per_class=7, seed=1) != sample.draw(rows, per_class=7, seed=2)


@given(st.integers(0, 13))
def test_withdrawing_one_face_changes_one_place(victim: int) -> None:
    rows = population(40)
    before = sample.draw(rows, per_class=14, seed=3).chosen
    gone = before["sad"][victim].id
    after = sample.draw([r for r in rows if r.id != gone], per_class=14, seed=3).chosen
    for label in EXPRESSIONS:
        old = {row.id for row in before[label]}
        new = {row.id for row in after[label]}
        assert len(old - new) == len(new - old) == (1 if label == "sad" else 0)


def test_a_photo_gives_one_face_at_most() -> None:
    rows = population(5) + [face(9000 + n, "happy", photo="group") for n in range(4)]
    drawn = sample.draw(rows, per_class=5, seed=1)
    assert drawn.available["happy"] == 6


def test_too_few_is_a_table_and_short_is_allowed_only_when_asked() -> None:
    rows = [row for row in population(9) if row.expression != "fear"] + [face(7777, "fear")]
    with pytest.raises(Incomplete, match=r"fear +1 +8 missing") as error:
        sample.draw(rows, per_class=9, seed=1)
    assert error.value.exit_code == 3
    assert "--per-class 1" in str(error.value)
    drawn = sample.draw(rows, per_class=9, seed=1, allow_short=True)
    assert {label: len(rows) for label, rows in drawn.chosen.items()}["fear"] == 1


def test_faces_without_a_class_are_never_drawn() -> None:
    rows = population(3) + [face(8000 + n, "unlabelled") for n in range(9)]
    assert set(sample.draw(rows, per_class=3, seed=1).chosen) == set(EXPRESSIONS)


@given(SIZES, st.integers(0, 12))
def test_proportional_shares_are_exact_and_within_one_of_the_proportion(
    sizes: dict, total: int
) -> None:
    have = sum(sizes.values())
    if have < total:
        with pytest.raises(Incomplete):
            sample.proportional_shares(sizes, total)
        return
    shares = sample.proportional_shares(sizes, total)
    assert sum(shares.values()) == total
    for name, size in sizes.items():
        assert 0 <= shares[name] <= size
        assert abs(shares[name] - size * total / have) < 1


def test_the_strategies_differ_in_how_groups_share_a_class() -> None:
    rows = population(50)  # four women to one man
    men = {}
    for strategy in sample.STRATEGIES:
        drawn = sample.draw(rows, per_class=20, seed=5, strategy=strategy).chosen["happy"]
        men[strategy] = sum(row.gender == "male" for row in drawn)
    assert (men["equal"], men["proportional"]) == (10, 4)
    first = sorted(rows, key=lambda row: sample.rank(5, row.id))
    drawn = sample.draw(rows, per_class=20, seed=5, strategy="random").chosen["happy"]
    assert drawn == [row for row in first if row.expression == "happy"][:20]
    with pytest.raises(UsageError, match="unknown strategy 'best'; choose one of"):
        sample.draw(rows, per_class=20, seed=5, strategy="best")


def from_page(face: KeptFace, page: str, author: str = "") -> KeptFace:
    return face._replace(page_url=page, author=author)


def test_one_site_or_author_gives_only_so_many_of_a_class() -> None:
    one_site = [from_page(row, "https://one.example/a") for row in population(30)]
    drawn = sample.draw(one_site, per_class=10, seed=1, max_per_site=10)
    assert set(drawn.available.values()) == {10}
    commons = "https://commons.wikimedia.org/wiki/File:A"
    by_author = [from_page(row, commons, f"author {n % 6}") for n, row in enumerate(population(30))]
    assert set(sample.draw(by_author, per_class=18, seed=1, max_per_site=3).available.values()) == {
        18
    }
    everything = sample.draw(one_site, per_class=10, seed=1, max_per_site=0)
    assert set(everything.available.values()) == {30}


@pytest.mark.parametrize(
    "page",
    [
        "https://www.one.example/b",
        "http://one.example:80/b",
        "https://m.one.example:443/b",
        "https://mobile.one.example/b",
        "https://ONE.example./b",
        "https://ann@www.m.one.example/b",
    ],
)
def test_forms_of_a_host_are_one_site(page: str) -> None:
    site = sample.site_of(from_page(face(1), page))
    assert site == sample.site_of(from_page(face(2), "https://one.example/a"))
    assert site != sample.site_of(from_page(face(2), "https://two.example/a"))


def test_a_host_that_only_looks_like_a_form_is_a_site_of_its_own() -> None:
    pages = ("https://m.com/", "https://www.com/", "https://en.m.wikipedia.org/", "file:///a/b.jpg")
    found = [sample.site_of(from_page(face(1), page)) for page in pages]
    assert found == ["m.com", "www.com", "en.wikipedia.org", ""]


def test_one_author_on_three_sites_is_one_author() -> None:
    hosts = ("one.example", "two.example", "three.example")
    names = ("Ann  Lee", "ann lee", "ANN LEE.")
    rows = [
        from_page(row, f"https://{hosts[n % 3]}/{n}", names[n % 3])
        for n, row in enumerate(population(30))
    ]
    drawn = sample.draw(rows, per_class=4, seed=1, max_per_site=4)
    assert set(drawn.available.values()) == {4}


def test_an_author_of_imports_without_a_page_is_seen() -> None:
    rows = [row._replace(author="Ann Lee") for row in population(30)]
    assert set(sample.draw(rows, per_class=4, seed=1, max_per_site=4).available.values()) == {4}


def test_an_author_who_is_not_named_is_nobody() -> None:
    rows = [
        from_page(row, f"https://site{n % 10}.example/", "Unknown author")
        for n, row in enumerate(population(30))
    ]
    drawn = sample.draw(rows, per_class=30, seed=1, max_per_site=3)
    assert set(drawn.available.values()) == {30}


def groups(n: int, happy: int, fear: int) -> list[KeptFace]:
    """Photos with many happy faces and few that show fear."""
    labels = ["happy"] * happy + ["fear"] * fear
    return [
        face(100 * photo + number, label, photo=f"photo{photo}")
        for photo in range(n)
        for number, label in enumerate(labels)
    ]


def test_a_rare_class_gets_its_faces_from_photos_of_many() -> None:
    rows = groups(300, happy=8, fear=1)
    drawn = sample.draw(rows, per_class=100, seed=1, allow_short=True)
    assert (drawn.available["fear"], drawn.available["happy"]) == (100, 200)
    drawn = sample.draw(rows, per_class=300, seed=1, allow_short=True)
    assert (drawn.available["fear"], drawn.available["happy"]) == (150, 150)
    with pytest.raises(Incomplete, match=r"fear +150 +150 missing"):
        sample.draw(rows, per_class=300, seed=1)


def test_where_no_class_is_short_a_photo_gives_its_first_face() -> None:
    rows = groups(300, happy=8, fear=1)
    drawn = sample.draw(rows, per_class=20, seed=1, allow_short=True)
    first: dict[str, KeptFace] = {}
    for row in sorted(rows, key=lambda row: sample.rank(1, row.id)):
        first.setdefault(row.photo, row)
    for label in ("happy", "fear"):
        its = [row for row in first.values() if row.expression == label]
        assert drawn.chosen[label] == its[:20]


SOME = EXPRESSIONS[:3]
PARTY = st.lists(
    st.tuples(
        st.integers(0, 5),  # photo
        st.sampled_from(SOME),
        st.sampled_from(["one.example", "two.example", ""]),
    ),
    min_size=1,
    max_size=14,
)


def party(drawn: list[tuple[int, str, str]]) -> list[KeptFace]:
    """Faces of several classes; a photo is of one site."""
    sites: dict[int, str] = {}
    rows = []
    for number, (photo, label, host) in enumerate(drawn):
        host = sites.setdefault(photo, host)
        row = face(number, label, photo=f"photo{photo}")
        rows.append(from_page(row, f"https://{host}/{photo}" if host else ""))
    return rows


def best_sizes(rows: list[KeptFace], n: int, most: int) -> list[int]:
    """Of all ways to give each photo one class: the sizes, smallest first, that are the largest in that order."""
    labels_of: dict[str, set[str]] = {}
    for row in rows:
        labels_of.setdefault(row.photo, set()).add(row.expression)
    site = {row.photo: sample.site_of(row) for row in rows}
    best: list[int] = []
    for choice in product(*(sorted(labels) for labels in labels_of.values())):
        found = Counter(
            (label, site[photo]) for photo, label in zip(labels_of, choice, strict=True)
        )
        sizes = dict.fromkeys(SOME, 0)
        for (label, host), k in found.items():
            sizes[label] += min(k, most) if host and most else k
        best = max(best, sorted(min(size, n) for size in sizes.values()))
    return best


@given(PARTY, st.integers(1, 6), st.integers(0, 3), STRATEGY, st.randoms())
def test_photos_of_several_classes_are_shared_out_as_well_as_can_be(
    drawn: list, n: int, most: int, strategy: str, random: Random
) -> None:
    rows = party(drawn)
    options: dict[str, Any] = {"per_class": n, "seed": 4, "allow_short": True}
    options |= {"strategy": strategy, "max_per_site": most}
    found = sample.draw(rows, **options).chosen
    every = [row for its in found.values() for row in its]
    assert len({row.photo for row in every}) == len(every)
    places = Counter((row.expression, sample.site_of(row)) for row in every)
    assert all(k <= most for (_, host), k in places.items() if host and most)
    assert all(row.expression == label for label, its in found.items() for row in its)
    assert sorted(len(found[label]) for label in SOME) == best_sizes(rows, n, most)
    random.shuffle(rows)
    assert sample.draw(rows, **options).chosen == found


def test_many_faces_of_shared_photos_are_drawn_in_seconds() -> None:
    random = Random(5)
    rows = [
        from_page(
            face(number, random.choice(EXPRESSIONS[:6] * 9 + EXPRESSIONS), photo=f"p{number // 3}"),
            f"https://site{number // 3 % 900}.example/",
        )
        for number in range(60_000)
    ]
    start = time.process_time()
    drawn = sample.draw(rows, per_class=3_000, seed=1, allow_short=True)
    assert time.process_time() - start < 20
    assert min(drawn.available.values()) > 900


@given(st.integers(0, 13), st.sampled_from(["equal", "random"]))
def test_a_new_face_changes_one_place_at_most(seed: int, strategy: str) -> None:
    rows = population(40)
    before = sample.draw(rows, per_class=14, seed=seed, strategy=strategy).chosen["sad"]
    more = [*rows, face(9999, "sad", "male")]
    after = sample.draw(more, per_class=14, seed=seed, strategy=strategy).chosen["sad"]
    assert len({row.id for row in before} - {row.id for row in after}) <= 1


def test_a_short_class_names_the_groups_that_are_short() -> None:
    rows = [row for row in population(9) if row.expression != "fear"]
    rows += [face(7000 + n, "fear", gender) for n, gender in enumerate(["male"] * 4 + ["female"])]
    with pytest.raises(Incomplete, match=r"fear +5 +4 missing; fewest: female 1, male 4"):
        sample.draw(rows, per_class=9, seed=1)
