"""The audit against a node, for the command line and for scripts."""

from __future__ import annotations

from pathlib import Path

from ledger.audit import engine
from ledger.audit.bundle import HOLDER, BundleSource, Recorder
from ledger.audit.engine import Progress
from ledger.audit.findings import Verdict
from ledger.audit.holder_bundle import verify_holder_bundle, write_holder_bundle
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.chain.deploy import plan
from ledger.domain.errors import ValueRefused
from ledger.domain.replay import CONTRACTS
from ledger.domain.rlp import Malformed
from ledger.operations.session import Session
from ledger.operations.tokens import book_of_deployments


def parse_anchor(text: str) -> bytes:
    """A block hash as an auditor types it. Raises ValueRefused."""
    try:
        anchor = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        anchor = b""
    if len(anchor) != 32:
        raise ValueRefused(
            f"{text!r} is no block hash.",
            remedy="Give 0x and 64 hexadecimal digits, from a source that you trust: your own node, an explorer.",
        )
    return anchor


def first_block(session: Session) -> int:
    """The block from which the journals are read: the deployment's where it is known, else 0.

    A wrong one cannot deceive: entries that it leaves out make the heads differ.
    """
    return book_of_deployments(session).first_block()


def audit(session: Session, wanted: Wanted, progress: Progress | None = None) -> Verdict:
    """Audits the ledger that the session's node serves. Raises UnreachableError."""
    return engine.run(NodeSource(session.rpc), plan(), wanted, progress)


def audit_into(session: Session, wanted: Wanted, path: Path, progress: Progress | None = None) -> Verdict:
    """The same, its evidence written to a bundle; where the audit fails no bundle is left. Raises LedgerError.

    A holder's bundle holds the holder's figures alone, every other one all entries.
    """
    planned = plan()
    if wanted.holder is not None:
        one = engine.Audit(NodeSource(session.rpc), planned, wanted, progress)
        if one.run().passed:
            write_holder_bundle(one, wanted.holder, path)
        return one.verdict
    names = {planned[name].address: name for name in CONTRACTS if name in planned}
    about = {"holder": None, "licence": wanted.licence}
    recorder = Recorder(NodeSource(session.rpc), path, names, about)
    try:
        verdict = engine.run(recorder, planned, wanted, progress)
    except BaseException:
        recorder.discard()
        raise
    if verdict.passed:
        recorder.close()
    else:
        recorder.discard()
    return verdict


def verify_bundle(path: Path, anchor: bytes | None, progress: Progress | None = None) -> Verdict:
    """Audits what a bundle holds, without any node. Raises LedgerError where it cannot be read."""
    source = BundleSource(path)
    if source.about["kind"] == HOLDER:
        return verify_holder_bundle(source, plan(), anchor)
    licence = source.about.get("licence")
    if not isinstance(licence, int | None):
        raise Malformed("The bundle does not say what it is about.", str(path))
    wanted = Wanted(anchor=anchor, licence=licence)
    return engine.run(source, plan(), wanted, progress)
