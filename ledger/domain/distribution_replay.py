"""Replays the journal of Distributions into the model, and with it what Distributions did in Splits.

Each entry names the call that made it; the model makes the same call, and what it records, in both contracts and in
the order of the chain, is what the journals have to tell. What differs raises AuditFailed.
"""

from __future__ import annotations

from collections import deque

from ledger.domain.canonical import ZERO32
from ledger.domain.distribution_book import DistributionBook
from ledger.domain.distribution_money import CatalogueRules
from ledger.domain.distribution_types import (
    ARBITER_SILENT,
    CHOOSE_COUNTER,
    CHOOSE_FALLBACK,
    CHOOSE_POSTED,
    COUNTER_CHOSEN,
    FALLBACK_CHOSEN,
    NO_DISTRIBUTION,
    NO_SPLIT,
    NOTHING_POSTED,
    POSTED_CHOSEN,
    RELEASED,
    UNOPPOSED,
    Distribution,
    Objection,
    Posting,
    Protest,
)
from ledger.domain.entry_compare import same_entry
from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry, RawLog
from ledger.domain.licence_money import LicenceMoney
from ledger.domain.merkle_sum import Split, read_leaf
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import Leaf, account_id

_CHOICES = {
    POSTED_CHOSEN: CHOOSE_POSTED,
    COUNTER_CHOSEN: CHOOSE_COUNTER,
    FALLBACK_CHOSEN: CHOOSE_FALLBACK,
}


