"""The bundles that pages of the ledger carry: evidence of every figure on the page, for the reader's own browser."""

from __future__ import annotations

from ledger.audit.engine import Progress
from ledger.audit.page_bundle import PageBundles
from ledger.audit.source import NodeSource
from ledger.chain.deploy import plan
from ledger.operations.audits import first_block
from ledger.operations.session import Session


def page_bundles(
    session: Session, anchor: bytes | None = None, progress: Progress | None = None
) -> PageBundles:
    """What writes the bundles of all pages at one block: `of(holder)`, or `of(None)` for a page that is nobody's.

    `anchor`: the hash of the block whose books the pages show; None: the newest. Raises UnreachableError, and
    AuditFailed where the node's journals do not pass.
    """
    source = NodeSource(session.rpc)
    return PageBundles(source, plan(), anchor, first_block=first_block(session), progress=progress)


def page_bundle(session: Session, holder: str | None = None, anchor: bytes | None = None) -> bytes:
    """The bundle of one page. `holder`: a lower-case address."""
    return page_bundles(session, anchor).of(holder)
