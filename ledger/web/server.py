"""Runs the page on this machine until it is told to end."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from ledger.domain.errors import LedgerError
from ledger.web.app import application
from ledger.web.live import Live
from ledger.web.protocol import StrictHttp

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Server(uvicorn.Server):
    """Ends at SIGINT and SIGTERM without raising them again: to be told to end is no failure."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Both signals ask the server to end; a second one ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one. Raises LedgerError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise LedgerError(
            f"The address {host}, port {port}, cannot be listened on.",
            why=error.strerror or str(error),
            remedy="Let the system choose a port: --port 0.",
        ) from error


def url_of(listening: socket.socket) -> str:
    """The address of a listening socket, for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return host in _LOOPBACK or host.startswith("127.")


def run(
    live: Live, listening: socket.socket, *, seconds: float | None = None, began: Callable[[], None]
) -> None:
    """Serves until a signal, or for so many seconds. `began` is called first: the socket already listens."""
    config = uvicorn.Config(
        application(live.get),
        http=StrictHttp,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    timer = None
    if seconds is not None:
        timer = threading.Timer(seconds, setattr, (server, "should_exit", True))
        timer.daemon = True
        timer.start()
    began()
    try:
        server.run(sockets=[listening])
    finally:
        if timer is not None:
            timer.cancel()
        listening.close()
