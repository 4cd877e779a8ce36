"""The audit, step by step: anchor, code, journals, replay, storage, sums, transfers, solvency, duties."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Protocol

from ledger.audit.duties import duties
from ledger.audit.findings import Finding, Verdict
from ledger.audit.history import History
from ledger.audit.naming import entries_in, parting, replay_finding, word_finding
from ledger.audit.prover import Prover, Tally
from ledger.audit.scopes import Wanted, scope_of
from ledger.audit.source import Source
from ledger.audit.sums import check_moves, check_solvency, check_sums
from ledger.audit.words import ALL, Scope, Word, catalogue_words, split_words
from ledger.audit.words_attributions import attribution_storage
from ledger.audit.words_distributions import distribution_words
from ledger.audit.words_licences import licence_words
from ledger.chain.deploy import Planned, expected_code
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256
from ledger.domain.headers import Header
from ledger.domain.replay import CONTRACTS
from ledger.domain.rlp import Malformed

#: Hears of progress: stage, how much more is done, how much there is in all (0: not known), entries so far.
Progress = Callable[[str, int, int, int], None]


def run(
    source: Source, planned: Mapping[str, Planned], wanted: Wanted, progress: Progress | None = None
) -> Verdict:
    """Audits the ledger. What does not match becomes a finding. Raises UnreachableError where the node is gone."""
    return Audit(source, planned, wanted, progress).run()


class Base(Protocol):
    """An earlier audit that this one goes on from (ledger/audit/verified/steps.py). `history` is fed further."""

    history: History

    @property
    def block(self) -> int:
        """Up to which it went."""

    @property
    def entries(self) -> int:
        """How many it verified."""

    def prove(self, audit: Audit) -> None:
        """Proves what changed since, and that nothing else did."""


class Audit:
    """One audit. After `run`, `history`, `header` and `prover` are what the verdict rests on."""

    history: History
    header: Header
    prover: Prover
    scope: Scope = ALL
    #: Whether all steps were taken, so that the books are there.
    replayed: bool = False

    def __init__(
        self,
        source: Source,
        planned: Mapping[str, Planned],
        wanted: Wanted,
        progress: Progress | None = None,
        *,
        contracts: Collection[str] = (),
        base: Base | None = None,
        keep: Callable[[bytes, bytes], None] | None = None,
    ) -> None:
        """`contracts`: those whose code is checked; empty: all. `keep`: hears the nodes of their storage."""
        self.source = source
        self.planned = planned
        self.wanted = wanted
        self.checked = contracts or planned.keys()
        self.base = base
        self.keep = keep
        self.tell = progress or (lambda stage, done, total, entries: None)
        #: The contracts that keep a journal.
        self.addresses = {name: planned[name].address for name in CONTRACTS if name in planned}
        self.verdict = Verdict(source.chain_id, anchored=wanted.anchor is not None)

    def begin(self) -> bool:
        """The anchor and the code; whether there is something to go on with."""
        header = self._anchor()
        if header is None:
            return False
        self.header = header
        self.prover = Prover(self.source, header, self.addresses, self.keep)
        self.prover.remember = self.base is not None
        return self._code()

    def run(self) -> Verdict:
        """All steps."""
        if not self.begin():
            return self.verdict
        history = self.history = self._history()
        self._heads(history)
        if not self._replayed(history):
            return self.verdict
        scope = self.scope = scope_of(self.wanted, history, self.verdict)
        self._storage(history, scope)
        self._attributions(history)
        check_sums(self, scope)
        if self.wanted.transfers:
            check_moves(self, scope)
        check_solvency(self)
        self._duties(history, scope)
        self.replayed = True
        return self.verdict

    def found(self, finding: Finding) -> None:
        """Adds a finding."""
        self.verdict.findings.append(finding)

    # ---- the anchor

    def _anchor(self) -> Header | None:
        anchor, verdict = self.wanted.anchor, self.verdict
        told = "0x" + anchor.hex() if anchor is not None else ""
        try:
            header = self.source.header(anchor)
        except Malformed as error:
            what = " ".join(filter(None, (error.what, error.where, error.why)))
            verdict.step("anchor", False, 1, expected=told, detail=what)
            self.found(Finding("anchor", told or "the newest block", what, 0))
            return None
        if header is None:
            what = "the source has no such block: it is behind, or on another chain"
            verdict.step("anchor", False, 1, expected=told, detail=what)
            self.found(Finding("anchor", told or "the newest block", what, 0))
            return None
        verdict.block, verdict.time, verdict.block_hash = header.number, header.timestamp, header.hash
        found = "0x" + header.hash.hex()
        if anchor is None:
            detail = f"block {header.number} ({header.fork}); no anchor was given, so nothing vouches for it"
            verdict.note("anchor", 1, detail)
            return header
        passed = header.hash == anchor
        detail = f"block {header.number} ({header.fork}), its header re-encoded and hashed"
        verdict.step("anchor", passed, 1, expected=told, found=found, detail=detail)
        if not passed:
            self.found(
                Finding("anchor", told, f"the header served hashes to {found}: it is forged", header.number)
            )
            return None
        return header

    # ---- code

    def _code(self) -> bool:
        good = True
        for name, one in self.planned.items():
            if name not in self.checked:
                continue
            expected = keccak256(expected_code(one, self.planned, self.source.chain_id))
            where = f"{name} at {checksum_address(one.address)}"
            try:
                account = self.prover.account(one.address)
            except Malformed as error:
                self.refused(f"code of {name}", where, error)
                good = good and name not in self.addresses
                continue
            found = account.code_hash
            if name not in self.addresses and found == keccak256(b""):
                continue  # keeps no books, and is not there
            passed = found == expected
            self.verdict.step(
                f"code of {name}", passed, 1, expected="0x" + expected.hex(), found="0x" + found.hex()
            )
            if not passed:
                there = (
                    "there is no code" if found == keccak256(b"") else f"the code hashes to 0x{found.hex()}"
                )
                what = f"{there}, our build to 0x{expected.hex()} on chain {self.source.chain_id}"
                self.found(Finding("code", where, what, self.header.number))
                good = good and name not in self.addresses
        return good

    def refused(self, name: str, where: str, error: Malformed) -> None:
        """A step failed because a proof makes no sense."""
        what = "the proof is refused: " + " ".join(filter(None, (error.what, error.where, error.why)))
        self.verdict.step(name, False, 1, detail=what)
        self.found(Finding("proof", where, what, self.header.number))

    # ---- journals

    def new_history(self) -> History:
        """One without entries."""
        return History(self.addresses, self.source.chain_id, with_moves=self.wanted.transfers)

    def _history(self) -> History:
        history, first = self.new_history(), self.wanted.first_block
        if self.base is not None:
            history, first = self.base.history, self.base.block + 1
        last = self.header.number
        seen = first - 1

        def reading(block: int) -> None:
            nonlocal seen
            self.tell("reading", block - seen, last - first + 1, history.entries)
            seen = block

        try:
            for log in self.source.logs(list(self.addresses.values()), first, last, reading):
                if log.block_number <= last:
                    history.feed(log)
        except Malformed as error:
            self.found(Finding("logs", error.where or "the journals", f"{error.what} {error.why}", last))
        history.finish()
        self.verdict.entries = history.entries
        return history

    def _heads(self, history: History) -> None:
        detail = "the head proved, and the fold of the entries served"
        if self.base is not None:
            old = self.base.entries
            new = history.entries - old
            detail = (
                f"the head proved, and the fold of {new:,} new entries upon the {old:,} kept of all journals"
            )
        for name, address in self.addresses.items():
            folds, where = history.folds[name], f"{name} at {checksum_address(address)}"
            try:
                held = self.prover.head(address)
            except Malformed as error:
                self.refused(f"journal of {name}", where, error)
                continue
            passed = held == folds.head
            self.verdict.step(
                f"journal of {name}",
                passed,
                len(folds),
                expected="0x" + held.hex(),
                found="0x" + folds.head.hex(),
                detail=detail,
            )
            if not passed:
                self._parted(history, name, held)

    def _parted(self, history: History, name: str, held: bytes) -> None:
        folds, address = history.folds[name], self.addresses[name]
        what = (
            f"its head is 0x{held.hex()}, its {len(folds):,} entries fold to 0x{folds.head.hex()}: "
            "an entry is missing, invented, changed or out of order"
        )
        if self.base is not None:
            what += f"; up to block {self.base.block} they are the store's (--fresh reads all of them again)"
        block, entry = self.header.number, None
        at = parting(self.source, address, folds, self.wanted.first_block, self.header.number)
        if at is not None:
            block = at
            entries = entries_in(folds, name, at)
            entry = ", ".join(entries[:3]) or None
            told = f"served for it: {', '.join(entries)}" if entries else "nothing was served for it"
            what += f"; by the node's own older heads from block {at} on, {told}"
        self.found(Finding("journal", f"{name} at {checksum_address(address)}", what, block, entry=entry))

    def _replayed(self, history: History) -> bool:
        error = history.failure
        detail = error.what if error else "every entry is what the model records"
        old = self.base.entries if self.base is not None else 0
        if old:
            detail += f"; {old:,} up to block {self.base.block if self.base else 0} were replayed by an earlier audit"
        self.verdict.step("replay", error is None, history.entries - old, detail=detail)
        if error is None:
            return True
        self.found(replay_finding(history, error, self.header.number))
        self.verdict.note(
            "storage", 0, "not compared: the replay stopped, so nothing is known to compare with"
        )
        return False

    # ---- storage

    def _storage(self, history: History, scope: Scope) -> None:
        if self.base is not None and scope.whole:
            self.base.prove(self)
            return
        tallies: dict[str, Tally] = {}
        self.prove(self.words(scope), tallies, _estimate(history) if scope.whole else 0)
        self.tell_words(tallies)

    def words(self, scope: Scope) -> Iterator[Word]:
        """The words of storage that the model expects."""
        history = self.history
        replay = history.replay
        words = chain(
            split_words(replay.splits, history.own_slots, scope),
            catalogue_words(replay.catalogues, scope),
            licence_words(replay.licences, history.set_off_heads, scope),
        )
        if "Distributions" in self.addresses:
            words = chain(words, distribution_words(replay.distributions, scope))
        return words

    def prove(self, words: Iterable[Word], tallies: dict[str, Tally], total: int = 0) -> None:
        """Proves words and compares them; `total`: about how many they are, for the progress."""
        history, done = self.history, 0
        try:
            for word, held in self.prover.words(words):
                done += 1
                if done % 500 == 0:
                    self.tell("proving", 500, max(total, done), history.entries)
                self._word(history, word, held, tallies)
        except Malformed as error:
            self.refused("storage", "the contracts' storage", error)

    def tell_words(self, tallies: Mapping[str, Tally]) -> None:
        """A step for each kind of words."""
        for name, tally in tallies.items():
            expected, found = tally.hashes
            self.verdict.step(name, tally.wrong == 0, tally.compared, expected=expected, found=found)

    def _attributions(self, history: History) -> None:
        """Attributions keeps nothing but its head, so its storage root is known whole."""
        if "Attributions" not in self.addresses:
            return
        address = self.addresses["Attributions"]
        where = f"Attributions at {checksum_address(address)}"
        expected = attribution_storage(history.folds["Attributions"].head)
        try:
            found = self.prover.account(address).storage_root
        except Malformed as error:
            self.refused("attributions", where, error)
            return
        shown = ("0x" + expected.hex(), "0x" + found.hex())
        records = len(history.replay.attributions.records)
        detail = f"the whole storage is the journal's head; {records:,} roots are recorded in the journal"
        self.verdict.step(
            "attributions", found == expected, 1, expected=shown[0], found=shown[1], detail=detail
        )
        if found != expected:
            what = (
                f"its storage hashes to {shown[1]}, the head alone to {shown[0]}: it keeps what no entry told"
            )
            self.found(Finding("attributions", where, what, self.header.number))

    def _word(self, history: History, word: Word, held: bytes | Malformed, tallies: dict[str, Tally]) -> None:
        tally = tallies.setdefault(word.check, Tally())
        if isinstance(held, Malformed):
            tally.add(word, b"")
            what = "the proof is refused: " + " ".join(filter(None, (held.what, held.where, held.why)))
            subject = word.subject
            self.found(
                Finding(
                    "proof",
                    word.where,
                    what,
                    self.header.number,
                    licence=subject.licence,
                    period=subject.period,
                    split=subject.split,
                    token=subject.token,
                    payee=subject.payee,
                )
            )
            return
        tally.add(word, held)
        if held != word.expected:
            self.found(word_finding(word, held, history.replay.splits, self.header.number))

    # ---- duties

    def _duties(self, history: History, scope: Scope) -> None:
        wanted = self.wanted
        self.verdict.duties = [
            one
            for one in duties(history, self.header.timestamp, scope)
            if wanted.since <= one.since < wanted.until
        ]
        many = len(self.verdict.duties)
        self.verdict.note("duties", many, "late, missing or overdue" if many else "none is late or overdue")


def _estimate(history: History) -> int:
    """About how many words there are, for the progress bar."""
    books = history.replay
    return (
        4 * len(books.licences.periods)
        + 10 * len(books.licences.grants)
        + 10 * len(books.catalogues.catalogues)
        + 2 * len(books.splits.publications)
        + len(books.splits.page_states)
        + len(books.splits.checkpoints)
    )
