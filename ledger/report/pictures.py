"""What the plots of a statement show: how splits divide, and one report from gross revenue to the payout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.domain.address import checksum_address
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.split_types import Publication
from ledger.report.columns import divide
from ledger.report.statement import (
    ADJUSTED,
    ROYALTY,
    Bar,
    Currency,
    Flow,
    FlowStep,
    Row,
    SplitBars,
    WorkShare,
)

_BARS = 6
_SPLITS = 2
#: Works that page and paper name; the tables name all.
WORKS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class WorkSum:
    """What a share of a work brought the holder, before recoupment and payouts, in base units."""

    work: WorkShare
    currency: Currency
    amount: int


def work_sums(rows: Iterable[Row]) -> list[WorkSum]:
    """The holder's works, the most earned first."""
    sums: dict[tuple[str, str, str, str], WorkSum] = {}
    for row in rows:
        if row.split_by is None:
            continue
        gross = row.earned + row.adjustment + row.interest
        for work, part in zip(row.works, divide(gross, [one.weight for one in row.works]), strict=True):
            key = (work.work, work.right_type, work.holder, row.currency.address)
            before = sums[key].amount if key in sums else 0
            sums[key] = WorkSum(work, row.currency, before + part)
    return sorted(sums.values(), key=lambda one: (-one.amount, one.work.work, one.work.right_type))


def split_bars_of(
    rows: Iterable[Row],
    publications: Mapping[bytes, Publication],
    names: Mapping[str, str],
    payees: Iterable[str],
) -> tuple[SplitBars, ...]:
    """The splits that brought the most, at most three, each with its largest payees and the holder."""
    brought: dict[bytes, int] = {}
    licences: dict[bytes, list[int]] = {}
    for row in rows:
        if not row.split_id or row.split_id not in publications or not row.total:
            continue
        brought[row.split_id] = brought.get(row.split_id, 0) + max(0, row.net)
        if row.licence is not None and row.licence not in licences.setdefault(row.split_id, []):
            licences[row.split_id].append(row.licence)
    order = sorted(brought, key=lambda one: (-brought[one], one))[:_SPLITS]
    own = set(payees)
    return tuple(_bars(one, publications[one], licences.get(one, []), names, own) for one in order)


def _bars(
    split_id: bytes, known: Publication, licences: list[int], names: Mapping[str, str], own: set[str]
) -> SplitBars:
    leaves: list[tuple[int, int, str]] = []
    for page, words in known.pages.items():
        for place, word in enumerate(words):
            payee, units = read_leaf(word)
            if units:
                leaves.append((-units, page * PAGE_SIZE + place, payee))
    leaves.sort()
    shown = [one for one in leaves if one[2] in own]
    shown += [one for one in leaves if one[2] not in own][: max(1, _BARS - len(shown))]
    shown.sort()
    bars = [Bar(names.get(payee) or _short(payee), -units, payee in own) for units, _, payee in shown]
    rest, others = known.split.total - sum(bar.units for bar in bars), len(leaves) - len(bars)
    if others:
        bars.append(Bar(f"{others:,} more payees" if others > 1 else "1 more payee", rest, False, others))
    return SplitBars(split_id, known.split.total, tuple(sorted(licences)), tuple(bars))


def _short(payee: str) -> str:
    shown = checksum_address(payee)
    return f"{shown[:8]}…{shown[-6:]}"


def flow_of(rows: Iterable[Row]) -> tuple[Flow, ...]:
    """The report that brought the holder the most in the statement, as steps; none where no report did."""
    best: Row | None = None
    for row in rows:
        if row.kind not in (ROYALTY, ADJUSTED) or row.booking is None or row.booking.gross is None:
            continue
        # A restatement's line is a difference: its figures are no way from gross to payout.
        if row.booking.version != 1 or row.net <= 0:
            continue
        if best is None or row.net > best.net:
            best = row
    return (_flow(best),) if best is not None else ()


def _flow(row: Row) -> Flow:
    one = row.booking
    assert one is not None
    gross, base = one.gross or 0, one.base
    earned = one.royalty_now - one.top_up_now
    first = [
        FlowStep("Gross revenue", gross, True),
        *_less("Deductions", gross - base),
        *([FlowStep("Net revenue", base, True)] if gross != base else []),
        FlowStep("Kept by the licensee", earned - base, False),
        FlowStep("Royalty by the rates", earned, True),
    ]
    if one.top_up_now:
        first += [
            FlowStep("Up to the guarantee", one.top_up_now, False),
            FlowStep("Royalty", one.royalty_now, True),
        ]
    cut = one.royalty_now - one.recouped_now - one.line
    second = [
        FlowStep("Royalty", one.royalty_now, True),
        *_less("Against the advance", one.recouped_now),
        *_less("Above the cap", cut),
    ]
    if len(second) > 1:
        second.append(FlowStep("Line", one.line, True))
    before, after = row.cumulative
    into = after - before
    set_off = sum(piece.amount for piece in one.set_off)
    weighted = row.event is not None and row.event.name == "AccountMoved"
    second += _less("Set off", set_off)
    if weighted:
        change = into - (one.line - set_off)
        second += [FlowStep("Held, late or earlier" if change else "", change, False)] if change else []
    else:
        second += _less("Paid at other times", one.line - set_off - into)
    if len(second) > 1 and not second[-1].is_sum:
        second.append(FlowStep("Into the split", into, True))
    second += [*_less("Other payees", into - row.net), FlowStep("Your part", row.net, True)]
    return Flow(row, tuple(first), tuple(second))


def _less(what: str, amount: int) -> list[FlowStep]:
    return [FlowStep(what, -amount, False)] if amount else []
