import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btfer.errors import UsageError
from btfer.faces.modes import MODES
from btfer.release_record import (
    AgreementLine,
    ExcludedLeaks,
    FunnelLine,
    Predecessor,
    ReleaseRecord,
    ReleaseSettings,
    next_version,
    read_crop_settings,
    read_record,
    version_key,
    write_record,
)

RECORD = ReleaseRecord(
    settings=ReleaseSettings(
        MODES["square"], seed=3, excluded_leaks={"rafdb": ExcludedLeaks("ab" * 32, 100, 2)}
    ),
    per_class=4,
    counts={"sad": 4, "happy": 3},
    available={"sad": 9, "happy": 3},
    changes=("version 2: sad/sad-001.png was withdrawn",),
    formats=("parquet",),
    funnel=(FunnelLine("crawl", "photos", (1, 2, 3)),),
    agreement=(AgreementLine("faces", "Fleiss' kappa", 5, "0.500", "0.1 to 0.9"),),
    btfer="0.1",
)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path) == RECORD
    assert read_crop_settings(tmp_path) == MODES["square"]
    before = (tmp_path / "release.json").read_bytes()
    write_record(tmp_path, read_record(tmp_path))
    assert (tmp_path / "release.json").read_bytes() == before


def test_the_file_keeps_its_keys(tmp_path: Path) -> None:
    write_record(tmp_path, replace(RECORD, sources="with"))
    content = json.loads((tmp_path / "release.json").read_text())
    assert content["settings"]["per_place"] == 0
    assert content["funnel"][0] == {
        "stage": "crawl",
        "what": "photos",
        "total": 6,
        "per_class": [1, 2, 3],
    }
    assert (content["sources"], content["btfer"], content["version"]) == ("with", "0.1", "1.0.0")


@pytest.mark.parametrize(("stated", "version"), [(1, "1.0.0"), (3, "3.0.0"), ("1.0.12", "1.0.12")])
def test_the_numbers_of_earlier_releases_are_versions(
    tmp_path: Path, stated: object, version: str
) -> None:
    content = RECORD.as_json() | {"version": stated}
    del content["predecessor"], content["date"], content["contact"]
    (tmp_path / "release.json").write_text(json.dumps(content))
    assert read_record(tmp_path) == replace(RECORD, version=version)


def test_a_next_version_names_the_one_before() -> None:
    small = next_version(RECORD, "btfer-1", "ab" * 32)
    assert (small.version, small.predecessor) == (
        "1.0.1",
        Predecessor("btfer-1", "ab" * 32, "1.0.0"),
    )
    assert next_version(small, "btfer-2", "cd" * 32, minor=True).version == "1.1.0"
    assert version_key("1.0.12") > version_key("1.0.9")


def test_what_a_newer_version_added_is_no_damage(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    content = json.loads((tmp_path / "release.json").read_text())
    content["settings"]["crop"]["newer"] = content["newer"] = 1
    (tmp_path / "release.json").write_text(json.dumps(content))
    assert read_record(tmp_path) == RECORD


def without(*names: str) -> dict[str, Any]:
    content = RECORD.as_json()
    inner = content
    for name in names[:-1]:
        inner = inner[name]
    del inner[names[-1]]
    return content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is damaged, it is not JSON"),
        ("[1]", "expected an object, got"),
        (json.dumps(without("counts")), "it has no 'counts'"),
        (json.dumps(without("settings", "crop")), "it has no 'crop'"),
        (json.dumps(without("settings", "seed")), "it has no 'seed'"),
        (json.dumps(RECORD.as_json() | {"counts": 3}), "is damaged or not a release's"),
        (json.dumps(RECORD.as_json() | {"per_class": "many"}), "is damaged or not a release's"),
        (json.dumps(RECORD.as_json() | {"funnel": [3]}), "is damaged or not a release's"),
    ],
    ids=["cut off", "a list", "no counts", "no crop", "no seed", "a number", "a word", "funnel"],
)
def test_a_damaged_or_foreign_record_is_one_line_that_names_the_file(
    tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "release.json").write_text(content)
    with pytest.raises(UsageError, match=reason) as error:
        read_record(tmp_path)
    assert str(tmp_path / "release.json") in str(error.value)
    assert "\n" not in str(error.value)


def test_no_record_at_all_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"release\.json cannot be read: No such file"):
        read_record(tmp_path)
    assert read_crop_settings(tmp_path) is None
