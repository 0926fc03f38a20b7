"""A hub of networks on loopback with the paths, answers and headers of Hugging Face's, read alone."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

_LARGE = (".safetensors", ".bin")  # what git-lfs keeps


@dataclass
class Network:
    """A repository. gated: its files are for those who accepted its terms."""

    commit: str
    files: dict[str, bytes]
    gated: bool = False


class ModelHub:
    """The server. repos: by ORG/NAME.

    cut: bytes of a file after which its connection drops. spoilt: files that arrive with another last byte. busy:
    status of every answer, 0 = it works.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.repos: dict[str, Network] = {}
        self.cut: dict[str, int] = {}
        self.spoilt: set[str] = set()
        self.busy = 0
        server.expect_request(re.compile("^/.*")).respond_with_handler(self._answer)

    def add(self, name: str, files: dict[str, bytes], *, gated: bool = False) -> str:
        """Make a repository, or a newer commit of it; the commit."""
        seen = repr((name in self.repos, sorted(files.items()))).encode()
        self.repos[name] = Network(hashlib.sha1(seen).hexdigest(), files, gated)
        return self.repos[name].commit

    def sent(self) -> list[str]:
        """The files that were given out, without those that were only asked about."""
        found = [re.search(r"/resolve/\w+/(.+)$", one.path) for one, _ in self.server.log
                 if one.method == "GET"]  # fmt: skip
        return sorted(one[1] for one in found if one)

    def _answer(self, request: Request) -> Response:
        if self.busy:
            return _refusal(self.busy, "Internal Error - We're working hard to fix this")
        parts = request.path.removeprefix("/api/models").strip("/").split("/")
        name, action = "/".join(parts[:2]), parts[2] if len(parts) > 2 else ""
        repo = self.repos.get(name)
        if repo is None:  # as for a private one, so that nobody learns which there are
            return _refusal(401, "Invalid username or password.")
        if request.path.startswith("/api/") and action in ("", "revision"):
            if parts[3:] and parts[3] not in ("main", repo.commit):
                return _refusal(404, f"Invalid rev id: {parts[3]}", code="RevisionNotFound")
            files = [{"rfilename": one} for one in repo.files]
            return _json({"id": name, "sha": repo.commit, "siblings": files, "tags": []})
        if action == "tree":
            return _json([_entry(one, data) for one, data in sorted(repo.files.items())])
        if repo.gated:
            told = f"Access to model {name} is restricted. You must have access to it."
            return _refusal(401, told, code="GatedRepo")
        return self._file(repo, "/".join(parts[4:]), request)

    def _file(self, repo: Network, file: str, request: Request) -> Response:
        if file not in repo.files:
            return _refusal(404, "Entry not found", code="EntryNotFound")
        data = repo.files[file]
        etag = _entry(file, data).get("lfs", {"oid": _git(data)})["oid"]
        if file in self.spoilt:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = int(re.sub(r"\D", "", request.headers.get("Range", "")) or 0)
        body: bytes | Iterator[bytes] = data[start:]
        if file in self.cut and request.method == "GET":
            body = iter([data[start : self.cut[file]]])
        answer = Response(body, 206 if start else 200, mimetype="application/octet-stream")
        answer.headers["Content-Length"] = str(len(data) - start)
        answer.headers["ETag"] = f'"{etag}"'
        answer.headers["X-Repo-Commit"] = repo.commit
        return answer


def _git(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def _entry(name: str, data: bytes) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _git(data)}
    if name.endswith(_LARGE):
        oid = hashlib.sha256(data).hexdigest()
        told["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 130}
    return told


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


def _refusal(status: int, message: str, code: str = "") -> Response:
    answer = _json({"error": message}, status)
    answer.headers["X-Error-Message"] = message
    if code:
        answer.headers["X-Error-Code"] = code
    return answer
