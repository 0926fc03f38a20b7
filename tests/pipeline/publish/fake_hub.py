"""A hub on loopback with the paths, answers and git hashes of Hugging Face's."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

TOKEN = "hf_loopback"
_PAGE = 7  # files a page, so that a listing takes several


@dataclass
class Repository:
    """Commits as file contents by path; the newest is last."""

    private: bool
    gated: Any = False
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    about: list[dict[str, Any]] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        """What main holds."""
        return self.commits[-1][1]

    def add(self, files: dict[str, bytes]) -> str:
        seen = repr((len(self.commits), sorted(files.items())))
        id_ = hashlib.sha1(seen.encode()).hexdigest()
        self.commits.append((id_, files))
        return id_


class Hub:
    """The server; `repos` is what it holds, `fail` answers that come first for a path that ends so."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.repos: dict[str, Repository] = {}
        self.stored: dict[str, bytes] = {}
        self.fail: dict[str, list[Response]] = {}
        self.before: Callable[[Request], None] = lambda request: None
        server.expect_request("/").respond_with_data("")
        import re

        server.expect_request(re.compile("^/.*")).respond_with_handler(self._answer)

    def asked(self, method: str) -> list[str]:
        return [request.path for request, _ in self.server.log if request.method == method]

    def sent(self) -> list[str]:
        """Requests that change something."""
        return [*self.asked("POST"), *self.asked("PUT")]

    def _answer(self, request: Request) -> Response:
        self.before(request)
        for end, answers in self.fail.items():
            if request.path.endswith(end) and answers:
                return answers.pop(0)
        if request.path.startswith("/lfs/"):
            return self._store(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refusal(401, "Invalid credentials in Authorization header")
        if request.path == "/api/repos/create":
            return self._create(request)
        if request.path == "/api/validate-yaml":
            return as_json({"errors": [], "warnings": []})
        path = request.path.removeprefix("/api")
        parts = path.removeprefix("/datasets/").split("/")
        repo = self.repos.get("/".join(parts[:2]).removesuffix(".git"))
        if repo is None:
            return refusal(404, "Repository not found", code="RepoNotFound")
        action = parts[2] if len(parts) > 2 else ""
        handlers = {"": self._info, "refs": self._refs, "tree": self._tree, "tag": self._tag}
        handlers |= {"preupload": self._preupload, "commit": self._commit}
        handlers |= {"settings": self._settings, "info": self._batch}
        return handlers[action](repo, request, parts)

    def _create(self, request: Request) -> Response:
        asked = request.get_json()
        if asked["organization"] != "lab":
            return refusal(
                403, "You don't have the rights to create a dataset under this namespace"
            )
        name = f"{asked['organization']}/{asked['name']}"
        if name in self.repos:
            return refusal(409, "You already created this dataset repo")
        made = Repository(
            private=asked.get("visibility") == "private" or asked.get("private", False)
        )
        made.add({".gitattributes": b"*.png filter=lfs"})
        self.repos[name] = made
        return as_json({"url": f"{self.url}/datasets/{name}", "name": name})

    def _info(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        told = {"id": "/".join(parts), "private": repo.private, "gated": repo.gated}
        return as_json(told | {"sha": repo.commits[-1][0], "siblings": [], "tags": []})

    def _refs(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.commits[-1][0]}
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": commit}
            for name, commit in repo.tags.items()
        ]
        return as_json({"branches": [branch], "converts": [], "tags": tags})

    def _tree(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        wanted = repo.tags.get(parts[3], parts[3])
        files = next(files for id_, files in repo.commits if wanted in (id_, "main"))
        start = int(request.args.get("cursor", 0))
        page = [_entry(name, data) for name, data in sorted(files.items())[start : start + _PAGE]]
        answer = as_json(page)
        if start + _PAGE < len(files):
            more = f"{self.url}{request.path}?recursive=True&cursor={start + _PAGE}"
            answer.headers["Link"] = f'<{more}>; rel="next"'
        return answer

    def _preupload(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(".png") else "regular",
                "shouldIgnore": False,
            }
            for one in request.get_json()["files"]
        ]
        return as_json({"files": files})

    def _batch(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        objects = []
        for one in request.get_json()["objects"]:
            told: dict[str, Any] = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.stored:
                told["actions"] = {"upload": {"href": f"{self.url}/lfs/{one['oid']}"}}
            objects.append(told)
        return as_json({"transfer": "basic", "objects": objects})

    def _store(self, request: Request) -> Response:
        data = request.get_data()
        oid = request.path.removeprefix("/lfs/")
        assert hashlib.sha256(data).hexdigest() == oid
        assert "Authorization" not in request.headers
        self.stored[oid] = data
        return Response(b"")

    def _commit(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        lines = [json.loads(line) for line in request.get_data().splitlines()]
        head = lines[0]["value"]
        if head.get("parentCommit", repo.commits[-1][0]) != repo.commits[-1][0]:
            return refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.stored[value["oid"]]
            else:
                del files[value["path"]]
        id_ = repo.add(files)
        repo.about.append(head)
        return as_json(
            {
                "commitUrl": f"{self.url}/datasets/{parts[0]}/{parts[1]}/commit/{id_}",
                "commitOid": id_,
            }
        )

    def _tag(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        tag = request.get_json()["tag"]
        if tag in repo.tags:
            return refusal(409, "Tag already exists")
        repo.tags[tag] = parts[3]
        return as_json({})

    def _settings(self, repo: Repository, request: Request, parts: list[str]) -> Response:
        asked = request.get_json()
        repo.gated = asked.get("gated", repo.gated)
        if "visibility" in asked or "private" in asked:
            repo.private = asked.get("private", asked.get("visibility") == "private")
        return as_json({})


def _entry(name: str, data: bytes) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "file", "path": name, "size": len(data)}
    if name.endswith(".png"):
        oid = hashlib.sha256(data).hexdigest()
        told["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 130}
    blob = f"blob {len(data)}\0".encode() + data
    return told | {"oid": hashlib.sha1(blob).hexdigest()}


def as_json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


def refusal(status: int, message: str, *, code: str = "", retry_after: str = "") -> Response:
    answer = as_json({"error": message}, status)
    answer.headers["X-Error-Message"] = message
    if code:
        answer.headers["X-Error-Code"] = code
    if retry_after:
        answer.headers["Retry-After"] = retry_after
    return answer
