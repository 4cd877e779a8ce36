"""A web server that lies: it passes on what an honest one serves, and changes its pages as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class LyingServer:
    """`lie` is what becomes of each page."""

    def __init__(self, target: str) -> None:
        self.lie: Callable[[str], str] = lambda page: page
        self._client = httpx.Client(base_url=target, timeout=60)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                honest = server._client.get(self.path)
                content = honest.content
                if self.path.endswith(".html"):
                    content = server.lie(honest.text).encode()
                self.send_response(honest.status_code)
                for name in ("content-type", "content-security-policy"):
                    self.send_header(name, honest.headers[name])
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> LyingServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()
