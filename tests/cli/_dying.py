"""A node that dies half way: it serves until something was sent, then closes every connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@contextmanager
def dying_node(target: str) -> Iterator[str]:
    """The URL of a server that forwards to `target` until the first transaction has reached it."""
    gone = threading.Event()
    with httpx.Client(timeout=30) as client:

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if gone.is_set():
                    return
                content = client.post(
                    target, content=body, headers={"content-type": "application/json"}
                ).content
                if b"eth_sendRawTransaction" in body:
                    gone.set()  # it arrived, and nobody is told
                    return
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
