"""The columns of a statement (FORMATS) and the cells of its rows, with a line for each work where works are known.

Cells are text: amounts as decimal strings in the row's token, shares as decimals rounded down, days in UTC. Of the
columns from Earned to CarriedForward each is the rights holder's own part; GrossRevenue, Deductions and NetRevenue
are those of the whole report, and stand on every line that came from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ledger.domain.address import checksum_address
from ledger.domain.calendar import DAY
from ledger.domain.royalty import PPM
from ledger.domain.terms_fields import format_time
from ledger.report.statement import (
    BOND,
    FEE,
    GIFT,
    HELD_BACK,
    LATE,
    NO_PAYEE,
    OPENING,
    PAYOUT,
    Row,
    Statement,
    WorkShare,
)

COLUMNS: tuple[str, ...] = (
    "StatementId",
    "PeriodStart",
    "PeriodEnd",
    "RightsHolderId",
    "Payee",
    "LicenceId",
    "Licensee",
    "Service",
    "UseType",
    "Territory",
    "WorkId",
    "Identifier",
    "Title",
    "RightType",
    "Model",
    "Units",
    "UnitType",
    "GrossRevenue",
    "Deductions",
    "NetRevenue",
    "RoyaltyRate",
    "TierApplied",
    "SplitId",
    "SplitShare",
    "AttributionWeightPpm",
    "HolderShare",
    "Earned",
    "MinimumGuaranteeTopUp",
    "RecoupmentApplied",
    "AdvanceBalanceAfter",
    "PriorPeriodAdjustment",
    "AdjustsPeriod",
    "LateInterest",
    "NetPayable",
    "CarriedForward",
    "Currency",
    "Status",
    "ReportId",
    "ReportHash",
    "Proof",
    "TxHash",
    "BlockNumber",
    "LogIndex",
)
#: What stands in UseType of rows that are no use of a work.
USE_TYPES = {
    OPENING: "aill::OpeningBalance",
    FEE: "aill::UpfrontFee",
    LATE: "aill::LateInterest",
    GIFT: "aill::OtherCredit",
    BOND: "aill::Bond",
    PAYOUT: "aill::Payout",
}
_SHARE_DIGITS = 12
#: What makes a spreadsheet take a cell for a formula, wide forms included.
_FORMULA = "=+-@\t\r\n|\uff1d\uff0b\uff0d\uff20"
#: A formula after what divides cells where a comma is the decimal sign.
_DIVIDED = re.compile(rf"(;[\s\"]*)(?=[{re.escape(_FORMULA)}])")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def cells_of(statement: Statement) -> Iterator[dict[str, str]]:
    """The lines of a statement: one a row, or one a work of a row, the row's amounts divided without a rest."""
    for row in statement.rows:
        common = _common(statement, row)
        if not row.works:
            yield common | _amounts(row, _money(row))
            continue
        for work, amounts in zip(row.works, _by_work(row), strict=True):
            yield common | _work(work) | _amounts(row, amounts)


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: anything but a plain number gets an apostrophe before it, and so
    does what would be one if the file were divided at semicolons.
    """
    text = _DIVIDED.sub(r"\1'", text)
    if text.lstrip()[:1] and text.lstrip()[0] in _FORMULA and not _NUMBER.fullmatch(text):
        return "'" + text
    return "'" + text if text[:1] in ("\t", "\r", "\n") else text


def first_day(time: int) -> str:
    """A start: its day, or the time where it is not midnight."""
    return format_time(time)[:10] if time % DAY == 0 else format_time(time)


def last_day(time: int) -> str:
    """The end of a period, given as the first second after it: its last day; a time with T is that first second."""
    return format_time(time - DAY)[:10] if time % DAY == 0 and time >= DAY else format_time(time)


def share_text(part: int, whole: int) -> str:
    """A part of a whole as a decimal, rounded down after twelve digits."""
    scaled = part * 10**_SHARE_DIGITS // whole
    text = f"{scaled // 10**_SHARE_DIGITS}.{scaled % 10**_SHARE_DIGITS:0{_SHARE_DIGITS}d}"
    return text.rstrip("0").rstrip(".")


def rate_text(ppm: int) -> str:
    """A rate of parts per million as a decimal."""
    return share_text(ppm, PPM)


def divide(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts by weight that sum to it: rounded towards zero, the rest to the largest remainders."""
    whole = sum(weights)
    sign = -1 if amount < 0 else 1
    parts = [abs(amount) * weight // whole for weight in weights]
    rest = abs(amount) - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (-(abs(amount) * weights[i] % whole), i))
    for place in order[:rest]:
        parts[place] += 1
    return [sign * part for part in parts]


_MONEY = ("earned", "top_up", "recouped", "adjustment", "interest", "carried")


def _money(row: Row) -> dict[str, int]:
    return {name: getattr(row, name) for name in (*_MONEY, "net")}


