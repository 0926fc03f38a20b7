"""Zenodo's deposit API on loopback: drafts, buckets, versions."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

TOKEN = "zenodo-loopback"


class FakeZenodo:
    """The server; `deposits` by number, `files` of each bucket, `fail` answers that come first for a path."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.deposits: dict[int, dict[str, Any]] = {}
        self.files: dict[int, dict[str, bytes]] = {}
        self.fail: dict[tuple[str, str], list[Response]] = {}
        self.before: Callable[[Request], None] = lambda request: None
        server.expect_request(re.compile("^/.*")).respond_with_handler(self._answer)

    def asked(self, method: str) -> list[str]:
        return [request.path for request, _ in self.server.log if request.method == method]

    def sent(self) -> list[str]:
        return [*self.asked("POST"), *self.asked("PUT"), *self.asked("DELETE")]

    def add(self, metadata: dict[str, Any], *, concept: int = 0, submitted: bool = False) -> int:
        """A deposit of the account; its number."""
        id_ = 1000 + len(self.deposits) * 2 + 1
        self.deposits[id_] = {
            "id": id_,
            "conceptrecid": str(concept or id_ - 1),
            "metadata": metadata,
            "submitted": submitted,
            "state": "done" if submitted else "unsubmitted",
        }
        self.files[id_] = {}
        return id_

    def shown(self, id_: int) -> dict[str, Any]:
        base = f"{self.url}/api/deposit/depositions/{id_}"
        links = {
            "self": base,
            "html": f"{self.url}/deposit/{id_}",
            "publish": f"{base}/actions/publish",
        }
        links |= {"bucket": f"{self.url}/api/files/bucket-{id_}"}
        if self.deposits[id_]["submitted"]:
            links["record_html"] = f"{self.url}/record/{id_}"
        return self.deposits[id_] | {"links": links, "files": self._listed(id_)}

    def _listed(self, id_: int) -> list[dict[str, Any]]:
        return [
            {
                "id": f"file-{name}",
                "filename": name,
                "filesize": len(data),
                "checksum": hashlib.md5(data).hexdigest(),
            }
            for name, data in self.files[id_].items()
        ]

    def _answer(self, request: Request) -> Response:
        self.before(request)
        for (method, part), answers in self.fail.items():
            if request.method == method and part in request.path and answers:
                return answers.pop(0)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return as_json({"status": 401, "message": "Unauthorized"}, 401)
        found = re.fullmatch(r"/api/files/bucket-(\d+)/(.+)", request.path)
        if found:
            data = request.get_data()
            self.files[int(found[1])][unquote(found[2])] = data
            checksum = f"md5:{hashlib.md5(data).hexdigest()}"
            return as_json({"key": found[2], "checksum": checksum, "size": len(data)}, 201)
        parts = request.path.removeprefix("/api/deposit/depositions").strip("/").split("/")
        if parts == [""]:
            return self._list(request) if request.method == "GET" else self._create(request)
        id_ = int(parts[0])
        if id_ not in self.deposits:
            return as_json({"status": 404, "message": "PID does not exist."}, 404)
        return self._one(id_, parts[1:], request)

    def _list(self, request: Request) -> Response:
        size, page = int(request.args["size"]), int(request.args["page"])
        newest = sorted(self.deposits, reverse=True)[(page - 1) * size : page * size]
        return as_json([self.shown(id_) for id_ in newest])

    def _create(self, request: Request) -> Response:
        return as_json(self.shown(self.add(request.get_json().get("metadata", {}))), 201)

    def _one(self, id_: int, parts: list[str], request: Request) -> Response:
        deposit = self.deposits[id_]
        if parts == ["files"]:
            return as_json(self._listed(id_))
        if parts[:1] == ["files"]:
            del self.files[id_][unquote(parts[1]).removeprefix("file-")]
            return Response(status=204)
        if parts == ["actions", "publish"]:
            if not self.files[id_] or not deposit["metadata"].get("creators"):
                errors = [{"field": "metadata.creators", "messages": ["Missing data."]}]
                return as_json({"message": "A validation error occurred.", "errors": errors}, 400)
            deposit |= {"submitted": True, "state": "done"}
            return as_json(self.shown(id_), 202)
        if parts == ["actions", "newversion"]:
            new = self.add(dict(deposit["metadata"]), concept=int(deposit["conceptrecid"]))
            self.files[new] = dict(self.files[id_])
            told = self.shown(id_)
            told["links"]["latest_draft"] = f"{self.url}/api/deposit/depositions/{new}"
            return as_json(told, 201)
        if request.method == "PUT":
            deposit["metadata"] = request.get_json()["metadata"]
        return as_json(self.shown(id_))


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    text = json.dumps(value)
    return Response(text, status, headers=list(headers.items()), mimetype="application/json")
