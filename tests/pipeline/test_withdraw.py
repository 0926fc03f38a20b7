from collections.abc import Callable

import pytest

from btfer.catalogue import Catalogue, photos, verdicts, withdrawals
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.errors import UsageError
from btfer.pipeline import funnel
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.release_images import photo_pseudonym
from btfer.pipeline.withdraw import Withdrawn, withdraw
from btfer.settings import Settings
from tests.conftest import take_in
from tests.drawn_catalogue import add_face, add_photo
from tests.loopback import HAPPY, SAD, Site, jpeg, row_of


def test_a_withdrawn_photo_is_dropped_and_does_not_come_back_by_another_way(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    url, other = site.show(HAPPY, "/a.jpg", jpeg(1)), site.show(SAD, "/b.jpg", jpeg(2))
    go()
    photo, spared = row_of(cat, url)["photo"], row_of(cat, other)["photo"]
    for one in (photo, spared):
        verdicts.add(
            cat, [Verdict("dedup", one, "keep", "dedup"), Verdict("photos", one, "keep", "ann")]
        )
    assert withdraw(cat, [f"{url}#page"], "asked by the person") == Withdrawn(new=2, dropped=1)
    before = verdicts.of_photo(cat, photo)
    assert withdraw(cat, [f"{url}#page", url]) == Withdrawn(new=0, dropped=0)
    assert withdraw(cat, [f"{url}#page"]) == Withdrawn(new=0, dropped=0)
    assert verdicts.of_photo(cat, photo) == before, "a repeated request adds nothing"
    assert [row.sha256 for row in photos.awaiting_crop(cat, "s1")] == [spared]
    assert verdicts.of_photo(cat, photo)[-1].reason == "do-not-use"
    copy = site.show(SAD, "/copy.jpg", jpeg(1))
    assert go(per_query=200).refused == {"withdrawn": 1}
    assert row_of(cat, copy)["photo"] is None


def test_near_duplicates_of_a_withdrawn_photo_go_with_it(
    cat: Catalogue, site: Site, go: Callable[..., CrawlOutcome]
) -> None:
    urls = [site.show(HAPPY, f"/{n}.jpg", jpeg(n)) for n in range(4)]
    go()
    kept, copy, third, other = (row_of(cat, url)["photo"] for url in urls)
    dropped = [
        Verdict("dedup", one, "drop", "dedup", reason="duplicate", keeper=kept, distance=2)
        for one in (copy, third)
    ]
    keeps = [Verdict("dedup", one, "keep", "dedup") for one in (kept, other)]
    verdicts.add(cat, [*keeps, *dropped])
    assert withdraw(cat, [copy]).dropped == 3
    assert [row.sha256 for row in photos.awaiting_review(cat)] == [other]


def test_a_copy_that_hangs_two_steps_away_goes_with_it(cat: Catalogue, settings: Settings) -> None:
    """After a person changed a keeper, and before dedup ran again."""
    a, b, c = (
        take_in(cat, settings.data_dir, jpeg(n), Query("sad", "sad"), f"u{n}") for n in range(3)
    )
    verdicts.add(
        cat,
        [
            Verdict("dedup", a, "drop", "dedup", reason="duplicate", keeper=b, distance=1),
            Verdict("dedup", b, "drop", "ann", reason="duplicate", keeper=c, distance=1),
            Verdict("dedup", c, "keep", "ann"),
        ],
    )
    assert withdraw(cat, [a]).dropped == 3


@pytest.mark.parametrize("thing", ["ann.jpg", "ab12", "abcdef0123", "ftp://example.org/a", ""])
def test_what_is_neither_url_nor_hash_is_refused_and_nothing_is_written(
    cat: Catalogue, thing: str
) -> None:
    with pytest.raises(UsageError, match="neither a URL"):
        withdraw(cat, ["https://example.org/a.jpg", thing])
    assert withdrawals.count(cat) == 0


def test_a_photo_that_is_here_may_be_named_by_digits_face_or_photo_id(
    cat: Catalogue, settings: Settings
) -> None:
    photo = add_photo(cat, settings.data_dir, 1)
    face = add_face(cat, settings.data_dir, photo)
    assert withdraw(cat, [photo[:8]]).dropped == 1
    for other in (face, photo_pseudonym(cat, photo), photo.upper()[:20]):
        assert withdraw(cat, [other]) == Withdrawn(new=0, dropped=0)
        assert funnel.explain(cat, other)[0] == f"photo {photo}"
