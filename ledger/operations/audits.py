"""The audit against a node, for the command line and for scripts."""

from __future__ import annotations

from pathlib import Path

from ledger.audit import engine
from ledger.audit.bundle import BundleSource, Recorder
from ledger.audit.bundle_form import HOLDER, PAGE
from ledger.audit.engine import Progress
from ledger.audit.findings import Finding, Verdict
from ledger.audit.holder_bundle import verify_holder_bundle, write_holder_bundle
from ledger.audit.page_bundle import PageBundles, verify_page_bundle
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.chain.deploy import plan
from ledger.chain.folders import write_whole
from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.replay import CONTRACTS
from ledger.operations.audit_files.sources import check_sources
from ledger.operations.files import FileStore
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


def audit(
    session: Session, wanted: Wanted, progress: Progress | None = None, *, require_files: bool = False
) -> Verdict:
    """Audits the ledger that the session's node serves, and the files of its store. Raises UnreachableError.

    `require_files`: a file that the chain names and the store lacks is a finding, not a gap.
    """
    one = engine.Audit(NodeSource(session.rpc), plan(), wanted, progress)
    one.run()
    check_sources(one, session.files, require=require_files)
    return one.verdict


def audit_into(
    session: Session,
    wanted: Wanted,
    path: Path,
    progress: Progress | None = None,
    *,
    require_files: bool = False,
    with_entries: bool = False,
) -> Verdict:
    """The same, its evidence written to a bundle; where the audit fails no bundle is left. Raises LedgerError.

    A holder's bundle holds the holder's figures alone, `with_entries` all entries too, as a page carries them; every
    other one holds all entries; files are in none.
    """
    planned = plan()
    if wanted.holder is not None:
        one = engine.Audit(NodeSource(session.rpc), planned, wanted, progress)
        one.run()
        check_sources(one, session.files, require=require_files)
        if one.verdict.passed and with_entries:
            pages = PageBundles(one.source, planned, one.header.hash, first_block=wanted.first_block)
            _write(path, pages.of(wanted.holder))
        elif one.verdict.passed:
            write_holder_bundle(one, wanted.holder, path)
        return one.verdict
    names = {planned[name].address: name for name in CONTRACTS if name in planned}
    about = {"holder": None, "licence": wanted.licence}
    recorder = Recorder(NodeSource(session.rpc), path, names, about)
    whole = engine.Audit(recorder, planned, wanted, progress)
    try:
        verdict = whole.run()
        check_sources(whole, session.files, require=require_files)
    except BaseException:
        recorder.discard()
        raise
    if verdict.passed:
        recorder.close()
    else:
        recorder.discard()
    return verdict


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise LedgerError("The bundle cannot be written.", str(path), error.strerror or "") from error


def verify_bundle(
    path: Path,
    anchor: bytes | None,
    progress: Progress | None = None,
    *,
    files: FileStore | None = None,
    require_files: bool = False,
) -> Verdict:
    """Audits what a bundle holds, without any node; with `files` those too. Raises LedgerError where it cannot be read.

    A holder's bundle has no entries, so no file is named by it.
    """
    source, planned = BundleSource(path), plan()
    verdict = Verdict(source.chain_id, anchored=anchor is not None)
    for name, told in source.about["contracts"].items():
        if told != planned[name].address:
            what = f"our build is at {checksum_address(planned[name].address)}"
            verdict.findings.append(Finding("contracts", f"{name} at {told}", what, 0))
    if verdict.findings:
        return verdict
    if source.about["kind"] == HOLDER:
        verdict = verify_holder_bundle(source, planned, anchor)
    elif source.about["kind"] == PAGE:
        verdict = verify_page_bundle(source, planned, anchor, progress)
    else:
        one = engine.Audit(source, planned, Wanted(anchor, licence=source.about["licence"]), progress)
        verdict = one.run()
        if files is not None:
            check_sources(one, files, require=require_files)
    if verdict.passed and source.unused():
        what = f"{source.unused():,} nodes of it prove nothing that it is about"
        verdict.findings.append(Finding("nodes", "the file", what, verdict.block))
    return verdict
