"""What the usage-weighted licence ends with: rounds and accounts of its periods, bonds, what is held and for whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ledger.demo.stage import OPERATOR
from ledger.demo.usage_year import SAMPLE, UsageYear
from ledger.domain.conservation import AccountSum, account_sums
from ledger.operations import attributions, distributions, explain
from ledger.operations.books import Books, Event
from ledger.operations.distributions import Standing

_OUTCOMES = {1: "nobody objected", 3: "the arbiter chose the counter-split"}


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A settled round: `total` of `amount` base units went to the split's payees; all that moved, late money too."""

    number: int
    by: str
    how: str
    split_id: bytes
    payees: int
    total: int
    amount: int
    moved: int


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A period in base units. What its reports paid is what its account got: `moved` and `waits`.

    `accepted` and `unmatched` are usages of the report that it was distributed by.
    """

    number: int
    gross: int
    paid: int
    account: AccountSum
    accepted: int
    unmatched: int
    rounds: tuple[RoundRow, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing: paid = moved + waiting, and the rounds moved it."""
        moved = sum(one.moved for one in self.rounds)
        return self.account.holds and self.paid == self.account.funded and moved == self.account.moved


@dataclass(frozen=True, slots=True)
class BondRow:
    """A bond in base units, and whether it went back."""

    objector: str
    period: int
    amount: int
    upheld: bool


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """Everything that the demonstration shows of the licence that is weighted by use."""

    licence: int
    periods: tuple[PeriodRow, ...]
    bonds: tuple[BondRow, ...]
    sample: str
    flaws: dict[str, int]
    records: int
    record_flaws: int
    proofs: int
    explained: explain.Explanation

    @property
    def agrees(self) -> bool:
        """Whether all sums and records are as they must be."""
        return all(one.agrees for one in self.periods) and not self.record_flaws


def summarise_usage(played: UsageYear, held: Books, payee: str) -> UsageSummary:
    """The summary of the books; `payee` is whose first period is explained."""
    session, licence = played.stage.session(OPERATOR), played.licence
    accounts = {
        one.period: one for one in account_sums(held.splits, held.distributions) if one.licence == licence
    }
    rows = []
    for period, account in sorted(accounts.items()):
        standing = distributions.standing(session, held, licence, period)
        report = played.used[period].report
        rows.append(
            PeriodRow(
                period,
                held.bookings(licence, period)[-1].entry["gross"],
                sum(held.paid(licence, period)),
                account,
                report.accepted.usages,
                report.unmatched.usages,
                tuple(_rounds(held, standing)),
            )
        )
    records, flaws = attributions.check_licence(session, licence)
    sample = played.sample.report.flaws.counts if played.sample else Counter()
    return UsageSummary(
        licence,
        tuple(rows),
        tuple(_bonds(held, licence)),
        SAMPLE,
        {kind.value: count for kind, count in sorted(sample.items())},
        len(records),
        len(flaws),
        len(played.proofs),
        explain.explain(session, held, payee, licence=licence, period=0),
    )


def _rounds(held: Books, standing: Standing) -> list[RoundRow]:
    settled = {one.entry["round"]: one for one in standing.events if one.name == "Settled"}
    rows = []
    for number, (what, told) in enumerate(zip(standing.settled, standing.rounds, strict=False)):
        pages = held.splits.publications[what.split_id].pages
        rows.append(
            RoundRow(
                number,
                "licensee" if told.by_licensee else "licensor",
                _OUTCOMES[settled[number].entry["outcome"]],
                what.split_id,
                sum(1 for words in pages.values() for word in words if any(word)),
                what.total,
                what.amount,
                told.moved_in_all,
            )
        )
    return rows


def bonds_of(held: Books) -> list[Event]:
    """The entries by which bonds were moved."""
    return [one for one in held.events if one.contract == "Distributions" and one.name == "BondMoved"]


def _bonds(held: Books, licence: int) -> list[BondRow]:
    return [
        BondRow(one.entry["objector"], one.entry["period"], one.entry["amount"], bool(one.entry["upheld"]))
        for one in bonds_of(held)
        if one.entry.number == licence
    ]
