"""The site of a chain that goes on: read anew when there is a new block, at a pace that the node can bear."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ledger.domain.errors import LedgerError
from ledger.operations.session import Session
from ledger.web.evidence import bundles_of
from ledger.web.files import Files
from ledger.web.pages import Content, Site
from ledger.web.snapshot import Snapshot

#: Seconds between two looks at the chain; and how long a visitor waits for the books to be read anew.
_LOOK, _WAIT = 1.0, 2.0
_KEPT = 128


class Live:
    """One page at a time: the books are read and pages are made under one lock."""

    def __init__(self, session: Session, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._files = Files(session.files)
        self._clock = clock
        self._lock = threading.RLock()
        self._site: Site | None = None
        self._made: dict[str, Content] = {}
        self._looked = 0.0
        self._took = 0.0
        self._reading = threading.Event()

    def site(self) -> Site:
        """The site at the newest block that was read. Raises LedgerError where none could be."""
        with self._lock:
            if self._site is None:
                return self._read()
            if self._clock() - self._looked < max(_LOOK, 10 * self._took):
                return self._site
            self._looked = self._clock()
            try:
                head = self._session.rpc.call("eth_getBlockByNumber", "latest", False)
                if head["hash"] == self._site.snapshot.block_hash:
                    return self._site
                if self._took <= _WAIT:
                    return self._read()
            except LedgerError:
                # The node is away, or what it says does not replay: the last good books say of which block they are.
                return self._site
            if not self._reading.is_set():
                self._reading.set()
                threading.Thread(target=self._read_behind, daemon=True).start()
            return self._site

    def get(self, path: str) -> Content | None:
        """What stands at a path. Raises LedgerError."""
        with self._lock:
            site = self.site()
            if path.startswith("files/"):
                return site.get(path)
            if path in self._made:
                return self._made[path]
            content = site.get(path)
            # What is not there is not kept: names that nobody has would drive out the pages.
            if content is not None:
                while len(self._made) >= _KEPT:
                    del self._made[next(iter(self._made))]
                self._made[path] = content
            return content

    def _read(self) -> Site:
        site, took = self._fresh()
        self._take(site, took)
        return site

    def _fresh(self) -> tuple[Site, float]:
        began = self._clock()
        self._files.look_again()
        snapshot = Snapshot(self._session)
        return Site(snapshot, self._files, bundles_of(snapshot)), self._clock() - began

    def _take(self, site: Site, took: float) -> None:
        self._site, self._took, self._looked = site, took, self._clock()
        self._made.clear()

    def _read_behind(self) -> None:
        try:
            site, took = self._fresh()
            with self._lock:
                self._take(site, took)
        except LedgerError:
            pass
        finally:
            self._reading.clear()
