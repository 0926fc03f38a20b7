"""A bucket on loopback: moto's server, and a proxy before it that answers late, wrongly, in part or not at all."""

import logging
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

NAME = "pail"
KEY, SECRET = "AKIAOFTHETEST", "s3cr3t/of+the/test"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}


@dataclass
class Pail:
    """A bucket. behind: the server itself. log: method and key of each request. fault: says what happens to one.

    A fault is `503`, `403`, `200` (of something else than a bucket), `reset` (no answer), `cut` (half of the body),
    `unsized` (half of it, and nothing says how long it is) or `stall` (no answer for a long time).
    """

    behind: str
    endpoint: str = ""
    log: list[tuple[str, str]] = field(default_factory=list)
    fault: Callable[[str, str], str] = lambda method, key: ""

    def count(self) -> Counter[str]:
        """How many requests of each method came."""
        return Counter(method for method, _ in self.log)

    def names(self) -> set[str]:
        """What is in the bucket."""
        listed = self.client.get_paginator("list_objects_v2").paginate(Bucket=NAME)
        return {one["Key"] for page in listed for one in page.get("Contents", ())}

    def read(self, key: str) -> bytes:
        """An object."""
        data: bytes = self.client.get_object(Bucket=NAME, Key=key)["Body"].read()
        return data

    def write(self, key: str, data: bytes) -> None:
        """Put an object, as somebody else would."""
        self.client.put_object(Bucket=NAME, Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object behind our back."""
        self.client.delete_object(Bucket=NAME, Key=key)

    @cached_property
    def client(self) -> Any:
        """One that passes by the proxy."""
        return boto3.client(
            "s3",
            endpoint_url=self.behind,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )


@contextmanager
def running() -> Iterator[Pail]:
    """An empty bucket, behind the proxy."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    pail = Pail(f"http://{host}:{port}")
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(pail, port))
    proxy.daemon_threads = True
    pail.endpoint = f"http://127.0.0.1:{proxy.server_port}"
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    pail.client.create_bucket(Bucket=NAME)
    try:
        yield pail
    finally:
        proxy.shutdown()
        proxy.server_close()
        server.stop()


def _handler(pail: Pail, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self._body()
            key = self.path.partition("?")[0].removeprefix(f"/{NAME}").lstrip("/")
            kind = "LIST" if self.command == "GET" and "list-type" in self.path else self.command
            pail.log.append((kind, key))
            fault = pail.fault(kind, key)
            if fault in ("reset", "stall"):
                sleep(20 if fault == "stall" else 0)
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault.isdigit():
                self._answer(int(fault), {}, _error(int(fault)))
                return
            there = HTTPConnection("127.0.0.1", port, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            there.request(self.command, self.path, body, headers)
            answer = there.getresponse()
            data = answer.read()
            headers = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP}
            if self.command == "HEAD":
                headers["Content-Length"] = answer.getheader("Content-Length") or "0"
            self._answer(answer.status, headers, data, fault)
            there.close()

        def _body(self) -> bytes:
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(
            self, status: int, headers: dict[str, str], data: bytes, fault: str = ""
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if self.command != "HEAD" and fault != "unsized":
                self.send_header("Content-Length", str(len(data)))
            if fault == "unsized":
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if fault in ("cut", "unsized") else data)
            if fault:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def _error(status: int) -> bytes:
    if status == 200:
        return b"<html><body>Please log in</body></html>"
    code = {503: "SlowDown", 403: "AccessDenied", 500: "InternalError"}[status]
    text = f"<Error><Code>{code}</Code><Message>of {KEY}</Message></Error>"
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()
