"""A server between client and node that drops, delays, garbles and lies on demand."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class FlakyNode:
    """Forwards JSON-RPC to a node. `faults` is a list of what to do with the next requests, then all is well.

    "drop": close before forwarding; "swallow": forward, then close without the answer; "busy": status 429;
    "garbage": no JSON; "shuffle": the answers of a batch in reverse; "omit": without the first answer;
    "no-receipts": say that there is no receipt. `results` gives each call of a method the same result.
    """

    def __init__(self, target: str) -> None:
        self.faults: list[str] = []
        self.seen: list[str] = []
        self.results: dict[str, object] = {}
        flaky = self
        client = httpx.Client(timeout=30)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                calls = json.loads(body)
                flaky.seen.extend(one["method"] for one in (calls if isinstance(calls, list) else [calls]))
                fault = flaky.faults.pop(0) if flaky.faults else ""
                if fault == "drop":
                    self.close_connection = True
                    return
                if fault == "busy":
                    self._answer(b"", 429)
                    return
                if fault == "garbage":
                    self._answer(b"<html>bad gateway</html>")
                    return
                answer = client.post(
                    target, content=body, headers={"content-type": "application/json"}
                ).content
                if fault == "swallow":
                    self.close_connection = True
                    return
                if fault in ("shuffle", "omit") and isinstance(calls, list):
                    held = json.loads(answer)
                    answer = json.dumps(held[::-1] if fault == "shuffle" else held[1:]).encode()
                if fault == "no-receipts":
                    held = json.loads(answer)
                    for one in held if isinstance(held, list) else [held]:
                        if isinstance(one.get("result"), dict) and "transactionHash" in one["result"]:
                            one["result"] = None
                    answer = json.dumps(held).encode()
                if flaky.results:
                    held = json.loads(answer)
                    methods = {
                        one["id"]: one["method"] for one in (calls if isinstance(calls, list) else [calls])
                    }
                    for one in held if isinstance(held, list) else [held]:
                        if methods[one["id"]] in flaky.results:
                            one.pop("error", None)
                            one["result"] = flaky.results[methods[one["id"]]]
                    answer = json.dumps(held).encode()
                self._answer(answer)

            def _answer(self, content: bytes, status: int = 200) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> FlakyNode:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()