def _by_work(row: Row) -> list[dict[str, int]]:
    """The row's amounts by work; each work's net follows from its own parts."""
    if row.split_by is None:
        return [dict.fromkeys((*_MONEY, "net"), 0) for _ in row.works]
    weights = [work.weight for work in row.works]
    divided = {name: divide(getattr(row, name), weights) for name in _MONEY}
    nets = divide(row.net, weights)
    found = []
    for place in range(len(weights)):
        one = {name: parts[place] for name, parts in divided.items()}
        one["net"] = nets[place]
        # Rounding each column for itself may leave a unit between them: the column that the row is about takes it.
        gap = one["net"] - (one["earned"] + one["adjustment"] + one["interest"] - one["recouped"])
        one["earned" if row.earned else "adjustment" if row.adjustment else "interest"] += gap
        if one["carried"] and row.carried == row.net:
            one["carried"] = one["net"]
        found.append(one)
    return found


def _common(statement: Statement, row: Row) -> dict[str, str]:
    facts = statement.licences.get(row.licence) if row.licence is not None else None
    start, end = row.period_start, row.period_end
    if not end:
        start, end = statement.period.start, statement.period.end
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {
        "StatementId": statement.id,
        "PeriodStart": first_day(start),
        "PeriodEnd": last_day(end),
        "RightsHolderId": statement.holder,
        "Payee": checksum_address(row.payee) if row.payee else "",
        "UseType": USE_TYPES.get(row.kind, "|".join(facts.use_types) if facts else ""),
        "Currency": row.currency.symbol,
        "Status": row.status,
    }
    if facts is not None:
        cells |= {
            "LicenceId": str(facts.number),
            "Licensee": checksum_address(facts.licensee),
            "Service": facts.service,
            "Territory": facts.territory,
            "Model": facts.model,
        }
    if row.split_id:
        cells["SplitId"] = "0x" + row.split_id.hex()
        if row.total:
            cells["SplitShare"] = share_text(row.units, row.total)
    cells |= _report_cells(row)
    event = row.event
    if event is not None:
        cells |= {
            "TxHash": "0x" + event.transaction.hex(),
            "BlockNumber": str(event.block),
            "LogIndex": str(event.log_index),
        }
    cells["Proof"] = proof_text(row)
    return cells


def _report_cells(row: Row) -> dict[str, str]:
    booking, currency = row.booking, row.currency
    if booking is None:
        return {}
    cells = {"ReportId": row.report, "ReportHash": "0x" + booking.report_hash.hex()}
    if booking.gross is not None:
        cells["GrossRevenue"] = currency.decimal(booking.gross)
        cells["Deductions"] = currency.decimal(booking.gross - booking.base)
    cells["NetRevenue"] = currency.decimal(booking.base)
    used = [(place, tier) for place, (_, tier, part) in enumerate(booking.tiers, 1) if part]
    cells["RoyaltyRate"] = "|".join(rate_text(tier.rate_ppm) for _, tier in used)
    cells["TierApplied"] = "|".join(str(place) for place, _ in used)
    return cells


def proof_text(row: Row) -> str:
    """What anyone needs to work the part out: leaf, units, and the split's cumulative credits before and after.

    part = floor(to × units / of) − floor(from × units / of).
    """
    if row.kind == PAYOUT:
        return f"leaf={row.index};to={checksum_address(row.paid_to)};by={'page' if row.by_page else 'claim'}"
    if not row.total or row.kind in (HELD_BACK, NO_PAYEE):
        return ""
    before, after = row.cumulative
    return f"leaf={row.index};units={row.units};of={row.total};from={before};to={after}"


def _work(work: WorkShare) -> dict[str, str]:
    cells = {
        "RightsHolderId": work.holder,
        "WorkId": work.work,
        "Title": work.title,
        "Identifier": work.identifier,
        "RightType": work.right_type,
        "HolderShare": rate_text(work.share_ppm),
    }
    if work.usages is not None:
        cells |= {"Units": str(work.usages), "UnitType": "usages"}
    if work.credit_ppm is not None:
        cells["AttributionWeightPpm"] = str(work.credit_ppm)
    return cells


def _amounts(row: Row, money: dict[str, int]) -> dict[str, str]:
    """The holder's own amounts; an amount that the row is not about stays empty, NetPayable never."""
    show = row.currency.decimal
    cells = {"NetPayable": show(money["net"]), "CarriedForward": show(money["carried"])}
    if row.kind not in (OPENING, PAYOUT):
        cells |= {
            "Earned": show(money["earned"]),
            "MinimumGuaranteeTopUp": show(money["top_up"]),
            "RecoupmentApplied": show(money["recouped"]),
            "PriorPeriodAdjustment": show(money["adjustment"]),
            "LateInterest": show(money["interest"]),
        }
    if row.advance_left is not None:
        cells["AdvanceBalanceAfter"] = show(row.advance_left)
    if row.adjusts:
        cells["AdjustsPeriod"] = "|".join(str(one) for one in row.adjusts)
    if row.kind == HELD_BACK:
        # No part of the balance: it goes to nobody before the holder has a payee.
        cells["Earned"] = show(row.held)
    return cells
