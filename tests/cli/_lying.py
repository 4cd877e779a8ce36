"""A node that lies about one log: hides it, changes it, or tells it twice."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx


class LyingNode:
    """Forwards JSON-RPC; `lie` is what it does with which log of the answer to eth_getLogs."""

    def __init__(self, target: str) -> None:
        self.lie: tuple[str, int] | None = None
        liar = self
        client = httpx.Client(timeout=30)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                content = client.post(
                    target, content=body, headers={"content-type": "application/json"}
                ).content
                if liar.lie and b"eth_getLogs" in body:
                    content = json.dumps(liar.lied(json.loads(content))).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def lied(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer with the lie about the log at the place among those with two topics."""
        what, place = self.lie or ("", 0)
        logs = answer["result"]
        entries = [one for one in logs if len(one["topics"]) == 2]
        if place >= len(entries):
            return answer
        at = logs.index(entries[place])
        if what == "drop":
            del logs[at]
        elif what == "change":
            data = logs[at]["data"]
            logs[at] = {**logs[at], "data": data[:-1] + ("0" if data[-1] != "0" else "1")}
        else:
            logs.insert(at, logs[at])
        return answer

    def __enter__(self) -> LyingNode:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()
