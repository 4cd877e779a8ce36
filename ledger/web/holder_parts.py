"""What a rights holder's page is made of: balances, lines with their reasons and proofs, dates, payouts, works."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.report.statement import Currency, Statement
from ledger.web.figures import Figure
from ledger.web.work_credits import CreditedWork


@dataclass(frozen=True, slots=True)
class Claim:
    """One transaction that pays leaves to their payee."""

    token: Currency
    calldata: str
    amount: int
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Balance:
    """A token: earned = paid + owed."""

    currency: Currency
    earned: Figure
    paid: Figure
    owed: Figure
    held: Figure | None
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """Where a line stands: split, leaf, entry."""

    split: str
    index: int
    units: int
    total: int
    before: str
    after: str
    transaction: str
    block: int
    log_index: int
    report_hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of money: what it is, the holder's part, and the steps that lead to it."""

    what: str
    day: str
    part: Figure
    status: str
    steps: tuple[tuple[str, str], ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class PeriodLines:
    """All lines of one period of a licence, or of its fee, in one token."""

    what: str
    kinds: str
    recouped: bool
    days: str
    earned: Figure
    owed: Figure
    lines: tuple[Line, ...]
    link: str

    @property
    def status(self) -> str:
        """Whether all of it was paid."""
        if not self.earned.units and not self.owed.units:
            return "recouped" if self.recouped else "none"
        if not self.owed.units:
            return "paid"
        return "owed" if self.owed.units == self.earned.units else "part"


@dataclass
class LicencePart:
    """A licence, or None: money under no licence."""

    number: int | None
    title: str
    licensee: str
    sums: list[Figure] = field(default_factory=list)
    tables: list[list[PeriodLines]] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """Money that left for the holder."""

    day: str
    how: str
    amount: Figure
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class Late:
    """Something that is overdue, or in the way of the holder's money."""

    when: str
    who: str
    what: str
    licence: int
    amount: Figure | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot; `svg` is made by ledger.report.plots, which escapes every name."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One of the holder's works, and what it earned."""

    title: str
    work: str
    identifier: str
    right: str
    share: str
    earned: Figure


@dataclass(frozen=True, slots=True)
class LeafLine:
    """A place of the holder in a split, in one token."""

    split: str
    token: Currency
    index: int
    units: int
    total: int
    how: str
    earned: Figure
    paid: Figure
    owed: Figure


@dataclass(frozen=True)
class HolderView:
    """The whole page."""

    name: str
    address: str
    payee: str
    standing: str
    balances: tuple[Balance, ...]
    late: tuple[Late, ...]
    coming: tuple[Late, ...]
    licences: tuple[LicencePart, ...]
    light: bool
    payouts: tuple[tuple[PayoutLine, ...], ...]
    works: tuple[WorkLine, ...]
    more_works: int
    credited: tuple[CreditedWork, ...]
    waiting: tuple[tuple[str, str, str, str], ...]
    pictures: tuple[Picture, ...]
    leaves: tuple[LeafLine, ...]
    notes: tuple[str, ...]
    statement: Statement
