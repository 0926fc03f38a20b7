"""One address in several spellings is one URL, and one withdrawal."""

import sqlalchemy as sa

from btfer.catalogue import Catalogue, journal, photos, withdrawals
from btfer.catalogue.journal import Sighting
from btfer.catalogue.tables import fetch, withdrawal
from btfer.queries import Query

ASKED = Query("sad man", "sad", "en", "Black", "male", "adult", "v1")
PLAIN = "https://example.org/a.jpg"
SPELLINGS = [
    f"{PLAIN}?utm_source=commons",
    "https://EXAMPLE.org:443/a.jpg",
    f" {PLAIN}#face",
    "HTTPS://example.org./a.jpg?gclid=1&utm_medium=x",
]


def seen(*urls: str) -> list[Sighting]:
    return [Sighting(url=url, source="commons", rank=n) for n, url in enumerate(urls)]


def test_spellings_of_one_url_are_one_line_of_the_journal(cat: Catalogue) -> None:
    assert journal.add_found(cat, ASKED, seen(PLAIN, *SPELLINGS)) == (1, 0)
    assert journal.add_found(cat, ASKED, seen(*SPELLINGS)) == (0, 1)
    [row] = cat.rows(sa.select(fetch.c.url))
    assert row["url"] == PLAIN


def test_a_url_that_an_older_catalogue_has_is_known(cat: Catalogue) -> None:
    journal.add_found(cat, ASKED, seen(PLAIN))
    with cat.write() as connection:
        connection.execute(
            sa.insert(fetch).from_select(
                [one.name for one in fetch.columns],
                sa.select(
                    sa.literal(journal._digest(SPELLINGS[0])),
                    sa.literal(SPELLINGS[0]),
                    *list(fetch.columns)[2:],
                ),
            )
        )
    assert journal.add_found(cat, ASKED, seen(SPELLINGS[0])) == (0, 1)


def test_a_withdrawn_address_stays_withdrawn_in_every_spelling(cat: Catalogue) -> None:
    withdrawals.add(cat, [SPELLINGS[3]])
    assert withdrawals.among(cat, [PLAIN, *SPELLINGS]) == {PLAIN, *SPELLINGS}
    assert withdrawals.among(cat, ["https://example.org/A.jpg", f"{PLAIN}?size=1", ""]) == set()


def test_a_withdrawn_address_stays_withdrawn_when_its_site_moves_to_https(cat: Catalogue) -> None:
    withdrawals.add(cat, ["http://example.org/Caf%c3%a9.jpg"])
    moved = "https://example.org/Café.jpg"
    assert withdrawals.among(cat, [moved, "ftp://example.org/Café.jpg"]) == {moved}


def test_an_older_list_holds_for_the_spelling_it_has_and_for_those_of_the_journal(
    cat: Catalogue,
) -> None:
    with cat.write() as connection:
        key = withdrawals.key_within(connection)
        mark = withdrawals._mark(key, SPELLINGS[0])
        row = {"mark": mark, "reason": "", "at": ""}
        connection.execute(sa.insert(withdrawal).values(row))
    assert withdrawals.among(cat, [SPELLINGS[0], PLAIN]) == {SPELLINGS[0]}
    journal.add_found(cat, ASKED, seen(SPELLINGS[0]))
    assert withdrawals.join_spellings(cat, journal.addresses(cat)) == 1
    assert withdrawals.among(cat, [PLAIN]) == {PLAIN}
    assert withdrawals.join_spellings(cat, journal.addresses(cat)) == 0


def test_photos_are_found_by_any_spelling(cat: Catalogue) -> None:
    assert photos.shown_at(cat, SPELLINGS) == set()
