"""Where verified history is kept, audits that go on from it, and the watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.audit.engine import Audit, Progress
from ledger.audit.findings import Verdict
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.audit.sources import Sources
from ledger.audit.verified.run import StoredAudit
from ledger.audit.verified.store import Identity, Store, seal_key
from ledger.audit.watch import Until, Watch
from ledger.chain.deploy import plan
from ledger.domain.replay import CONTRACTS
from ledger.operations.audit_files.sources import check_sources
from ledger.operations.session import Session


def identity_of(session: Session) -> Identity:
    """The ledger that the session's node serves. Raises UnreachableError."""
    planned = plan()
    contracts = {name: planned[name].address for name in CONTRACTS if name in planned}
    return Identity(session.rpc.chain_id, session.rpc.genesis, contracts)


def open_store(session: Session, place: Path | None, *, fresh: bool = False) -> Store:
    """The store at a file or in a folder, else in the home folder; `fresh` begins it again. Raises LedgerError."""
    identity, folder = identity_of(session), session.home.path / "audit"
    path = (place or folder).expanduser()
    if place is None or path.is_dir():
        path = path / identity.name
    key = seal_key(folder)
    return Store.begin_again(path, key, identity) if fresh else Store(path, key, identity)


def audit_on_store(
    session: Session,
    wanted: Wanted,
    place: Path | None,
    progress: Progress | None = None,
    *,
    fresh: bool = False,
    require_files: bool = False,
) -> Verdict:
    """Audits the ledger from where the store's last audit ended, and keeps what it verified. Raises LedgerError."""

    def files(audit: Audit) -> None:
        check_sources(audit, session.files, require=require_files)

    with open_store(session, place, fresh=fresh) as store:
        return StoredAudit(store, NodeSource(session.rpc), plan(), progress, files).run(wanted)


@contextmanager
def watching(
    session: Session,
    wanted: Wanted,
    place: Path | None,
    *,
    fresh: bool = False,
    interval: float = 5.0,
    until: Until | None = None,
    require_files: bool = False,
) -> Iterator[Watch]:
    """A watch upon a store. Raises LedgerError, UnreachableError."""

    def files(audit: Audit) -> None:
        """Of new entries alone: those of old ones were checked when these were new."""
        after = audit.base.block if audit.base is not None else -1
        every = audit.history.sources
        new = _since(every, after)
        if not (new.bookings or new.postings or new.splits or len(new.manifests)):
            return
        audit.history.sources = new
        new.manifests = every.manifests
        try:
            check_sources(audit, session.files, require=require_files)
        finally:
            audit.history.sources = every

    with open_store(session, place, fresh=fresh) as store:
        audits = StoredAudit(store, NodeSource(session.rpc), plan(), after=files)
        yield Watch(audits, wanted, store.identity.genesis, interval, until or Until())


def _since(every: Sources, block: int) -> Sources:
    """What entries after a block name."""
    return Sources(
        [one for one in every.bookings if one.block > block],
        [one for one in every.postings if one.block > block],
        [one for one in every.manifests if one.block > block],
        [one for one in every.splits if one.block > block],
    )
