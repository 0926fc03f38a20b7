"""One object at a time: whole or not at all, whatever the network does, and no key in any message."""

import hashlib
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from btfer.errors import BtferError, MissingExtra, UsageError
from btfer.store import Bucket, StoreError
from btfer.store import bucket as transport
from tests.bucket_server import KEY, NAME, SECRET, Pail

DATA = bytes(range(256)) * 300
PHOTO = f"photos/{hashlib.sha256(DATA).hexdigest()}.jpg"
FACE = "faces/ab/ab-1-00.png"


@pytest.fixture
def bucket(pail: Pail) -> Bucket:
    return Bucket(f"s3://{NAME}/lab", pail.endpoint)


def first(
    n: int, fault: str, methods: str = "GET PUT DELETE LIST HEAD"
) -> Callable[[str, str], str]:
    """The fault in the first n requests of some methods."""
    left, lock = [n], threading.Lock()

    def of(method: str, key: str) -> str:
        with lock:
            if method not in methods.split() or left[0] == 0:
                return ""
            left[0] -= 1
            return fault

    return of


def test_what_was_put_is_got_listed_and_deleted(bucket: Bucket, pail: Pail) -> None:
    bucket.put(FACE, DATA)
    assert bucket.get(FACE) == DATA == pail.read(f"lab/{FACE}")
    assert {key: one.n_bytes for key, one in bucket.list("faces/ab/ab-1").items()} == {
        FACE: len(DATA)
    }
    assert not bucket.list("faces/ab/ab-2")
    bucket.delete(FACE)
    bucket.delete(FACE)  # none there is right too
    assert not bucket.list("faces/")
    with pytest.raises(FileNotFoundError):
        bucket.get(FACE)


def test_a_photo_costs_one_request_each_way(bucket: Bucket, pail: Pail) -> None:
    bucket.put(PHOTO, DATA)
    bucket.get(PHOTO)
    assert pail.count() == {"PUT": 1, "GET": 1}


@pytest.mark.parametrize("key", [PHOTO, FACE], ids=["photo", "face"])
@pytest.mark.parametrize("fault", ["503", "500", "reset", "cut", "unsized"])
def test_a_fault_that_passes_is_not_noticed(
    bucket: Bucket, pail: Pail, key: str, fault: str
) -> None:
    pail.fault = first(2, fault, "PUT") if fault in ("503", "500", "reset") else pail.fault
    bucket.put(key, DATA)
    pail.fault = first(2, fault, "GET")
    assert bucket.get(key) == DATA
    assert pail.count()["GET"] == 3


def test_a_photo_of_no_bytes_is_fetched_as_it_is(bucket: Bucket) -> None:
    bucket.put(PHOTO, b"")  # somebody else's: who reads it says so
    assert bucket.get(PHOTO) == b""


@pytest.mark.parametrize("fault", ["503", "reset", "cut", "unsized"])
def test_a_fault_that_stays_ends_in_one_sentence(bucket: Bucket, pail: Pail, fault: str) -> None:
    bucket.put(FACE, DATA)
    pail.fault = lambda method, key: fault if method == "GET" else ""
    pail.log.clear()
    with pytest.raises(StoreError, match=r"cannot be reached \(\w+, 5 attempts\)") as told:
        bucket.get(FACE)
    # A connection that was used before and is found closed is opened once more by aiohttp itself.
    assert 5 <= pail.count()["GET"] <= 10
    assert_no_secret(told.value)


def test_a_server_that_does_not_answer_is_left_in_bounded_time(
    bucket: Bucket, pail: Pail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.2)
    transport._file_system.cache_clear()
    pail.fault = lambda method, key: "stall"
    begun = time.monotonic()
    with pytest.raises(StoreError, match="ReadTimeout"):
        bucket.get(PHOTO)
    assert time.monotonic() - begun < 15
    transport._file_system.cache_clear()


def test_nothing_listens_there_and_where_it_was_looked_for_is_said(pail: Pail) -> None:
    with pytest.raises(
        StoreError, match=r"EndpointConnectionError.* check endpoint_url http://127.0.0.1:9$"
    ):
        Bucket(f"s3://{NAME}/lab", "http://127.0.0.1:9").put(PHOTO, DATA)


