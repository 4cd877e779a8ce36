"""How the demonstration ends: one holder's statement and page, the audit's evidence, and a lie that is caught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from ledger.audit.bundle import line_of
from ledger.audit.findings import Finding, Verdict
from ledger.audit.scopes import Wanted
from ledger.demo.stage import HOLDER, OPERATOR, Stage
from ledger.domain.errors import LedgerError
from ledger.domain.journal import event_shapes
from ledger.operations import audits, statements
from ledger.web.build import build
from ledger.web.evidence import bundles_of
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot

STATEMENT, BUNDLE, PAGE = "statement.pdf", "audit.bundle", "page"


@dataclass(frozen=True, slots=True)
class Lie:
    """A credit that was told one base unit higher, and what the audit said of it."""

    block: int
    told: int
    true: int
    findings: tuple[Finding, ...]

    @property
    def caught(self) -> bool:
        """Whether the audit names the journal that the lie stands in."""
        return any(one.check == "journal" and "Splits" in one.where for one in self.findings)


@dataclass(frozen=True, slots=True)
class Ending:
    """The audit's verdict, the papers that it leaves in the folder, and the lie."""

    anchor: bytes
    verdict: Verdict
    statement: Path
    bundle: Path
    page: Path
    lie: Lie


def end(stage: Stage, period: str) -> Ending:
    """Audits up to the newest block into a bundle, writes statement and page, and tries a lie. Raises LedgerError."""
    session = stage.session(OPERATOR)
    anchor = bytes.fromhex(session.rpc.call("eth_getBlockByNumber", "latest", False)["hash"][2:])
    bundle, statement = stage.folder / BUNDLE, stage.folder / STATEMENT
    verdict = audits.audit_into(session, Wanted(anchor=anchor, transfers=True), bundle)
    folders = sorted(path.parent for path in (stage.folder / "distributions").glob("*/manifest.json"))
    made = statements.compile_statement(session, stage.address(HOLDER), period, distributions=folders)
    for one in statements.render(made, ["pdf"], statement):
        one.path.write_bytes(one.content)
    return Ending(anchor, verdict, statement, bundle, _page(stage), _lie(bundle, anchor))


def _page(stage: Stage) -> Path:
    """The books, the licences and the holder's page as files; the page of the holder."""
    snapshot, holder = Snapshot(stage.session(OPERATOR)), stage.address(HOLDER)
    made = Site(snapshot, bundles=bundles_of(snapshot), only=[holder], formats=("csv", "json"))
    folder = stage.folder / PAGE
    build(made, folder)
    return folder / "holders" / f"{holder}.html"


def _lie(bundle: Path, anchor: bytes) -> Lie:
    """The bundle once more, its last credit one unit higher, before the same audit."""
    topic = "0x" + event_shapes("Splits")["Credited"].topic.hex()
    lines = bundle.read_bytes().splitlines(keepends=True)
    for place in reversed(range(len(lines))):
        held = orjson.loads(lines[place])
        entry = held.get("entry")
        if entry and entry[0] == "Splits" and entry[3] == topic:
            break
    else:
        raise LedgerError("The bundle holds no credit.", str(bundle))
    true = int(entry[5][-64:], 16)
    entry[5] = entry[5][:-64] + f"{true + 1:064x}"
    lines[place] = line_of(held)
    forged = bundle.with_name(f".{bundle.name}.forged")
    try:
        forged.write_bytes(b"".join(lines))
        findings = audits.verify_bundle(forged, anchor).findings
    finally:
        forged.unlink(missing_ok=True)
    return Lie(entry[1], true + 1, true, tuple(findings))
