"""The journals as they were served: folded, replayed by the model, and what of each entry the later steps need."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.audit.sources import Sources
from ledger.audit.words import OWN_SLOT
from ledger.chain.reader import ChainLog
from ledger.domain.calendar import Span
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.domain.journal import Entry, decode_entry, fold, is_entry
from ledger.domain.licence_money import Work
from ledger.domain.licence_types import MISSING, REPORTED
from ledger.domain.merkle_sum import PAGE_SIZE, padded_words, read_leaf
from ledger.domain.replay import Replay
from ledger.domain.rlp import Malformed
from ledger.domain.royalty import entitled_down
from ledger.domain.split_types import PASSED_OVER, TAKEN_OUT

#: Numbers that fill a word begin here.
_WORD = 1 << 256


class Folds:
    """The head of one journal after each of its entries, kept compactly."""

    def __init__(self) -> None:
        self.head = ZERO32
        self._blocks = array("Q")
        self._heads = bytearray()

    def __len__(self) -> int:
        return len(self._blocks)

    def add(self, block: int, head: bytes) -> None:
        """Notes an entry."""
        self.head = head
        self._blocks.append(block)
        self._heads += head

    def packed(self, first: int, many: int) -> bytes:
        """Block and head of so many entries from `first` on, 40 bytes each."""
        last = min(first + many, len(self))
        each = (self._blocks[one].to_bytes(8, "big") + self.after(one) for one in range(first, last))
        return b"".join(each)

    def unpack(self, packed: bytes) -> None:
        """Adds entries that were packed. Raises ValueError."""
        if len(packed) % 40:
            raise ValueError("an entry's block and head are 40 bytes")
        for start in range(0, len(packed), 40):
            self.add(int.from_bytes(packed[start : start + 8], "big"), packed[start + 8 : start + 40])

    def block(self, number: int) -> int:
        """The block of an entry."""
        return self._blocks[number]

    def after(self, number: int) -> bytes:
        """The head after an entry; zeros for −1."""
        return bytes(self._heads[32 * number : 32 * number + 32]) if number >= 0 else ZERO32


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that an entry says moved: into Splits (`to` empty) or out of it to `to`, base units."""

    block: int
    token: str
    to: str
    amount: int
    split: bytes
    entry: str


@dataclass(frozen=True, slots=True)
class LateReport:
    """A period that was reported, or booked at zero by another, after its report deadline."""

    licence: int
    period: int
    report_by: int
    booked_at: int
    by_other: bool


