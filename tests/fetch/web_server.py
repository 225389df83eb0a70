"""A real HTTP server on loopback whose files, ETags and faults a test chooses."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Web:
    """What the server answers, and what it was asked.

    Args:
        files: path -> content.
        validators: `etag`, `date` or nothing.
        faults: what the next answers are instead: a status, `cut`, `slow`, `reset`.
        moves: path -> where it redirects to.
        password: what `Authorization` must say.
    """

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    validators: str = "etag"
    faults: list[int | str] = field(default_factory=list)
    moves: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    password: str = ""
    heads: bool = True
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def bodies(self) -> int:
        """Return how many whole files were sent."""
        return sum(method == "GET" and status == 200 for method, _, status in self.asked)


@contextmanager
def serving() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            path = self.path.partition("?")[0]
            web.said.append(dict(self.headers))
            fault = web.faults.pop(0) if web.faults else None
            if fault == "reset":
                web.asked.append((self.command, path, 0))
                self.close_connection = True
                self.connection.close()
                return
            content = web.files.get(path)
            headers = dict(web.headers)
            if content is not None and web.validators == "etag":
                headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            if content is not None and web.validators == "date":
                headers["Last-Modified"] = formatdate(1_700_000_000 + len(content), usegmt=True)
            same = (
                headers.get("ETag", "-") == self.headers.get("If-None-Match")
                or headers.get("Last-Modified", "-") == self.headers.get("If-Modified-Since")
            )  # fmt: skip
            status = 404 if content is None else 304 if same else 200
            if path in web.moves:
                status, headers["Location"] = 302, web.moves[path]
            if web.password and self.headers.get("Authorization") != web.password:
                status = 401
            if self.command == "HEAD" and not web.heads:
                status = 405
            if isinstance(fault, int):
                status = fault
            web.asked.append((self.command, path, status))
            body = content if status == 200 and content is not None else b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
                if fault == "cut":
                    self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
