"""How a statement speaks: the same words on the page and on paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ledger.domain.address import checksum_address
from ledger.domain.licence_types import MISSING, RESTATED, SETTLED
from ledger.report.columns import first_day, last_day, rate_text
from ledger.report.origins import Booking
from ledger.report.statement import (
    ADJUSTED,
    BOND,
    FEE,
    GIFT,
    HELD_BACK,
    LATE,
    NO_PAYEE,
    OPENING,
    PAYOUT,
    Currency,
    RollUp,
    Row,
    Statement,
)

#: What the columns of a line before the last are called.
AMOUNTS = ("Earned", "Adjusted", "Interest", "Recouped")
_KINDS = {
    MISSING: "booked at zero, the report missing",
    RESTATED: "restated",
    SETTLED: "settled after a dispute",
}


def day_of(time: int) -> str:
    """The day of a time, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")


def period_of(statement: Statement) -> str:
    """The statement's period: first and last day."""
    return f"{first_day(statement.period.start)} to {last_day(statement.period.end)}"


def standing_of(statement: Statement) -> str:
    """Whether it is final, and up to which block it goes."""
    until = f"block {statement.block:,} of chain {statement.chain_id}"
    if statement.final:
        return f"Final: the chain is past the period, whose last block is {until}."
    return f"Provisional: the period is not over; this goes up to {until}."


def what_of(row: Row) -> str:
    """What a row is, in a few words."""
    one = row.booking
    name = f"period {row.period}" if row.period is not None else ""
    if row.kind == OPENING:
        return "Opening balance"
    if row.kind == FEE:
        return "Upfront fee, an advance" if row.advance_left is not None else "Upfront fee"
    if row.kind == LATE:
        return f"Late interest, {name}"
    if row.kind == GIFT:
        return "A credit by somebody, under no licence"
    if row.kind == BOND:
        return f"Bond of an objection, {name}"
    if row.kind == PAYOUT:
        return "Paid by page" if row.by_page else f"Claimed to {short_address(row.paid_to)}"
    if row.kind == HELD_BACK:
        return f"Held by the distribution, {name}"
    if row.kind == NO_PAYEE:
        return "A share without a payee"
    said = _KINDS.get(one.kind, "") if one is not None else ""
    lead = "Adjustment of" if row.kind == ADJUSTED else "Royalty,"
    return f"{lead} {name}" + (f" ({said})" if said else "")


def derivation(row: Row) -> list[tuple[str, str]]:
    """Names and figures from gross revenue to the holder's part."""
    show = row.currency.shown
    found: list[tuple[str, str]] = []
    if row.booking is not None:
        found += _booking_lines(row, row.booking)
    if row.total and row.kind != PAYOUT:
        before, after = row.cumulative
        if after > before:
            found.append(("Into the split", show(after - before)))
        found.append(("Your units", f"{row.units:,} of {row.total:,}"))
        if after > before:
            found.append(("Your part, rounded down over all credits", show(row.net)))
    if row.recouped:
        found.append(("Your part of what the advance recouped", show(row.recouped)))
    if row.advance_left is not None:
        found.append(("Your part of the advance left to recoup", show(row.advance_left)))
    if row.kind != ADJUSTED and row.adjustment and row.adjusts:
        listed = ", ".join(str(one) for one in row.adjusts)
        found.append((f"Set off for period {listed}", show(row.adjustment)))
    return found


def _booking_lines(row: Row, one: Booking) -> list[tuple[str, str]]:
    show = row.currency.shown
    found = [("Report", f"{row.report}, {first_day(row.period_start)} to {last_day(row.period_end)}")]
    if one.gross is not None:
        found.append(("Gross revenue", show(one.gross)))
        found.append(("Deductions that count", show(one.base - one.gross)))
    found.append(("Net revenue", show(one.base)))
    found += [
        (f"Tier {place}, {percent_of(tier.rate_ppm)}", row.currency.shown(part // 1_000_000))
        for place, (_, tier, part) in enumerate(one.tiers, 1)
        if part
    ]
    if one.top_up:
        found.append(("Minimum guarantee tops up by", show(one.top_up)))
    if one.recouped_now:
        found.append(("Recouped from the advance", show(-one.recouped_now)))
    found.append(("Line of the licence", show(one.line)))
    return found


def percent_of(ppm: int) -> str:
    """A rate in per cent."""
    return f"{rate_text(ppm * 100)} %"


def short_address(address: str) -> str:
    """The start and the end of an address, for reading."""
    shown = checksum_address(address)
    return f"{shown[:8]}…{shown[-6:]}"


def unit_of(currencies: Iterable[Currency]) -> str:
    """The symbol for a column's head, where all its amounts are of one token; else empty."""
    found = {one.address: one.symbol for one in currencies}
    return next(iter(found.values())) if len(found) == 1 else ""


def amount_text(currency: Currency, units: int, unit: str) -> str:
    """An amount of a column: without its symbol where that stands in the column's head."""
    return currency.plain(units) if unit else currency.shown(units)


def sum_lines(one: RollUp) -> list[tuple[str, str, int]]:
    """Sign, name and amount of each term of the roll-up, the closing balance last."""
    return [
        ("", "Opening balance", one.opening),
        ("+", "Earned", one.earned),
        ("+", "Adjustments", one.adjustments),
        ("+", "Late interest", one.interest),
        ("−", "Recouped", one.recouped),
        ("−", "Paid", one.paid),
        ("=", "Closing balance, owed", one.closing),
    ]


def check_commands(statement: Statement) -> list[str]:
    """How to check it."""
    payee = statement.shown_payees[0] if statement.payees else "ADDRESS"
    return [
        f"licence-ledger explain {payee}",
        f"licence-ledger audit run --holder {payee} --anchor BLOCKHASH",
    ]
