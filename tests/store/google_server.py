"""As much of Google Cloud Storage's JSON API as gcsfs asks for one object at a time, with one bucket, on loopback."""

import email
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

NAME = "pail"
_PATH = re.compile(r"(?:/upload|/download)?/storage/v1/b/([^/]+)/o/?(.*)")


class Google:
    """A bucket of this name. cut: how many of the next downloads end in the middle."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.cut = 0
        self.endpoint = ""


@contextmanager
def running() -> Iterator[Google]:
    google = Google()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(google))
    server.daemon_threads = True
    google.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield google
    finally:
        server.shutdown()
        server.server_close()


def _handler(google: Google) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if (key := self._key()) is None:
                return
            if not key:
                first = parse_qs(urlsplit(self.path).query).get("prefix", [""])[0]
                self._tell({"items": [_about(k) for k in google.objects if k.startswith(first)]})
            elif key not in google.objects:
                self._answer(404, _error("No such object"))
            elif "alt=media" in self.path:
                self._send(google.objects[key])
            else:
                self._tell(_about(key))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self._key() is None:
                return
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            about, data = email.message_from_bytes(head + body).get_payload()
            key = json.loads(about.get_payload())["name"]
            google.objects[key] = data.get_payload(decode=True)
            self._tell(_about(key))

        def do_DELETE(self) -> None:
            key = self._key()
            if key is not None:
                found = google.objects.pop(key, None)
                self._answer(404 if found is None else 204, b"")

        def _key(self) -> str | None:
            found = _PATH.fullmatch(urlsplit(self.path).path)
            if found and found[1] == NAME:
                return unquote(found[2])
            self._answer(404, _error("The specified bucket does not exist."))
            return None

        def _send(self, data: bytes) -> None:
            google.cut, cut = max(0, google.cut - 1), google.cut > 0
            self.send_response(200)
            self.end_headers()  # nothing says how long it is
            self.wfile.write(data[: len(data) // 2] if cut else data)

        def _tell(self, facts: dict[str, Any]) -> None:
            self._answer(200, json.dumps(facts).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    def _about(key: str) -> dict[str, Any]:
        return {
            "kind": "storage#object",
            "bucket": NAME,
            "name": key,
            "size": str(len(google.objects[key])),
            "updated": "2026-11-30T05:00:00.000Z",
            "timeCreated": "2026-11-30T05:00:00.000Z",
        }

    return Handler


def _error(text: str) -> bytes:
    return json.dumps({"error": {"code": 404, "message": text}}).encode()
