"""HTTP as the page speaks it: the strict headers on answers to what is no request too, and nobody keeps it waiting."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ledger.web.app import HEADERS


class StrictHttp(H11Protocol):
    """A connection. `patience`: seconds for the head of a request to arrive."""

    patience = 20.0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on the first request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head that comes in pieces has to be whole in time, however many pieces there are."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._waiting is None:
                self._await_head()
        else:
            self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        """The answer to what is no request."""
        headers = [(name.encode(), text.encode()) for name, text in HEADERS.items()]
        headers += [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=msg.encode("ascii")),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _should_upgrade(self) -> bool:
        # No page speaks another protocol: an offer to change it is passed over, as HTTP allows.
        return False

    def _await_head(self) -> None:
        self._waiting = self.loop.call_later(self.patience, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
