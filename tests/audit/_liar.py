"""A node that lies: it forwards JSON-RPC to an honest one and changes the answers as it is told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

#: What becomes of an answer: method, parameters, result; it may change the result or give another.
Lie = Callable[[str, list[Any], Any], Any]


class Refusal(Exception):
    """Answer with this JSON-RPC error instead."""

    def __init__(self, message: str, code: int = -32000) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Liar:
    """`lie` changes results; `faults` are what becomes of the next requests, then all is well.

    "busy": status 429; "drop": close without an answer; "half": the first answer of a batch is left out, a single one
    is cut in the middle; "torn": the connection ends in the middle of an answer; "packed": an answer that claims to be
    packed by gzip, and is not; "garbage": no JSON.
    """

    def __init__(self, target: str) -> None:
        self.lie: Lie | None = None
        self.faults: list[str] = []
        self.seen: list[str] = []
        self.target = target
        self._client = httpx.Client(timeout=30)
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one segment

            def log_message(self, *arguments: object) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def do_OPTIONS(self) -> None:
                """What a browser asks before a page may ask."""
                self._answer(b"")

            def do_POST(self) -> None:
                calls = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fault = liar.faults.pop(0) if liar.faults else ""
                if fault == "drop":
                    self.close_connection = True
                    return
                if fault == "busy":
                    self._answer(b"", 429)
                elif fault == "garbage":
                    self._answer(b"<html>bad gateway</html>")
                elif fault == "packed":
                    self._answer(b"\x1f\x8bno gzip", encoding="gzip")
                else:
                    content = liar.answer(calls, fault == "half")
                    self._answer(content, torn=fault == "torn")

            def _answer(
                self, content: bytes, status: int = 200, encoding: str = "", torn: bool = False
            ) -> None:
                self.send_response(status)
                if encoding:
                    self.send_header("content-encoding", encoding)
                self.send_header("access-control-allow-origin", "*")
                self.send_header("access-control-allow-headers", "content-type")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # a client may hang up on a long answer
                    self.wfile.write(content[: len(content) // 2] if torn else content)
                    self.wfile.flush()
                self.close_connection = self.close_connection or torn

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def ask(self, method: str, *params: Any) -> Any:
        """The honest node's result."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return self._client.post(self.target, json=body).json()["result"]

    def answer(self, calls: Any, half: bool) -> bytes:
        """The answer to a request, with the lie."""
        held = self._client.post(self.target, json=calls).json()
        single = not isinstance(calls, list)
        answers = [held] if single else held
        for call, one in zip([calls] if single else calls, answers, strict=True):
            self.seen.append(call["method"])
            if self.lie is None:
                continue
            try:
                one["result"] = self.lie(call["method"], call["params"], one.get("result"))
                one.pop("error", None)
            except Refusal as refusal:
                one.pop("result", None)
                one["error"] = {"code": refusal.code, "message": refusal.message}
        if half and not single:
            answers = answers[1:]
        content = json.dumps(answers[0] if single else answers).encode()
        return content[: len(content) // 2] if half and single else content

    def __enter__(self) -> Liar:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()