class DistributionReplay:
    """Applies entries of Distributions, and hears those that it caused in Splits, in the order of the chain.

    It is the model's Splits too: what the model asks of it becomes what Splits has to tell next.
    """

    def __init__(
        self, splits: SplitBook, licences: LicenceMoney, catalogues: CatalogueRules, address: str
    ) -> None:
        self.book = DistributionBook(licences, catalogues, self, address=address)
        self._splits = splits
        # Entries that stand before the one that names their call: a bond's arrival, or sweeps.
        self._early: list[tuple[str, Entry]] = []
        self._early_log: RawLog | None = None
        self._expected: deque[tuple[str, Entry]] = deque()
        self._block = 0

    # What is fed

    def splits_entry(self, entry: Entry, log: RawLog) -> None:
        """Hears an entry of Splits that Distributions caused, before it is applied."""
        if self._early_log is not None and entry.name == "AccountMoved":
            # Sweeps that no settlement follows were a call of their own.
            swept, first = self._early[0][1], self._early_log
            number, period = swept.number, swept["period"]
            settled = self.book.settled(number, period)
            self.book.sweep(swept.caller, number, period, settled, now=first.timestamp)
            self._told(log)
        if self._expected:
            self._next("Splits", entry, log)
        elif entry.name == "AccountFunded" and not self._early:
            self._early.append(("Splits", entry))
            self._block = log.block_number
        else:
            raise AuditFailed(
                f"Splits tells of {entry.name} by Distributions, which no entry of Distributions explains."
            )

    def apply(self, entry: Entry, log: RawLog) -> None:
        """Applies one entry of Distributions."""
        if self._expected:
            self._next("Distributions", entry, log)
            return
        if entry.name == "Swept":
            if self._early_log is None:
                self._require_nothing_early()
                self._early_log, self._block = log, log.block_number
            self._early.append(("Distributions", entry))
            return
        if self._early and (entry.name == "Objected") != (self._early[0][0] == "Splits"):
            self._require_nothing_early()
        if not self._early:
            self._block = log.block_number
        self._early.append(("Distributions", entry))
        self._call(entry, log)
        self._told(log)

    def finish(self) -> None:
        """Raises AuditFailed if something is still expected, or was not explained."""
        if left := [*self._early, *self._expected]:
            contract, entry = left[0]
            raise AuditFailed(f"The journals end early: {entry.name} of {contract} has no counterpart.")

    def _require_nothing_early(self) -> None:
        if self._early:
            contract, entry = self._early[0]
            raise AuditFailed(f"{entry.name} of {contract} stands where nothing explains it.")

    def _next(self, contract: str, entry: Entry, log: RawLog) -> None:
        """Compares an entry with the next one that the call under way has to tell."""
        expected, made = self._expected.popleft()
        if contract != expected or log.block_number != self._block:
            raise AuditFailed(
                f"{expected} should tell of {made.name} next, in block {self._block}; "
                f"{contract} tells of {entry.name} in block {log.block_number}."
            )
        same_entry(entry, [made])

    def _told(self, log: RawLog) -> None:
        """Compares what stood before the end of the model's call with it; the rest has to come."""
        self._expected.extend(self.book.told)
        early, self._early, self._early_log = self._early, [], None
        for contract, entry in early:
            if not self._expected:
                raise AuditFailed(f"The journal tells of {entry.name}; the model records no entry.")
            self._next(contract, entry, log)

    # Entries as calls

    def _call(self, entry: Entry, log: RawLog) -> None:
        book, caller, number, period = self.book, entry.caller, entry.number, entry["period"]
        now = log.timestamp
        settled = book.settled(number, period)
        match entry.name:
            case "Posted":
                self._post(entry, settled, now)
            case "Objected":
                protest = self._protest(entry)
                book.object(
                    caller, number, period, self._rounds(entry, settled), protest, now=now, proved=True
                )
            case "Conceded":
                rounds = self._rounds(entry, settled)
                book.concede(caller, number, period, rounds, self._objection(entry), now=now)
            case "StayedHeld":
                self._end_of_objection(entry, settled, now)
            case "Settled":
                outcome = entry["outcome"]
                if outcome == UNOPPOSED:
                    book.settle(caller, number, period, self._rounds(entry, settled), now=now)
                elif outcome == NOTHING_POSTED:
                    book.fall_back(caller, number, period, self._last(entry), now=now)
                elif outcome == RELEASED:
                    book.release(caller, number, period, settled, now=now)
                else:
                    self._end_of_objection(entry, settled, now)
            case _:
                raise AuditFailed(f"{entry.name} stands where the model expects no such entry.")

    def _post(self, entry: Entry, settled: list[Distribution], now: int) -> None:
        posting = Posting(
            self._split(entry["splitId"]),
            entry["amount"],
            entry["usageHash"],
            entry["manifestRoot"],
            entry["ruleHash"],
            entry["uri"],
        )
        act = self.book.replace if entry["replacing"] else self.book.post
        act(entry.caller, entry.number, entry["period"], settled, posting, now=now)

    def _protest(self, entry: Entry) -> Protest:
        split = self._split(entry["splitId"])
        known = self._splits.leaf(entry["splitId"], entry["index"])
        if read_leaf(entry["leaf"]) != known:
            raise AuditFailed(f"The leaf should be that of {known[0]} with {known[1]} units.")
        leaf = Leaf(split, entry["token"], entry["index"], entry["leaf"], ())
        counter = entry["counterSplit"]
        wanted = NO_SPLIT if counter == ZERO32 else self._split(counter)
        return Protest(leaf, wanted, self._last(entry), entry["bond"])

    def _end_of_objection(self, entry: Entry, settled: list[Distribution], now: int) -> None:
        rounds, objection = self._rounds(entry, settled), self._objection(entry)
        where = (entry.caller, entry.number, entry["period"])
        if entry["outcome"] == ARBITER_SILENT:
            self.book.close_objection(*where, rounds, objection, now=now)
            return
        choice = _CHOICES.get(entry["outcome"], 0)
        self.book.choose(*where, rounds, objection, choice, now=now)

    def _rounds(self, entry: Entry, settled: list[Distribution]) -> list[Distribution]:
        """The distributions of all settled rounds and, last, the one posted."""
        held = self.book.round_of(entry.number, entry["period"], len(settled))
        return [*settled, held.what or NO_DISTRIBUTION]

    def _objection(self, entry: Entry) -> Objection:
        number = len(self.book.settled(entry.number, entry["period"]))
        return self.book.round_of(entry.number, entry["period"], number).objection or Objection()

    def _last(self, entry: Entry) -> Distribution:
        """The distribution that stood last before this period."""
        _, period = self.book.last_stood(entry.number, entry["period"])
        return self.book.round_of(entry.number, period, 0).what or NO_DISTRIBUTION

    def _split(self, split_id: bytes) -> Split:
        known = self._splits.publications.get(split_id)
        if known is None:
            raise AuditFailed(f"The split 0x{split_id.hex()} was never published.")
        return known.split

    # The model's Splits

    def is_published(self, split_id: bytes) -> bool:
        """Whether every page of a split is public."""
        return self._splits.is_published(split_id)

    def balance(self, salt: bytes, token: str) -> int:
        """What waits in an account of Distributions."""
        return self._splits.account_balance(account_id(self.book.address, salt), token)

    def fund(self, payer: str, salt: bytes, token: str, amount: int) -> tuple[int, list[Entry]]:
        """The bond that Splits told of before."""
        account = account_id(self.book.address, salt)
        if self._early and self._early[0][0] == "Splits":
            entry = self._early[0][1]
            if (entry.id, entry["token"]) == (account, token):
                return int(entry["amount"]), [entry]
        raise AuditFailed(
            "Distributions tells of a bond that Splits has not received.", where=f"0x{account.hex()}"
        )

    def move(self, salt: bytes, token: str, split_id: bytes, amount: int) -> list[Entry]:
        """What Splits has to tell of a move."""
        account = account_id(self.book.address, salt)
        args = {"token": token, "splitId": split_id, "amount": amount}
        return [Entry("AccountMoved", account, self.book.address, args)]

    def publish(self, leaf: bytes) -> list[Entry]:
        """What Splits has to tell of the publication of a split of one leaf."""
        split = Split(leaf, 1, 0)
        args = {"root": leaf, "total": 1, "depth": 0, "page": 0, "words": (leaf,)}
        return [Entry("PagePublished", split.id, self.book.address, args)]
