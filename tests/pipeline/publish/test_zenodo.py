"""To Zenodo's deposit API on loopback."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from btfer.errors import NetworkError, UsageError
from btfer.pipeline.publish import Access, Patience, Published, open_target, publish
from tests.pipeline.publish.conftest import reseal
from tests.pipeline.publish.fake_zenodo import TOKEN, FakeZenodo, as_json

QUICK = Patience(attempts=3, back_off_s=0.01, max_wait_s=2, timeout_s=10)


@pytest.fixture
def zenodo(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> FakeZenodo:
    monkeypatch.setenv("ZENODO_ENDPOINT", httpserver.url_for("").rstrip("/"))
    monkeypatch.setenv("ZENODO_TOKEN", TOKEN)
    return FakeZenodo(httpserver)


def send(folder: Path, *, token: str = "", **access: bool) -> Published:
    target = open_target("zenodo", token=token, creators=["Doe, Jane"], patience=QUICK)
    return publish(folder, target, access=Access(**access))


def only(zenodo: FakeZenodo) -> tuple[int, dict[str, Any]]:
    [(id_, deposit)] = zenodo.deposits.items()
    return id_, deposit


def test_a_release_becomes_a_draft_that_nobody_sees(zenodo: FakeZenodo, release: Path) -> None:
    done = send(release)
    id_, deposit = only(zenodo)
    digest = hashlib.sha256((release / "SHA256SUMS").read_bytes()).hexdigest()
    assert not deposit["submitted"]
    metadata = deposit["metadata"]
    assert digest in metadata["description"]
    assert (metadata["version"], metadata["access_right"]) == ("1.0.0", "restricted")
    assert metadata["creators"] == [{"name": "Doe, Jane"}]
    assert set(zenodo.files[id_]) == {
        f"{release.name}.zip",
        "README.md",
        "SHA256SUMS",
        "optout.html",
    }
    assert (done.state, done.url) == ("sent", f"{zenodo.url}/deposit/{id_}")
    assert "draft" in done.note


def test_the_zip_is_the_release(zenodo: FakeZenodo, release: Path) -> None:
    send(release)
    id_, _ = only(zenodo)
    archive = zipfile.ZipFile(io.BytesIO(zenodo.files[id_][f"{release.name}.zip"]))
    held = {name: archive.read(name) for name in archive.namelist()}
    wanted = {
        f"{release.name}/{path.relative_to(release).as_posix()}": path.read_bytes()
        for path in release.rglob("*")
        if path.is_file()
    }
    assert held == wanted


def test_a_draft_is_gone_on_with_and_a_record_is_left(zenodo: FakeZenodo, release: Path) -> None:
    send(release)
    puts = len(zenodo.asked("PUT"))
    send(release)
    assert len(zenodo.asked("PUT")) == puts + 1  # the description only
    done = send(release, public=True)
    id_, deposit = only(zenodo)
    assert deposit["submitted"]
    assert deposit["metadata"]["access_right"] == "restricted"
    assert deposit["metadata"]["access_conditions"]
    assert done.url == f"{zenodo.url}/record/{id_}"
    before = len(zenodo.sent())
    assert send(release, public=True).state == "already published"
    assert len(zenodo.sent()) == before


@pytest.mark.parametrize(
    ("use", "licence"), [("commercial", "other-open"), ("non-commercial", "other-nc")]
)
def test_open_says_what_the_images_allow(
    zenodo: FakeZenodo, release: Path, use: str, licence: str
) -> None:
    send(reseal(release, {"redistribution": use}), public=True, gated=False)
    _, deposit = only(zenodo)
    assert deposit["metadata"]["access_right"] == "open"
    assert deposit["metadata"]["license"] == licence


def test_a_next_version_is_of_the_same_record(
    zenodo: FakeZenodo, release: Path, next_version: Callable[[], Path]
) -> None:
    send(release, public=True)
    first, record = only(zenodo)
    new = next_version()
    send(new, public=True)
    second = max(zenodo.deposits)
    assert second != first
    assert zenodo.deposits[second]["conceptrecid"] == record["conceptrecid"]
    assert zenodo.deposits[second]["metadata"]["version"] == "1.0.1"
    assert set(zenodo.files[second]) == {
        f"{new.name}.zip",
        "README.md",
        "SHA256SUMS",
        "optout.html",
    }
    assert zenodo.files[second]["SHA256SUMS"] == (new / "SHA256SUMS").read_bytes()
    assert send(new, public=True).state == "already published"
    assert len(zenodo.deposits) == 2


def test_a_new_version_that_was_begun_is_used(
    zenodo: FakeZenodo, release: Path, next_version: Callable[[], Path]
) -> None:
    send(release, public=True)
    first, _ = only(zenodo)
    new = next_version()
    zenodo.fail[("GET", f"/{first + 2}")] = [as_json({}, 400)]  # as a kill after actions/newversion
    with pytest.raises(NetworkError):
        send(new)
    assert len(zenodo.deposits) == 2
    send(new)
    assert len(zenodo.deposits) == 2
    assert zenodo.deposits[first + 2]["metadata"]["version"] == "1.0.1"


@pytest.mark.slow
@pytest.mark.parametrize("dies_at", ["/deposit/depositions", ".zip", "/actions/publish"])
def test_killed_half_way_and_run_again_it_ends_the_same(
    zenodo: FakeZenodo, release: Path, dies_at: str
) -> None:
    code = (
        "import sys; from pathlib import Path; from btfer.pipeline.publish import *\n"
        "target = open_target('zenodo', creators=['Doe, Jane'])\n"
        "publish(Path(sys.argv[1]), target, access=Access(public=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(release)], env=dict(os.environ))

    def kill(request: Request) -> None:
        if request.method != "GET" and request.path.endswith(dies_at):
            process.send_signal(signal.SIGKILL)

    zenodo.before = kill
    assert process.wait(120) == -signal.SIGKILL
    zenodo.before = lambda request: None
    assert send(release, public=True).state in ("sent", "already published")
    id_, deposit = only(zenodo)
    assert deposit["submitted"]
    assert set(zenodo.files[id_]) == {
        f"{release.name}.zip",
        "README.md",
        "SHA256SUMS",
        "optout.html",
    }


def test_damaged_and_foreign_files_of_a_draft_are_put_right(
    zenodo: FakeZenodo, release: Path
) -> None:
    send(release)
    id_, _ = only(zenodo)
    zenodo.files[id_] |= {"README.md": b"half", "old name.zip": b"x"}
    send(release)
    assert set(zenodo.files[id_]) == {
        f"{release.name}.zip",
        "README.md",
        "SHA256SUMS",
        "optout.html",
    }
    assert zenodo.files[id_]["README.md"] == (release / "README.md").read_bytes()


def test_an_upload_that_arrives_damaged_is_sent_again(zenodo: FakeZenodo, release: Path) -> None:
    zenodo.fail[("PUT", ".zip")] = [as_json({"checksum": "md5:0"}, 201)]
    send(release)
    assert len([path for path in zenodo.asked("PUT") if path.endswith(".zip")]) == 2


def test_records_of_the_account_that_are_not_ours_are_left(
    zenodo: FakeZenodo, release: Path
) -> None:
    for number in range(120):
        zenodo.add({"title": f"{number}", "description": "other"}, submitted=number % 2 == 0)
    send(release)
    assert len(zenodo.deposits) == 121
    send(release)
    assert len(zenodo.deposits) == 121


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "answered 400 .*Missing data"),
        (401, "set ZENODO_TOKEN"),
        (403, "set ZENODO_TOKEN to one with deposit:write"),
        (404, "does not find the record"),
        (409, "changed by somebody else"),
        (413, "too large"),
        (302, "answered 302"),
    ],
)
def test_a_refusal_is_one_line(zenodo: FakeZenodo, release: Path, status: int, words: str) -> None:
    told = {"message": "Invalid.", "errors": [{"field": "files", "messages": ["Missing data."]}]}
    zenodo.fail[("PUT", "/api/files/")] = [
        as_json(told, status, Location="http://evil.example")
    ] * 9
    with pytest.raises(NetworkError, match=words) as error:
        send(release)
    assert "\n" not in str(error.value)
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("status", [429, 500, 504])
def test_a_busy_server_is_asked_again(
    zenodo: FakeZenodo, release: Path, method: str, status: int
) -> None:
    zenodo.fail[(method, "/api")] = [as_json({}, status, **{"Retry-After": "0"})] * 2
    send(release)
    only(zenodo)


def test_patience_has_an_end(zenodo: FakeZenodo, release: Path) -> None:
    zenodo.fail[("GET", "/api")] = [as_json({}, 429, **{"Retry-After": "3600"})]
    with pytest.raises(NetworkError, match="asks to wait 3600 s"):
        send(release)
    zenodo.fail[("GET", "/api")] = [as_json({}, 500)] * 9
    with pytest.raises(NetworkError, match=r"answered 500\. Run the same command"):
        send(release)


def test_the_token_goes_to_no_other_host(zenodo: FakeZenodo, release: Path) -> None:
    send(release)
    id_, _ = only(zenodo)
    told = zenodo.shown(id_)
    told["links"]["bucket"] = "https://evil.example/bucket"
    zenodo.files[id_].clear()
    zenodo.fail[("GET", f"/{id_}")] = [as_json(told)]
    with pytest.raises(NetworkError, match="another host"):
        send(release)


def test_an_answer_that_is_no_json_is_one_line(zenodo: FakeZenodo, release: Path) -> None:
    zenodo.fail[("GET", "/api")] = [Response("<html>", mimetype="text/html")] * 9
    with pytest.raises(NetworkError, match="not JSON"):
        send(release)


def test_what_is_missing_is_said_before_anything_is_asked(
    zenodo: FakeZenodo, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="--creator"):
        publish(release, open_target("zenodo"))
    monkeypatch.delenv("ZENODO_TOKEN")
    with pytest.raises(UsageError, match="set ZENODO_TOKEN"):
        send(release)
    monkeypatch.setenv("ZENODO_ENDPOINT", "http://zenodo.example")
    with pytest.raises(UsageError, match="https only"):
        send(release, token=TOKEN)
    assert zenodo.server.log == []


def test_offline_is_one_line(
    zenodo: FakeZenodo, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENODO_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NetworkError, match=r"cannot reach http://127.0.0.1:9"):
        send(release)