def test_what_answers_to_everything_is_no_bucket(bucket: Bucket, pail: Pail) -> None:
    pail.fault = lambda method, key: "200"
    with pytest.raises(StoreError, match="cannot be reached"):
        bucket.put(PHOTO, DATA)
    pail.fault = lambda method, key: ""
    assert not pail.names()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SHARED_CREDENTIALS_FILE", "[default\naws_secret_access_key = s3cr3t\n"),
        ("AWS_CONFIG_FILE", "[default\n"),
        ("AWS_DEFAULT_REGION", "us east 1"),
        ("AWS_ENDPOINT_URL", "localhost:9000"),
        ("AWS_RETRY_MODE", "often"),
    ],
)
def test_what_is_set_up_wrongly_is_said_at_once(
    pail: Pail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    if name.endswith("_FILE"):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        (tmp_path / "file").write_text(value)
        value = str(tmp_path / "file")
    monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=r"cannot be asked \(\w+\): look at the AWS_") as told:
        Bucket(f"s3://{NAME}/lab").get(PHOTO)
    assert not pail.log
    assert "s3cr3t" not in str(told.value)


DOINGS: dict[str, Callable[[Bucket], object]] = {
    "get": lambda bucket: bucket.get(PHOTO),
    "put": lambda bucket: bucket.put(PHOTO, DATA),
    "list": lambda bucket: bucket.list("photos/"),
    "delete": lambda bucket: bucket.delete(PHOTO),
}


@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS)
def test_a_bucket_that_is_not_there_is_said(pail: Pail, doing: Callable[[Bucket], object]) -> None:
    with pytest.raises(UsageError, match="there is no bucket 'nowhere'"):
        doing(Bucket("s3://nowhere/lab", pail.endpoint))


@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS)
def test_a_refusal_is_said_at_once(
    bucket: Bucket, pail: Pail, doing: Callable[[Bucket], object]
) -> None:
    pail.fault = lambda method, key: "403"
    with pytest.raises(StoreError, match="no permission for s3://pail/lab") as told:
        doing(bucket)
    assert len(pail.log) == 1
    assert_no_secret(told.value)


def test_no_credentials(pail: Pail, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(StoreError, match="has no credentials for s3://pail/lab: set AWS_"):
        Bucket(f"s3://{NAME}/lab", pail.endpoint).get(PHOTO)


def test_an_unknown_profile(pail: Pail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "lab")
    with pytest.raises(StoreError, match="no credentials"):
        Bucket(f"s3://{NAME}/lab", pail.endpoint).get(PHOTO)


@pytest.mark.parametrize(("url", "extra"), [("s3://pail", "s3"), ("gs://pail", "gcs")])
def test_a_missing_extra_is_named(url: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btfer.extras.installed", lambda module: False)
    with pytest.raises(MissingExtra, match=rf"pip install 'btfer\[{extra}\]'"):
        Bucket(url).check()


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/x", "a//x", "a/", "a/./x", "a\nb", ""])
def test_a_key_that_leads_out_of_the_folder_is_not_seen(key: str) -> None:
    assert not transport.is_plain(key)


def test_it_can_be_sent_to_another_process_and_has_no_key(bucket: Bucket) -> None:
    bucket.put(PHOTO, DATA)
    sent = pickle.dumps(bucket)
    assert SECRET.encode() not in sent
    assert pickle.loads(sent).get(PHOTO) == DATA


def assert_no_secret(error: BtferError) -> None:
    assert not any(one in str(error) for one in (KEY, SECRET))
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_key_that_no_bucket_takes_is_refused_before_it_is_sent(pail: Pail) -> None:
    bucket = Bucket(f"s3://{NAME}/lab", pail.endpoint)
    longest = "a" * (1_024 - len("lab/"))
    bucket.put(longest, b"x")
    with pytest.raises(UsageError, match=r"has 1,025 bytes, more than the 1,024"):
        bucket.put(f"{longest}b", b"x")
    assert len(pail.names()) == 1