@dataclass
class History:
    """Feed it every log of the contracts in the order of the chain, then call `finish`.

    `failure` is why the replay stopped, if it did, at `failed_at`; the folds go on.
    """

    addresses: Mapping[str, str]
    chain_id: int
    with_moves: bool = False
    folds: dict[str, Folds] = field(default_factory=dict)
    failure: AuditFailed | None = None
    failed_at: ChainLog | None = None
    failed_entry: str = ""
    moves: list[Moved] = field(default_factory=list)
    late: list[LateReport] = field(default_factory=list)
    set_off_heads: dict[int, int] = field(default_factory=dict)
    #: (split, token) whose first page has ever had an exception.
    own_slots: set[tuple[bytes, str]] = field(default_factory=set)
    #: The splits and accounts that each licence's money goes to.
    destinations: dict[int, set[bytes]] = field(default_factory=dict)
    #: The accounts whose money was moved into each split.
    moved_from: dict[bytes, set[bytes]] = field(default_factory=dict)
    #: Σ lines of each licence.
    lines: dict[int, int] = field(default_factory=dict)
    #: When each split was first credited in a token, Unix seconds.
    credited_at: dict[tuple[bytes, str], int] = field(default_factory=dict)
    #: The files that entries name by hash.
    sources: Sources = field(default_factory=Sources)

    def __post_init__(self) -> None:
        self._names = {address: name for name, address in self.addresses.items()}
        self.folds = {name: Folds() for name in self.addresses}
        self.replay = Replay(
            splits=self.addresses["Splits"],
            licences=self.addresses["Licences"],
            chain_id=self.chain_id,
            distributions=self.addresses.get("Distributions", ZERO_ADDRESS),
        )

    @property
    def entries(self) -> int:
        """How many entries were served."""
        return sum(map(len, self.folds.values()))

    def feed(self, log: ChainLog) -> None:
        """Folds and replays one log; what is no entry of a journal is passed over."""
        name = self._names.get(log.address)
        if name is None or not is_entry(name, log.topics):
            return
        raw = log.raw()
        folds = self.folds[name]
        if not (0 <= log.block_number < _WORD and 0 <= log.timestamp < _WORD):
            raise Malformed("An entry has a block or a time that no chain has.", f"block {log.block_number}")
        if self.failure is not None:
            folds.add(log.block_number, fold(folds.head, raw))
            return
        try:
            before = self._before(name, log)
            entry = self.replay.feed(name, raw)
        except AuditFailed as error:
            self.failure, self.failed_at = error, log
            self.failed_entry = _entry_name(name, len(folds), log)
            folds.add(log.block_number, fold(folds.head, raw))
            return
        folds.add(log.block_number, self.replay.heads[name])
        self._note(name, entry, log, before)

    def finish(self) -> None:
        """Ends the history."""
        if self.failure is None:
            try:
                self.replay.finish()
            except AuditFailed as error:
                self.failure = error

    # ---- what later steps need

    def _before(self, name: str, log: ChainLog) -> int:
        """What has to be read before an entry is replayed: the length of a set-off queue, a page's transfers."""
        if name == "Licences":
            return len(self.replay.licences.sources.get(int.from_bytes(log.topics[1], "big"), ()))
        if name == "Splits" and self.with_moves:
            self._page_moves(log)
        return 0

    def _note(self, name: str, entry: Entry, log: ChainLog, before: int) -> None:
        self.sources.note(name, entry, log.block_number, log.timestamp, len(self.folds[name]) - 1)
        if name == "Splits":
            self._note_money(entry, log)
        elif name == "Licences" and entry.name not in ("Offered", "NonceCancelled"):
            number = entry.number
            gone = before - len(self.replay.licences.sources.get(number, ()))
            if gone > 0:
                self.set_off_heads[number] = self.set_off_heads.get(number, 0) + gone
            if "destination" in entry.args:
                self.destinations.setdefault(number, set()).add(entry["destination"])
            if entry.name == "Booked":
                self._note_booking(entry, log)

    def _note_booking(self, entry: Entry, log: ChainLog) -> None:
        number, period = entry.number, entry["period"]
        self.lines[number] = self.lines.get(number, 0) + entry["line"]
        if entry["kind"] not in (REPORTED, MISSING):
            return
        report_by = span_of(self.replay, number, period).report_by
        if log.timestamp > report_by:
            self.late.append(LateReport(number, period, report_by, log.timestamp, entry["kind"] == MISSING))

    def _note_money(self, entry: Entry, log: ChainLog) -> None:
        if entry.name in ("PagePaid", "Claimed", "LeafPlaced"):
            first = self.replay.splits.page_state(entry.id, entry["token"], 0)
            if first.exceptions or first.paid_up_to == OWN_SLOT:
                self.own_slots.add((entry.id, entry["token"]))
        if entry.name == "AccountMoved":
            self.moved_from.setdefault(entry["splitId"], set()).add(entry.id)
            self.credited_at.setdefault((entry["splitId"], entry["token"]), log.timestamp)
        elif entry.name in ("Credited", "AccountFunded"):
            key = (entry.id, entry["token"])
            self.credited_at.setdefault(key, log.timestamp)
            if self.with_moves:
                self._move(log, entry["token"], "", entry["amount"], entry.id, entry.name)
        elif entry.name == "Claimed" and self.with_moves:
            self._move(log, entry["token"], entry["to"], entry["paid"], entry.id, entry.name)

    def _move(self, log: ChainLog, token: str, to: str, amount: int, split: bytes, name: str) -> None:
        label = f"Splits {len(self.folds['Splits']) - 1} {name}"
        self.moves.append(Moved(log.block_number, token, to, amount, split, label))

    def _page_moves(self, log: ChainLog) -> None:
        """The transfers of a page's payout, worked out of the words and of the state before it."""
        entry = decode_entry("Splits", log.raw())
        book = self.replay.splits
        known = book.publications.get(entry.id)
        if entry.name != "PagePaid" or known is None or entry["page"] not in known.pages:
            return
        token, page = entry["token"], entry["page"]
        state, up_to = book.page_state(entry.id, token, page), book.cumulative(entry.id, token)
        label = f"Splits {len(self.folds['Splits'])} PagePaid"
        for place, word in enumerate(padded_words(known.pages[page], known.split.depth)):
            start = state.paid_up_to
            if state.exceptions >> place & 1:
                kind, start = book.checkpoints[entry.id, token, page * PAGE_SIZE + place]
                if kind == TAKEN_OUT or (kind == PASSED_OVER and not entry["retry"] >> place & 1):
                    continue
            payee, units = read_leaf(word)
            total = known.split.total
            amount = entitled_down(up_to, units, total) - entitled_down(start, units, total)
            if amount and not entry["failed"] >> place & 1:
                self.moves.append(Moved(log.block_number, token, payee, amount, entry.id, label))


def span_of(replay: Replay, licence: int, period: int) -> Span:
    """The time of a licence's period as it stands now."""
    book = replay.licences
    return Work(book.grants[licence], book.states[licence], "", 0).span(period)


def _entry_name(contract: str, number: int, log: ChainLog) -> str:
    try:
        return f"{contract} {number} {decode_entry(contract, log.raw()).name}"
    except LedgerError:
        return f"{contract} {number}"
