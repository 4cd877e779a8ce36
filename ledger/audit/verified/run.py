"""An audit that goes on where the last one ended, and keeps what it verified if it passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ledger.audit.engine import Audit, Progress
from ledger.audit.findings import NOTE, Step, Verdict
from ledger.audit.history import History
from ledger.audit.scopes import Wanted
from ledger.audit.source import Source
from ledger.audit.verified.steps import Continuation
from ledger.audit.verified.store import Checkpoint, Store
from ledger.chain.deploy import Planned
from ledger.domain.headers import Header
from ledger.domain.rlp import Malformed

#: Hears the audit after its steps, before what it verified is kept.
After = Callable[[Audit], None]


@dataclass
class Kept:
    """What is known of the store between two audits: the newest checkpoint, and its history if it is in memory."""

    checkpoint: Checkpoint | None = None
    history: History | None = None


class StoredAudit:
    """Audits of one ledger upon one store. `kept` carries the history from one to the next; empty, it is loaded."""

    def __init__(
        self,
        store: Store,
        source: Source,
        planned: Mapping[str, Planned],
        progress: Progress | None = None,
        after: After | None = None,
    ) -> None:
        self.store = store
        self.source = source
        self.planned = planned
        self.progress = progress
        self.after = after
        self.kept = Kept()
        #: Of the last audit: the block that was replaced on the chain, if one was, and where it began instead.
        self.replaced: int | None = None
        self.went_on_from = ""
        #: Entries verified so far, and those before the last audit.
        self.entries = 0
        self.base_entries = 0

    def run(self, wanted: Wanted) -> Verdict:
        """One audit. Raises LedgerError for a store that cannot be used, UnreachableError."""
        base, said, may_keep = self._base(wanted)
        kept, self.kept = self.kept, Kept()
        with self.store.gathering() as keep:
            audit = Audit(self.source, self.planned, wanted, self.progress, keep=keep)
            going_on = None
            if base is not None:
                history = kept.history if kept.checkpoint == base else None
                if history is None:
                    history = self.store.load(base, audit.new_history())
                going_on = Continuation(self.store, base, history)
                audit.base = going_on
            verdict = audit.run()
            if self.after is not None and audit.replayed:
                self.after(audit)
            whole = wanted.holder is None and wanted.licence is None
            if verdict.passed and audit.replayed and may_keep and whole:
                self._keep(audit, wanted, going_on, base)
                said += "; kept for the next audit"
        self.base_entries = base.entries if base else 0
        if verdict.passed:
            self.entries = verdict.entries
        verdict.steps.insert(0, Step("store", NOTE, base.entries if base else 0, detail=said))
        return verdict

    def _keep(
        self, audit: Audit, wanted: Wanted, going_on: Continuation | None, base: Checkpoint | None
    ) -> None:
        draft = going_on.draft if going_on is not None else None
        saved = self.store.save(
            audit.history,
            audit.header,
            {name: audit.prover.account(address).storage_root for name, address in audit.addresses.items()},
            draft or self.store.draft(audit.history, base),
            base,
            transfers=wanted.transfers and (base is None or base.transfers),
            first_block=base.first_block if base is not None else wanted.first_block,
        )
        self.kept = Kept(saved, audit.history)

    def _base(self, wanted: Wanted) -> tuple[Checkpoint | None, str, bool]:
        """The checkpoint to go on from, why that one, and whether the outcome may take its place."""
        held = self.store.checkpoints()
        if not held:
            return None, "it is empty: everything is read and proved", True
        header = self._header(wanted)
        if header is None:
            return None, "not used: the source lacks the anchor", False
        newest = held[0]
        if self._stands(newest):
            if header.number < newest.block:
                what = f"it is at block {newest.block}, after the anchor: everything is read and proved without it"
                return None, what, False
            if wanted.transfers and not newest.transfers:
                what = "its blocks were audited without --transfers: everything is read and proved again"
                return None, what, True
            return newest, f"goes on from {_named(newest)}, verified by an earlier audit", True
        for one in held[1:]:
            if one.block <= header.number and one.transfers >= wanted.transfers and self._stands(one):
                self._note(newest, f"block {one.block}")
                self.store.roll_back(one)
                said = f"block {newest.block} was replaced on the chain; goes on from {_named(one)}, verified before"
                return one, said, True
        self._note(newest, "the start")
        what = f"block {newest.block} was replaced, and so was all that is kept: everything is read and proved again"
        return None, what, True

    def _note(self, newest: Checkpoint, where: str) -> None:
        self.replaced, self.went_on_from = newest.block, where

    def _header(self, wanted: Wanted) -> Header | None:
        try:
            return self.source.header(wanted.anchor)
        except Malformed:
            return None  # the audit says so

    def _stands(self, one: Checkpoint) -> bool:
        """Whether the source still tells of the checkpoint's block: its word, which only picks where to begin."""
        try:
            return [header.hash for header in self.source.headers(one.block, one.block)] == [one.hash]
        except Malformed:
            return False


def _named(one: Checkpoint) -> str:
    return f"block {one.block} (0x{one.hash.hex()})"
