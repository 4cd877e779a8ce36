"""The audit, step by step: anchor, code, journals, replay, storage, sums, transfers, solvency, duties."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import chain

from ledger.audit.duties import duties
from ledger.audit.findings import Finding, Verdict
from ledger.audit.history import History
from ledger.audit.naming import entries_in, parting, replay_finding, word_finding
from ledger.audit.prover import Prover, Tally
from ledger.audit.scopes import Wanted, scope_of
from ledger.audit.solvency import solvencies
from ledger.audit.source import Source
from ledger.audit.transfers import check_transfers
from ledger.audit.words import Scope, Word, catalogue_words, split_words
from ledger.audit.words_distributions import distribution_words
from ledger.audit.words_licences import licence_words
from ledger.chain.deploy import Planned, expected_code
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.conservation import conservations, liabilities
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


class Audit:
    """One audit. After `run`, `history`, `header` and `prover` are what the verdict rests on."""

    history: History
    header: Header
    prover: Prover

    def __init__(
        self,
        source: Source,
        planned: Mapping[str, Planned],
        wanted: Wanted,
        progress: Progress | None = None,
        *,
        contracts: Collection[str] = (),
    ) -> None:
        """`contracts`: those whose code is checked; empty: all."""
        self.source = source
        self.planned = planned
        self.wanted = wanted
        self.checked = contracts or planned.keys()
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
        self.prover = Prover(self.source, header, self.addresses)
        return self._code()

    def run(self) -> Verdict:
        """All steps."""
        if not self.begin():
            return self.verdict
        history = self.history = self._history()
        self._heads(history)
        if not self._replayed(history):
            return self.verdict
        scope = scope_of(self.wanted, history, self.verdict)
        self._storage(history, scope)
        self._sums(history, scope)
        if self.wanted.transfers:
            self._transfers(history, scope)
        self._solvency(history)
        self._duties(history, scope)
        return self.verdict

    def _found(self, finding: Finding) -> None:
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
            self._found(Finding("anchor", told or "the newest block", what, 0))
            return None
        if header is None:
            what = "the source has no such block: it is behind, or on another chain"
            verdict.step("anchor", False, 1, expected=told, detail=what)
            self._found(Finding("anchor", told or "the newest block", what, 0))
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
            self._found(
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
                self._refused(f"code of {name}", where, error)
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
                self._found(Finding("code", where, what, self.header.number))
                good = good and name not in self.addresses
        return good

    def _refused(self, name: str, where: str, error: Malformed) -> None:
        what = "the proof is refused: " + " ".join(filter(None, (error.what, error.where, error.why)))
        self.verdict.step(name, False, 1, detail=what)
        self._found(Finding("proof", where, what, self.header.number))

    # ---- journals

    def _history(self) -> History:
        history = History(self.addresses, self.source.chain_id, with_moves=self.wanted.transfers)
        first, last = self.wanted.first_block, self.header.number
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
            self._found(Finding("logs", error.where or "the journals", f"{error.what} {error.why}", last))
        history.finish()
        self.verdict.entries = history.entries
        return history

    def _heads(self, history: History) -> None:
        for name, address in self.addresses.items():
            folds, where = history.folds[name], f"{name} at {checksum_address(address)}"
            try:
                (held,) = self.prover.slots(address, [ZERO32])
                if isinstance(held, Malformed):
                    raise held
            except Malformed as error:
                self._refused(f"journal of {name}", where, error)
                continue
            passed = held == folds.head
            self.verdict.step(
                f"journal of {name}",
                passed,
                len(folds),
                expected="0x" + held.hex(),
                found="0x" + folds.head.hex(),
                detail="the head proved, and the fold of the entries served",
            )
            if not passed:
                self._parted(history, name, held)

    def _parted(self, history: History, name: str, held: bytes) -> None:
        folds, address = history.folds[name], self.addresses[name]
        what = (
            f"its head is 0x{held.hex()}, its {len(folds):,} entries fold to 0x{folds.head.hex()}: "
            "an entry is missing, invented, changed or out of order"
        )
        block, entry = self.header.number, None
        at = parting(self.source, address, folds, self.wanted.first_block, self.header.number)
        if at is not None:
            block = at
            entries = entries_in(folds, name, at)
            entry = ", ".join(entries[:3]) or None
            told = f"served for it: {', '.join(entries)}" if entries else "nothing was served for it"
            what += f"; by the node's own older heads from block {at} on, {told}"
        self._found(Finding("journal", f"{name} at {checksum_address(address)}", what, block, entry=entry))

    def _replayed(self, history: History) -> bool:
        error = history.failure
        detail = error.what if error else "every entry is what the model records"
        self.verdict.step("replay", error is None, history.entries, detail=detail)
        if error is None:
            return True
        self._found(replay_finding(history, error, self.header.number))
        self.verdict.note(
            "storage", 0, "not compared: the replay stopped, so nothing is known to compare with"
        )
        return False

    # ---- storage

    def _storage(self, history: History, scope: Scope) -> None:
        replay = history.replay
        words = chain(
            split_words(replay.splits, history.own_slots, scope),
            catalogue_words(replay.catalogues, scope),
            licence_words(replay.licences, history.set_off_heads, scope),
        )
        if "Distributions" in self.addresses:
            words = chain(words, distribution_words(replay.distributions, scope))
        total = _estimate(history) if scope.whole else 0
        tallies: dict[str, Tally] = {}
        done = 0
        try:
            for word, held in self.prover.words(words):
                done += 1
                if done % 500 == 0:
                    self.tell("proving", 500, max(total, done), history.entries)
                self._word(history, word, held, tallies)
        except Malformed as error:
            self._refused("storage", "the contracts' storage", error)
        for name, tally in tallies.items():
            expected, found = tally.hashes
            self.verdict.step(name, tally.wrong == 0, tally.compared, expected=expected, found=found)

    def _word(self, history: History, word: Word, held: bytes | Malformed, tallies: dict[str, Tally]) -> None:
        tally = tallies.setdefault(word.check, Tally())
        if isinstance(held, Malformed):
            tally.add(word, b"")
            what = "the proof is refused: " + " ".join(filter(None, (held.what, held.where, held.why)))
            subject = word.subject
            self._found(
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
            self._found(word_finding(word, held, history.replay.splits, self.header.number))

    # ---- sums

    def _sums(self, history: History, scope: Scope) -> None:
        verdict, book = self.verdict, history.replay.licences
        verdict.sums = [one for one in conservations(history.replay.splits) if scope.has_split(one.split_id)]
        for one in verdict.sums:
            if not one.holds:
                what = (
                    f"credited {one.credited:,} is not paid {one.paid:,} + owed {one.owed:,} + "
                    f"residue {one.residue:,}"
                )
                where = f"split 0x{one.split_id.hex()}"
                self._found(
                    Finding("conservation", where, what, verdict.block, split=one.split_id, token=one.token)
                )
        verdict.step(
            "conservation",
            all(one.holds for one in verdict.sums),
            len(verdict.sums),
            detail="credited = paid + owed + residue",
        )
        wrong = compared = 0
        for number, grant in book.grants.items():
            if not scope.has_licence(number):
                continue
            compared += 1
            state, lines = book.states[number], history.lines.get(number, 0)
            owed = book.owed_of(grant.terms, state.sum_a, state.sum_b)
            if owed != lines:
                wrong += 1
                what = f"its lines add up to {lines:,} base units, owed in all is {owed:,}"
                self._found(Finding("lines", f"licence {number}", what, verdict.block, licence=number))
        verdict.step("lines", wrong == 0, compared, detail="the sum of all lines is what is owed in all")

    def _transfers(self, history: History, scope: Scope) -> None:
        moves = [one for one in history.moves if scope.whole or scope.has_split(one.split)]
        if not scope.whole:
            # A block's sums are of all splits together, so all moves of the blocks in question count.
            blocks = {one.block for one in moves}
            moves = [one for one in history.moves if one.block in blocks]
        done = check_transfers(
            self.source,
            self.header,
            self.addresses["Splits"],
            moves,
            progress=lambda more: self.tell("transfers", more, 0, history.entries),
        )
        for one in done.findings:
            self._found(one)
        self.verdict.step(
            "transfers",
            not done.findings,
            done.sums,
            detail=f"{done.blocks:,} blocks rebuilt, {done.headers:,} headers linked to the anchor",
        )

    def _solvency(self, history: History) -> None:
        owed = liabilities(history.replay.splits)
        verdict = self.verdict
        try:
            verdict.solvency = list(solvencies(self.prover, self.source, self.addresses["Splits"], owed))
        except Malformed as error:
            self._refused("solvency", "the tokens' storage", error)
            return
        for one in verdict.solvency:
            if not one.holds:
                what = f"Splits holds {one.held:,} base units and owes {one.owed:,} ({one.source})"
                where = f"token {checksum_address(one.token)}"
                short = one.owed - one.held
                self._found(Finding("solvency", where, what, verdict.block, token=one.token, amount=short))
        proved = sum(one.proved for one in verdict.solvency)
        detail = f"{proved} of {len(owed)} balances proved"
        if proved < len(owed):
            detail += ", the others are stated by the node"
        verdict.step("solvency", all(one.holds for one in verdict.solvency), len(owed), detail=detail)

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
