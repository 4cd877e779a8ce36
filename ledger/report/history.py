"""One payee's leaves: each credit's part, each payout, what is owed, and what caused each credit.

A leaf is entitled to floor(cumulative × units / total) of a token and is paid the difference between two such floors
(contracts/interfaces/ISplits.sol); so a credit's part is the difference that it makes, exact to the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down
from ledger.domain.split_types import CLAIMED, PASSED_OVER, TAKEN_OUT

BY_PAGE, BY_CLAIM = "page", "claim"


class Placed(Protocol):
    """An entry where it stands on the chain. Times are Unix seconds."""

    @property
    def contract(self) -> str:
        """Name of the contract that recorded it."""

    @property
    def name(self) -> str:
        """Name of the event."""

    @property
    def entry(self) -> Entry:
        """The entry."""

    @property
    def block(self) -> int:
        """Number of its block."""

    @property
    def time(self) -> int:
        """Time of its block."""

    @property
    def transaction(self) -> bytes:
        """Hash of its transaction."""

    @property
    def log_index(self) -> int:
        """Place of its log in the block."""


@dataclass(frozen=True, slots=True)
class Earned:
    """A credit to a split and the leaf's part of it, in base units. `before`: the cumulative before it.

    `causes`: the entries of Licences and Distributions in the same transaction.
    """

    event: Placed
    amount: int
    before: int
    part: int
    causes: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """A payout of the leaf: base units, to whom, by page or by claim."""

    event: Placed
    amount: int
    to: str
    how: str


@dataclass
class LeafHistory:
    """A leaf of one split in one token. `units` of `total` are its weight."""

    split_id: bytes
    token: str
    index: int
    payee: str
    units: int
    total: int
    earned: list[Earned] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    #: Payouts of its page that passed it over, the transfer having failed.
    failed: list[Placed] = field(default_factory=list)
    cumulative: int = 0
    up_to: int = 0
    kind: int = 0

    @property
    def earned_in_all(self) -> int:
        """Entitlement so far."""
        return entitled_down(self.cumulative, self.units, self.total)

    @property
    def paid_in_all(self) -> int:
        """Base units paid so far."""
        return sum(one.amount for one in self.paid)

    @property
    def owed(self) -> int:
        """Base units that a claim would pay now."""
        return self.earned_in_all - self.paid_in_all

    def _pay(self, event: Placed, cumulative: int, to: str, how: str) -> None:
        amount = entitled_down(cumulative, self.units, self.total) - entitled_down(
            self.up_to, self.units, self.total
        )
        self.up_to = cumulative
        if amount:
            self.paid.append(Paid(event, amount, to, how))


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a payee stands in a published split."""

    split_id: bytes
    index: int
    units: int
    total: int


def leaves_of(events: Iterable[Placed], payee: str) -> list[Leaf]:
    """The payee's leaves in all published splits, in the order of their publication."""
    head = bytes.fromhex(payee[2:])
    found = []
    for event in events:
        if event.contract != "Splits" or event.entry.name != "PagePublished":
            continue
        for place, word in enumerate(event.entry["words"]):
            if word[:20] == head:
                index = event.entry["page"] * PAGE_SIZE + place
                found.append(Leaf(event.entry.id, index, read_leaf(word)[1], event.entry["total"]))
    return found


def history_of(events: Sequence[Placed], payee: str) -> list[LeafHistory]:
    """Every leaf of a payee in every token that was credited to its split, in the order of the first credit."""
    leaves: dict[bytes, list[Leaf]] = {}
    for leaf in leaves_of(events, payee):
        leaves.setdefault(leaf.split_id, []).append(leaf)
    causes: dict[bytes, list[Placed]] = {}
    for event in events:
        if event.contract in ("Licences", "Distributions"):
            causes.setdefault(event.transaction, []).append(event)
    found: dict[tuple[bytes, str, int], LeafHistory] = {}
    steps: dict[str, Callable[[list[LeafHistory], Placed], None]] = {
        "PagePaid": _page_paid,
        "Claimed": _claimed,
        "LeafPlaced": _placed,
    }
    for event in events:
        if event.contract != "Splits":
            continue
        entry = event.entry
        if entry.name in ("Credited", "AccountMoved"):
            split_id = entry.id if entry.name == "Credited" else entry["splitId"]
            for leaf in leaves.get(split_id, ()):
                history = found.setdefault(
                    (split_id, entry["token"], leaf.index),
                    LeafHistory(split_id, entry["token"], leaf.index, payee, leaf.units, leaf.total),
                )
                _credit(history, event, tuple(causes.get(event.transaction, ())))
        elif entry.name in steps and entry.id in leaves:
            chosen = [
                held
                for leaf in leaves[entry.id]
                if (held := found.get((entry.id, entry["token"], leaf.index))) is not None
            ]
            steps[entry.name](chosen, event)
    return list(found.values())


def _credit(held: LeafHistory, event: Placed, causes: tuple[Placed, ...]) -> None:
    amount, before = event.entry["amount"], held.cumulative
    had = held.earned_in_all
    held.cumulative = before + amount
    held.earned.append(Earned(event, amount, before, held.earned_in_all - had, causes))


def _page_paid(held: list[LeafHistory], event: Placed) -> None:
    entry = event.entry
    for one in held:
        page, place = divmod(one.index, PAGE_SIZE)
        if page != entry["page"] or one.kind == TAKEN_OUT:
            continue
        if one.kind == PASSED_OVER and not entry["retry"] >> place & 1:
            continue
        if entry["failed"] >> place & 1:
            one.kind = PASSED_OVER
            one.failed.append(event)
            continue
        one.kind = 0
        one._pay(event, entry["cumulative"], one.payee, BY_PAGE)


def _claimed(held: list[LeafHistory], event: Placed) -> None:
    entry = event.entry
    for one in held:
        if one.index == entry["index"]:
            if one.kind != TAKEN_OUT:
                one.kind = CLAIMED
            one._pay(event, entry["cumulative"], entry["to"], BY_CLAIM)


def _placed(held: list[LeafHistory], event: Placed) -> None:
    for one in held:
        if one.index == event.entry["index"]:
            one.kind = TAKEN_OUT if event.entry["out"] else CLAIMED
