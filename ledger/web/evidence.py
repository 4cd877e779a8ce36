"""The evidence that pages carry: for a holder, or for what belongs to all, at the block that the pages tell of."""

from __future__ import annotations

from ledger.audit.page_bundle import PageBundles
from ledger.operations.page_bundles import page_bundles
from ledger.web.pages import Bundles
from ledger.web.snapshot import Snapshot


def bundles_of(snapshot: Snapshot) -> Bundles:
    """Makes the bundles of a snapshot's pages; the journals are read once, at the first page. Raises LedgerError."""
    held: list[PageBundles] = []

    def make(holder: str | None) -> bytes:
        if not held:
            held.append(page_bundles(snapshot.session, bytes.fromhex(snapshot.block_hash[2:])))
        return held[0].of(holder)

    return make
