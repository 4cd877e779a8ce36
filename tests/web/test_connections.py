"""What is said on the wire beside requests: rubbish, other protocols, requests that never end."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace

import pytest

from ledger.web import server
from ledger.web.app import HEADERS
from ledger.web.pages import Content
from ledger.web.protocol import StrictHttp
from ledger.web.server import bind


@pytest.fixture
def port(monkeypatch):
    """A server whose every page is one word, in a thread; its port. Heads have to be there at once."""
    monkeypatch.setattr(StrictHttp, "patience", 0.3)
    page = SimpleNamespace(get=lambda path: Content(b"word", "text/html"))
    began, held = threading.Event(), []
    listening = bind("127.0.0.1", 0)
    made = server._Server.__init__

    def noted(self, config):
        held.append(self)
        made(self, config)

    monkeypatch.setattr(server._Server, "__init__", noted)
    thread = threading.Thread(target=server.run, args=(page, listening), kwargs={"began": began.set})
    thread.start()
    assert began.wait(60)
    yield listening.getsockname()[1]
    held[0].should_exit = True
    thread.join(60)


def said(port: int, *pieces: bytes) -> bytes:
    """All that the server says to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        for one in pieces:
            wire.sendall(one)
        return b"".join(iter(lambda: wire.recv(65_536), b""))


@pytest.mark.parametrize(
    "request_", [b"rubbish\r\n\r\n", b"\x16\x03\x01" + b"a" * 99, b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_is_answered_with_the_strict_headers(port, request_):
    head = said(port, request_).partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 400 ")
    for name, text in HEADERS.items():
        assert f"{name}: {text}" in head


def test_an_offer_of_another_protocol_is_passed_over(port):
    offer = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
    answer = said(port, offer + b"Sec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"word")
    assert HEADERS["content-security-policy"].encode() in answer


@pytest.mark.parametrize("pieces", [(), (b"GET / HT",), (b"GET / HTTP/1.1\r\n", b"X: 1\r\n", b"Y: 2\r\n")])
def test_a_request_that_never_ends_is_not_waited_for(port, pieces):
    assert said(port, *pieces) == b""
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    # The same on a connection that was of use before.
    assert said(port, whole, b"GET / HT").count(b"word") == 1
