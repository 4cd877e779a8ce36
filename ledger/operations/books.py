"""The books: every entry of the three journals, read once and replayed through the model.

What is planned, explained or listed is worked out on these books, offline, by the functions that the
contracts were proved equal to. `verify` compares them with the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.chain.answers import hex_int
from ledger.chain.reader import ChainLog
from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry, is_entry
from ledger.domain.licence_types import HonestMoney
from ledger.domain.replay import CONTRACTS, Replay
from ledger.operations.session import Session
from ledger.operations.tokens import book_of_deployments

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Event:
    """An entry where it stands on the chain."""

    contract: str
    entry: Entry
    block: int
    time: int
    transaction: bytes
    log_index: int = 0

    @property
    def name(self) -> str:
        """The event's name."""
        return self.entry.name


@dataclass
class Books:
    """The model's state after all entries up to `block`. `failure`: why the replay stopped, if it did."""

    replay: Replay
    block: int
    block_time: int
    events: list[Event] = field(default_factory=list)
    failure: AuditFailed | None = None
    failed_at: ChainLog | None = None
    #: The entries of each licence, and of each split, by number and id.
    of_licence: dict[int, list[Event]] = field(default_factory=dict)
    of_split: dict[bytes, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.splits = self.replay.splits
        self.catalogues = self.replay.catalogues
        self.licences = self.replay.licences
        self.distributions = self.replay.distributions
        self.attributions = self.replay.attributions

    def bookings(self, licence: int, period: int) -> list[Event]:
        """The Booked entries of a period, oldest first."""
        return [
            one
            for one in self.of_licence.get(licence, ())
            if one.name == "Booked" and one.entry["period"] == period
        ]

    def report_hash(self, licence: int, period: int) -> bytes:
        """The report file bound to the standing figures; zeros where none is.

        Figures that a dispute changed are those of the objection that was accepted.
        """
        found = bytes(32)
        objected = bytes(32)
        for one in self.of_licence.get(licence, ()):
            entry = one.entry
            if entry.args.get("period") != period:
                continue
            if one.name == "Objected":
                objected = entry["reportHash"]
            elif one.name == "Booked":
                found = objected if entry["kind"] == 4 else entry["reportHash"]
        return found

    def paid(self, licence: int, period: int | None = None) -> tuple[int, int]:
        """Principal and interest that arrived for a period, or for all of them."""
        principal = interest = 0
        for one in self.of_licence.get(licence, ()):
            if period is not None and one.entry.args.get("period") != period:
                continue
            if one.name == "Booked":
                principal += one.entry["paid"]
            elif one.name == "Paid":
                principal += one.entry["principal"]
                interest += one.entry["interest"]
        return principal, interest

    def lines(self, licence: int, period: int | None = None) -> list[int]:
        """The lines booked, in order."""
        return [
            one.entry["line"]
            for one in self.of_licence.get(licence, ())
            if one.name == "Booked" and period in (None, one.entry["period"])
        ]

    def set_off(self, licence: int, period: int) -> tuple[int, int]:
        """What was set off against the lines of a period, and what its negative lines added to the set-off."""
        used = added = 0
        for one in self.of_licence.get(licence, ()):
            if one.name == "Booked" and one.entry["period"] == period:
                if one.entry["line"] > 0:
                    used += one.entry["setOff"]
                else:
                    added += one.entry["setOff"]
        return used, added

    def destinations(self, licence: int) -> set[bytes]:
        """Every split or account that the licence's money went or goes to, by way of a distribution too."""
        first = {
            one.entry["destination"]
            for one in self.of_licence.get(licence, ())
            if "destination" in one.entry.args
        }
        return first | {
            one.entry["splitId"]
            for one in self.events
            if one.contract == "Distributions"
            and one.entry.number == licence
            and one.name in ("Settled", "Swept", "BondMoved")
        }


def merged(logs: dict[str, list[ChainLog]]) -> list[tuple[str, ChainLog]]:
    """The logs of all contracts in the order of the chain."""
    flat = [(name, one) for name, listed in logs.items() for one in listed]
    flat.sort(key=lambda pair: (pair[1].block_number, pair[1].log_index))
    return flat


def read(
    session: Session, *, strict: bool = True, block: int | None = None, progress: Progress | None = None
) -> Books:
    """Reads and replays every entry up to `block` (default: the newest). `progress` hears each block read.

    Raises AuditFailed at the first entry that the model would not have recorded; with `strict` false the
    books say so in `failure` instead, and stand as they were before it. Raises UnreachableError.
    """
    reader, ledger = session.reader, session.ledger
    last = reader.head() if block is None else block
    first = book_of_deployments(session).first_block()
    names = {address.lower(): name for name, address in ledger.journal_addresses.items()}
    held = session.rpc.block(hex(last))
    replay = Replay(
        splits=ledger.splits.address,
        licences=ledger.licences.address,
        distributions=ledger.distributions.address,
        chain_id=session.rpc.chain_id,
    )
    books = Books(replay, last, hex_int(held["timestamp"]))
    for log in reader.logs(list(names), first, last, progress=progress):
        name = names.get(log.address)
        if name is None or not is_entry(name, log.topics):
            continue
        try:
            entry = replay.feed(name, log.raw())
        except AuditFailed as error:
            if strict:
                raise
            books.failure, books.failed_at = error, log
            return books
        _note(books, Event(name, entry, log.block_number, log.timestamp, log.transaction, log.log_index))
    try:
        replay.finish()
    except AuditFailed as error:
        if strict:
            raise
        books.failure = error
    # From here on the books are for planning: what the model asks a payer for arrives.
    books.licences.money = HonestMoney()
    return books


def _note(books: Books, event: Event) -> None:
    books.events.append(event)
    if event.contract == "Licences" and event.name not in ("Offered", "NonceCancelled"):
        books.of_licence.setdefault(event.entry.number, []).append(event)
    elif event.contract == "Splits" and event.name in (
        "PagePublished",
        "Credited",
        "PagePaid",
        "Claimed",
        "LeafPlaced",
    ):
        books.of_split.setdefault(event.entry.id, []).append(event)


__all__ = ["CONTRACTS", "Books", "Event", "merged", "read"]
