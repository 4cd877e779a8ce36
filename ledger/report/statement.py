"""A rights holder's statement: what it is made of, and the sums that must agree. Amounts are base units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.domain.address import checksum_address
from ledger.domain.errors import AuditFailed
from ledger.domain.money import format_amount
from ledger.report.history import Placed
from ledger.report.origins import Booking

#: What a row is.
OPENING, FEE, ROYALTY, ADJUSTED, LATE, GIFT, BOND, PAYOUT, HELD_BACK, NO_PAYEE = (
    "opening",
    "fee",
    "royalty",
    "adjustment",
    "interest",
    "gift",
    "bond",
    "payout",
    "held",
    "unmatched",
)
#: How the money of a row stands at the end of the statement.
STATUS_PAID, STATUS_OWED, STATUS_HELD, STATUS_UNMATCHED = "paid", "owed", "held", "unmatched"


@dataclass(frozen=True, slots=True)
class Currency:
    """A token as statements show it. `symbol` is unlike every other token's of the statement."""

    address: str
    symbol: str
    decimals: int

    def decimal(self, units: int) -> str:
        """An amount for files: a plain decimal string."""
        return format_amount(units, self.decimals)

    def plain(self, units: int) -> str:
        """An amount for reading, where the symbol stands beside it."""
        return format_amount(units, self.decimals, grouping=True)

    def shown(self, units: int) -> str:
        """An amount for reading, with its symbol."""
        return format_amount(units, self.decimals, self.symbol, grouping=True)


@dataclass(frozen=True, slots=True)
class Period:
    """The time of a statement, Unix seconds; `end` is the first second after it. `text`: as it was asked for."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class LicenceFacts:
    """What a licence's terms say that a statement names; empty where the terms document is not in the store."""

    number: int
    licensee: str
    service: str = ""
    use_types: tuple[str, ...] = ()
    territory: str = ""
    model: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class WorkShare:
    """A share of a work in a payee's leaf; `weight` over the sum of all weights is its part of each credit."""

    work: str
    title: str
    identifier: str
    right_type: str
    holder: str
    share_ppm: int
    weight: int
    usages: int | None = None
    credit_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a statement: a part of a credit, a payout, the opening balance, or money that waits.

    `net` = earned + adjustment + interest − recouped; of a payout it is what was paid, negative, so that the sum over
    all rows is the closing balance. `carried` is what of it a claim would pay at the end of the statement.
    `top_up` is contained in `earned`. `cumulative`: of the split before and after, from which anyone gets the part.
    """

    kind: str
    time: int
    currency: Currency
    payee: str
    licence: int | None = None
    period: int | None = None
    period_start: int = 0
    period_end: int = 0
    booking: Booking | None = None
    split_id: bytes = b""
    index: int = 0
    units: int = 0
    total: int = 0
    cumulative: tuple[int, int] = (0, 0)
    earned: int = 0
    top_up: int = 0
    recouped: int = 0
    advance_left: int | None = None
    adjustment: int = 0
    adjusts: tuple[int, ...] = ()
    interest: int = 0
    net: int = 0
    carried: int = 0
    status: str = STATUS_PAID
    event: Placed | None = None
    paid_to: str = ""
    by_page: bool = False
    held: int = 0
    works: tuple[WorkShare, ...] = ()
    #: Over which of `works` the money is divided; None: it is not divided.
    split_by: int | None = None

    @property
    def report(self) -> str:
        """The report behind it, such as L1-P0-V1: licence, period, version of the figures."""
        one = self.booking
        return f"L{one.licence}-P{one.period}-V{one.version}" if one else ""


@dataclass(frozen=True, slots=True)
class RollUp:
    """opening + earned + adjustments + interest − recouped − paid = closing, in one token."""

    currency: Currency
    opening: int
    earned: int
    adjustments: int
    interest: int
    recouped: int
    paid: int
    closing: int
    held: int = 0

    @property
    def computed(self) -> int:
        """The closing balance by the sums."""
        return self.opening + self.earned + self.adjustments + self.interest - self.recouped - self.paid


@dataclass(frozen=True, slots=True)
class LeafFacts:
    """A payee's leaf in one token at the end of the statement, and the siblings that prove it against the split.

    `how`: page, passed over, or claim only. `proof` is empty and `proved` false for a split of other rules.
    """

    split_id: bytes
    currency: Currency
    payee: str
    index: int
    units: int
    total: int
    cumulative: int
    earned: int
    paid: int
    owed: int
    how: str
    proof: tuple[bytes, ...] = ()
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A payee's weight in a split; `count` payees together where it stands for several."""

    name: str
    units: int
    mine: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class SplitBars:
    """How a split divides money; `licences` paid into it."""

    split_id: bytes
    total: int
    licences: tuple[int, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class FlowStep:
    """A step from gross revenue to the payout: an amount that stands (`is_sum`), or what is taken or added."""

    what: str
    amount: int
    is_sum: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """One report from gross to payout: first the royalty's making, then its way to the payee."""

    row: Row
    first: tuple[FlowStep, ...]
    second: tuple[FlowStep, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Credits (with the opening balance) and payouts so far, at a time."""

    time: int
    credited: int
    paid: int


@dataclass
class Statement:
    """A statement, complete. `final`: the chain is past its end, so that nothing in it can change any more."""

    id: str
    holder: str
    payees: tuple[str, ...]
    period: Period
    chain_id: int
    contracts: dict[str, str]
    block: int
    block_hash: bytes
    block_time: int
    final: bool
    rows: tuple[Row, ...] = ()
    sums: tuple[RollUp, ...] = ()
    leaves: tuple[LeafFacts, ...] = ()
    licences: dict[int, LicenceFacts] = field(default_factory=dict)
    splits: tuple[SplitBars, ...] = ()
    flows: tuple[Flow, ...] = ()
    points: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def shown_payees(self) -> list[str]:
        """The payees' addresses as they are written."""
        return [checksum_address(one) for one in self.payees]

    def of_kind(self, *kinds: str) -> list[Row]:
        """The rows of some kinds."""
        return [row for row in self.rows if row.kind in kinds]


def roll_ups(rows: Sequence[Row], closing: dict[str, int]) -> tuple[RollUp, ...]:
    """The sums of each token, checked. `closing`: what the payees' leaves are owed, by token address.

    Raises AuditFailed unless opening + earned + adjustments + interest − recouped − paid = closing, the rows' net
    amounts sum to it, and so do the amounts carried forward.
    """
    found = []
    tokens: dict[str, Currency] = {}
    for row in rows:
        tokens.setdefault(row.currency.address, row.currency)
    for address, currency in tokens.items():
        mine = [row for row in rows if row.currency.address == address]
        one = RollUp(
            currency,
            opening=sum(row.net for row in mine if row.kind == OPENING),
            earned=sum(row.earned for row in mine),
            adjustments=sum(row.adjustment for row in mine),
            interest=sum(row.interest for row in mine),
            recouped=sum(row.recouped for row in mine),
            paid=-sum(row.net for row in mine if row.kind == PAYOUT),
            closing=closing.get(address, 0),
            held=sum(row.held for row in mine),
        )
        by_rows, carried = sum(row.net for row in mine), sum(row.carried for row in mine)
        if not one.computed == by_rows == carried == one.closing:
            raise AuditFailed(
                "The statement does not add up.",
                checksum_address(address),
                f"By its sums {one.computed}, by its rows {by_rows}, carried forward {carried}, "
                f"in the books {one.closing} base units are owed.",
                "Check the history: licence-ledger verify",
            )
        found.append(one)
    return tuple(found)
