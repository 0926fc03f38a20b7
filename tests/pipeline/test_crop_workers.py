"""Workers that die: of one photo, of some, of every one."""

import os
import signal
from collections.abc import Iterator

import pytest

from btfer.catalogue import Catalogue
from btfer.errors import BtferError, MissingExtra
from btfer.faces.modes import CropSettings
from btfer.pipeline import crop
from btfer.pipeline.crop_photo import PhotoFaces, PhotoFile, find_and_cut
from btfer.pipeline.crop_workers import map_surviving
from btfer.settings import Settings
from tests.conftest import as_bytes
from tests.pipeline.crop_photos import keep, photo_of, reasons
from tests.pipeline.dying import DEADLY, dead, die, root_or_die


def fail(n: int) -> int:
    if n == 3:
        raise MissingExtra("the detector", "cuda")  # a kind that cannot be sent between processes
    return n


def two(engine: str = "processes") -> Settings:
    return Settings(engine=engine, workers=2)  # type: ignore[arg-type]


def test_what_kills_its_worker_says_so_and_all_others_have_their_result() -> None:
    found = list(map_surviving(root_or_die, range(40), dead, two()))
    expected = [-n if n in DEADLY else n * n for n in range(40)]
    assert sorted(found) == sorted(expected)


def test_where_every_worker_dies_the_run_ends() -> None:
    with pytest.raises(BtferError, match="worker process died"):
        list(map_surviving(die, range(40), dead, two()))


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_an_error_of_the_work_is_no_death(engine: str) -> None:
    results = map_surviving(fail, range(10), dead, two(engine))
    with pytest.raises(BtferError, match=r"the detector needs .* 'btfer\[cuda\]'"):
        list(results)


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(3):
            taken.append(n)
            yield n

    assert list(map_surviving(abs, items(), dead, two("serial"))) == [0, 1, 2]
    assert list(map_surviving(abs, [], dead, two("serial"))) == []


def look_or_die(photo: PhotoFile, settings: CropSettings) -> PhotoFaces:
    """The worker's part, run out of memory by photos of one size."""
    if photo.path.stat().st_size % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return PhotoFaces(photo.sha256)


def test_a_photo_that_kills_its_worker_is_dropped_with_a_reason_and_the_run_goes_on(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"engine": "processes", "workers": 2})
    files = [as_bytes(photo_of(0, n), "PNG") for n in range(9)]
    files = [data + b"\0" * (1 if len(data) % 3 == 0 else 0) for data in files]
    files[4] += b"\0" * (-len(files[4]) % 3)
    ids = [keep(cat, settings, data) for data in files]
    monkeypatch.setattr(crop, "find_and_cut", look_or_die)
    outcome = crop.run(cat, settings, unreviewed="keep")
    assert outcome.reasons == {"no face": 8, "worker died": 1}
    assert reasons(cat, ids[4]) == [("drop", "worker died")]
    monkeypatch.setattr(crop, "find_and_cut", find_and_cut)
    settings = settings.model_copy(update={"engine": "serial"})
    again = crop.run(cat, settings, unreviewed="keep", retry=True)
    assert again.reasons == {"no face": 1}
