"""To a hub on loopback, through huggingface_hub itself."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request

from btfer.errors import NetworkError, UsageError
from btfer.pipeline.publish import Access, Patience, Published, open_target, publish
from tests.pipeline.publish.fake_hub import TOKEN, Hub, Repository, refusal

QUICK = Patience(attempts=3, back_off_s=0.01, max_wait_s=2, timeout_s=10)


@pytest.fixture
def hub(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    monkeypatch.setenv("HF_ENDPOINT", httpserver.url_for(""))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    return Hub(httpserver)


def send(
    folder: Path, *, to: str = "hf://lab/faces", token: str = TOKEN, **access: bool
) -> Published:
    target = open_target(to, token=token, patience=QUICK)
    return publish(folder, target, access=Access(**access))


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def held(repo: Repository) -> dict[str, bytes]:
    return {name: data for name, data in repo.files.items() if name != ".gitattributes"}


def test_a_release_arrives_whole_private_and_tagged(hub: Hub, release: Path) -> None:
    done = send(release)
    repo = hub.repos["lab/faces"]
    assert held(repo) == files_of(release)
    assert repo.private
    assert len(repo.commits) == 2
    assert repo.tags == {"v1.0.0": repo.commits[-1][0]}
    digest = hashlib.sha256((release / "SHA256SUMS").read_bytes()).hexdigest()
    assert digest in repo.about[0]["description"]
    assert (done.state, done.digest) == ("sent", digest)
    assert done.url == f"{hub.url}/datasets/lab/faces/tree/v1.0.0"


def test_twice_is_as_good_as_once(hub: Hub, release: Path) -> None:
    send(release)
    before = len(hub.sent())
    assert send(release).state == "already published"
    assert len(hub.sent()) == before


def test_public_means_gated_unless_asked_otherwise(hub: Hub, release: Path) -> None:
    send(release)
    assert send(release, public=True).state == "sent"
    repo = hub.repos["lab/faces"]
    assert (repo.private, repo.gated) == (False, "manual")
    assert send(release, public=True).state == "already published"
    send(release, public=True, gated=False)
    assert (repo.private, repo.gated) == (False, False)
    assert len(repo.commits) == 2


def test_a_new_repository_is_private_until_everything_is_there(hub: Hub, release: Path) -> None:
    seen: list[bool] = []

    def look(request: Request) -> None:
        if request.path.endswith(("/commit/main", "/tag/main")) or request.path.startswith("/lfs/"):
            seen.append(hub.repos["lab/faces"].private)

    hub.before = look
    send(release, public=True, gated=False)
    assert seen
    assert all(seen)
    assert not hub.repos["lab/faces"].private


def test_what_everybody_can_read_takes_nothing_without_public(hub: Hub, release: Path) -> None:
    repo = hub.repos["lab/faces"] = Repository(private=False)
    repo.add({".gitattributes": b""})
    with pytest.raises(UsageError, match="--public"):
        send(release)
    assert hub.sent() == []
    gates: list[object] = []
    hub.before = lambda request: gates.append(repo.gated) if "/commit/" in request.path else None
    send(release, public=True)
    assert gates == ["manual"]


def test_a_repository_of_something_else_is_left_alone(hub: Hub, release: Path) -> None:
    repo = hub.repos["lab/faces"] = Repository(private=True)
    repo.add({"model.bin": b"x"})
    with pytest.raises(UsageError, match="something else"):
        send(release)
    assert hub.sent() == []


def test_a_next_version_takes_the_place_of_the_one_before(
    hub: Hub, release: Path, next_version: Callable[[], Path]
) -> None:
    send(release)
    new = next_version()
    done = send(new)
    repo = hub.repos["lab/faces"]
    assert held(repo) == files_of(new)
    assert set(repo.tags) == {"v1.0.0", "v1.0.1"}
    assert "history" in done.note
    assert send(new).state == "already published"
    assert send(release).state == "already published"


def test_one_version_is_one_content(hub: Hub, release: Path) -> None:
    send(release)
    hub.repos["lab/faces"].files["README.md"] = b"other"
    with pytest.raises(UsageError, match="other files as v1"):
        send(release)


@pytest.mark.slow
@pytest.mark.parametrize("dies_at", ["/lfs/", "/commit/main", "/tag/"])
def test_killed_half_way_and_run_again_it_ends_the_same(
    hub: Hub, release: Path, dies_at: str
) -> None:
    code = (
        "import sys; from pathlib import Path; from btfer.pipeline.publish import *\n"
        "publish(Path(sys.argv[1]), open_target('hf://lab/faces'))"
    )
    more = {"HF_TOKEN": TOKEN}
    process = subprocess.Popen([sys.executable, "-c", code, str(release)], env=os.environ | more)
    seen: list[str] = []

    def kill(request: Request) -> None:
        if dies_at in request.path and process.poll() is None:
            seen.append(request.path)
            if len(seen) == (3 if dies_at == "/lfs/" else 1):
                process.send_signal(signal.SIGKILL)

    hub.before = kill
    assert process.wait(120) == -signal.SIGKILL
    hub.before = lambda request: None
    stored = set(hub.stored)
    send(release)
    again = [path for path in hub.asked("PUT") if path.startswith("/lfs/")]
    repo = hub.repos["lab/faces"]
    assert held(repo) == files_of(release)
    assert set(repo.tags) == {"v1.0.0"}
    assert len(repo.commits) == 2
    assert len([path for path in again if path.removeprefix("/lfs/") in stored]) == len(stored)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/repos/create", 403, "set HF_TOKEN to one with write permission for lab"),
        ("/api/repos/create", 404, "no user or organisation lab"),
        ("/commit/main", 401, "does not accept the token"),
        ("/commit/main", 409, "changed by somebody else"),
        ("/commit/main", 413, "has no room"),
        ("/commit/main", 402, "has no room"),
        ("/lab/faces/refs", 418, "answered 418"),
    ],
)
def test_a_refusal_is_one_line(hub: Hub, release: Path, path: str, status: int, words: str) -> None:
    hub.fail[path] = [refusal(status, "because")] * 9
    with pytest.raises(NetworkError, match=words) as error:
        send(release)
    assert "\n" not in str(error.value)
    assert TOKEN not in str(error.value)


def test_a_wrong_token_and_a_foreign_organisation(hub: Hub, release: Path) -> None:
    with pytest.raises(NetworkError, match="HF_TOKEN"):
        send(release, token="hf_wrong")
    with pytest.raises(NetworkError, match=r"may not write to other/faces.*rights to create"):
        send(release, to="hf://other/faces")


def test_without_a_token_nothing_is_asked(hub: Hub, release: Path) -> None:
    with pytest.raises(UsageError, match="set HF_TOKEN"):
        send(release, token="")
    assert hub.server.log == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(hub: Hub, release: Path, status: int) -> None:
    hub.fail["/commit/main"] = [refusal(status, "later", retry_after="0")] * 2
    send(release)
    assert held(hub.repos["lab/faces"]) == files_of(release)


def test_a_lost_answer_makes_no_second_commit(hub: Hub, release: Path) -> None:
    send(release)
    repo = hub.repos["lab/faces"]
    repo.tags.clear()  # as if the commit's answer had been lost
    assert send(release).state == "sent"
    assert len(repo.commits) == 2


@pytest.mark.parametrize("path", ["/commit/main", "/preupload/main", "/api/repos/create"])
def test_patience_has_an_end(hub: Hub, release: Path, path: str) -> None:
    hub.fail[path] = [refusal(429, "later", retry_after="3600")] * 9
    with pytest.raises(NetworkError, match="asks to wait 3600 s"):
        send(release)


def test_offline_is_one_line(release: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NetworkError, match=r"cannot reach http://127.0.0.1:9.*Run the same"):
        send(release)
