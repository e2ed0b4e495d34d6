"""A file server on 127.0.0.1 that can break off, refuse and change its files, as servers of corpora do."""

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves `files` with ETag and ranges, and says of every other path that there is no such repository.

    Args:
        files: name -> content.
        requested: method, name and range of every request for a file.
        broken: what the next GETs get instead of their answer, in order: a status, or the bytes to break off after.
        heads: whether HEAD is answered.
        ranges: whether ranges are.
        told: called after each answer that was broken off, before the connection is closed.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    requested: list[tuple[str, str, str | None]] = field(default_factory=list)
    broken: list[tuple[str, int]] = field(default_factory=list)
    heads: bool = True
    ranges: bool = True
    told: Callable[[], None] = lambda: None

    def __enter__(self) -> "FileServer":
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_HEAD(self):
                owner._answer(self)

            def do_GET(self):
                owner._answer(self)

        self._listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._listening.server_port}"
        threading.Thread(target=self._listening.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown()
        self._listening.server_close()

    def gets(self) -> list[tuple[str, str | None]]:
        """Return name and range of every GET."""
        return [(name, span) for method, name, span in self.requested if method == "GET"]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        name, get = request.path.partition("?")[0].lstrip("/"), request.command == "GET"
        if name not in self.files:
            request.send_response(404)
            request.send_header("X-Error-Code", "RepoNotFound")
            request.end_headers()
            return
        span = request.headers.get("Range")
        self.requested.append((request.command, name, span))
        kind, value = self.broken.pop(0) if get and self.broken else ("whole", 0)
        if kind == "status" or not (get or self.heads):
            request.send_response(value or 405)
            request.end_headers()
            return
        content = self.files[name]
        first = int(re.fullmatch(r"bytes=(\d+)-", span)[1]) if span and self.ranges else 0
        request.send_response(206 if first else 200)
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("Content-Length", str(len(content) - first))
        if first:
            request.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        if get:
            request.wfile.write(content[first:] if kind == "whole" else content[first : first + value])
            request.wfile.flush()
            if kind == "cut":
                self.told()
