"""What the model of Licences is told and tells: figures, states, disputes, what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ledger.domain.chain_terms import ChainTerms

ACTIVE, EXPIRED, TERMINATED = 1, 2, 3
BY_LICENSEE, BY_LICENSOR = 1, 2
REPORTED, MISSING, RESTATED, SETTLED = 1, 2, 3, 4

#: Sources of set-off that one line uses at most.
SOURCES_EACH = 8
#: Reports of one call that are booked before any of them is paid.
BATCH = 32
#: Versions that the licensee can use up; the rest up to MAX_VERSION is left to settlements.
MAX_RESTATED = 2**15
MAX_VERSION = 2**16 - 1
#: A period keeps its booking time as seconds after acceptance, at most these.
MAX_DELAY = 2**32 - 1
UNLIMITED = 2**256 - 1


class Catalogues(Protocol):
    """What Licences reads from Catalogues."""

    def owner_of(self, catalogue: int) -> str:
        """The licensor."""

    def rules_of(self, catalogue: int) -> tuple[str, int, int, int]:
        """Arbiter, notice, dispute window, arbiter window."""

    def split_at(self, catalogue: int, time: int) -> bytes:
        """The split in force at a time."""


class Money(Protocol):
    """How money reaches Splits. Both return what arrived, and may raise the errors of Splits or of the
    token.
    """

    def credit(self, payer: str, split_id: bytes, token: str, amount: int) -> int:
        """To a split."""

    def fund(self, payer: str, controller: str, salt: bytes, token: str, amount: int) -> int:
        """To an account."""


class HonestMoney:
    """All that is asked for arrives."""

    def credit(self, payer: str, split_id: bytes, token: str, amount: int) -> int:
        """To a split."""
        return amount

    def fund(self, payer: str, controller: str, salt: bytes, token: str, amount: int) -> int:
        """To an account."""
        return amount


@dataclass(frozen=True, slots=True)
class Figures:
    """Absolute figures of one period; `version` is the one that they replace, zero for a first report."""

    period: int
    gross: int
    deductions: int = 0
    version: int = 0
    max_due: int = UNLIMITED
    report_hash: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class Booking:
    """What a Booked entry tells of the figures. `limit` is the largest line that is accepted."""

    kind: int
    base: int
    gross: int = 0
    deductions: int = 0
    limit: int = UNLIMITED
    report_hash: bytes = bytes(32)


@dataclass(slots=True)
class LicenceState:
    """ILicences.State. `terminated_at` is zero unless terminated; `cure_until` and `cure_period` count in
    cure.
    """

    status: int
    transferable: bool
    accepted_at: int
    next_period: int = 0
    open_periods: int = 0
    open_disputes: int = 0
    set_off: int = 0
    sum_a: int = 0
    sum_b: int = 0
    in_cure: bool = False
    cure_until: int = 0
    cure_period: int = 0
    terminated_at: int = 0

    def copy(self) -> LicenceState:
        """Another one with the same values: ten times as fast as the copy module."""
        return LicenceState(
            self.status,
            self.transferable,
            self.accepted_at,
            self.next_period,
            self.open_periods,
            self.open_disputes,
            self.set_off,
            self.sum_a,
            self.sum_b,
            self.in_cure,
            self.cure_until,
            self.cure_period,
            self.terminated_at,
        )


@dataclass(slots=True)
class PeriodState:
    """ILicences.Period, as stored: `interest_numerator` is up to `interest_up_to`."""

    base: int = 0
    open: int = 0
    version: int = 0
    booked_at: int = 0
    interest_numerator: int = 0
    interest_up_to: int = 0

    def copy(self) -> PeriodState:
        """Another one with the same values."""
        return PeriodState(
            self.base,
            self.open,
            self.version,
            self.booked_at,
            self.interest_numerator,
            self.interest_up_to,
        )


@dataclass(frozen=True, slots=True)
class Dispute:
    """ILicences.Dispute: proposer 1 licensee (lower), 2 licensor (higher)."""

    proposer: int
    proposed_base: int
    deadline: int
    arbiter_called: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Money that one destination was overpaid."""

    destination: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What never changes of a licence."""

    number: int
    terms: ChainTerms
    terms_hash: bytes
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """ILicences.Due: what is due for a period now, and why. `destination` is zero before it is known."""

    start: int
    end: int
    report_by: int
    pay_by: int
    interest_from: int
    base: int
    earned_by_tier: tuple[int, ...]
    earned: int
    guarantee: int
    guarantee_top_up: int
    royalty: int
    recouped: int
    owed_in_all: int
    cap_reached: bool
    open: int
    interest: int
    set_off: int
    destination: bytes
