"""Asks an application without a network: paths go in exactly as they are written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass
class Answer:
    """What came back; header names are lower case. `raised`: what the application let through."""

    status_code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    raised: Exception | None = None


class Client:
    """Sends one request after another."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A GET."""
        return self.request("GET", path, headers)

    def request(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A request without a body. A redirect is not followed."""
        # In a thread of its own: a browser that another test drives may keep an event loop in this one.
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, self._request(method, path, headers or {})).result()

    async def _request(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        answer = Answer()

        left = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not left:
                await asyncio.Event().wait()  # the visitor stays
            return left.pop()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status_code = message["status"]
                for name, text in message["headers"]:
                    assert name.decode() not in answer.headers, f"{name!r} twice"
                    answer.headers[name.decode()] = text.decode()
            elif message["type"] == "http.response.body":
                answer.content += message.get("body", b"")

        try:
            await self.app(scope, receive, send)
        except Exception as error:
            answer.raised = error
        return answer
