"""Duties that were not met, as facts that the entries prove: late reports, overdue lines, disputes out of time."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.findings import Duty
from ledger.audit.history import History, span_of
from ledger.audit.words import Scope
from ledger.domain.address import checksum_address
from ledger.domain.licence_types import ACTIVE
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down

#: A page that is owed money for longer than this is named.
_UNPAID_SECONDS = 90 * 86_400


def duties(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    """All of them, as of the anchor's time `now`."""
    yield from _reports(history, now, scope)
    yield from _lines(history, now, scope)
    yield from _disputes(history, now, scope)
    yield from _pages(history, now, scope)


def _reports(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    for late in history.late:
        if not scope.has_licence(late.licence):
            continue
        days = -(-(late.booked_at - late.report_by) // 86_400)
        who = "booked at zero by another" if late.by_other else "reported"
        yield Duty(
            "late report",
            f"licence {late.licence}, period {late.period}",
            f"{who} {days} days after its deadline",
            late.report_by,
            late.licence,
            late.period,
        )
    book = history.replay.licences
    for number, grant in book.grants.items():
        state = book.states[number]
        if not scope.has_licence(number) or grant.terms.period_months == 0:
            continue
        period = state.next_period
        while True:
            span = span_of(history.replay, number, period)
            if span.start >= span.end or span.report_by >= now:
                break
            yield Duty(
                "missing report",
                f"licence {number}, period {period}",
                "not reported, and its deadline has passed",
                span.report_by,
                number,
                period,
            )
            period += 1


def _lines(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    book = history.replay.licences
    for (number, period), state in book.periods.items():
        if not state.open or not scope.has_licence(number):
            continue
        span = span_of(history.replay, number, period)
        if now <= span.pay_by:
            continue
        yield Duty(
            "overdue line",
            f"licence {number}, period {period}",
            f"{state.open:,} base units are open after the payment date",
            span.pay_by,
            number,
            period,
            token=book.grants[number].terms.token,
            amount=state.open,
        )
    for number, state_of in book.states.items():
        running = state_of.status == ACTIVE and state_of.in_cure
        if running and now > state_of.cure_until and scope.has_licence(number):
            yield Duty(
                "breach not cured",
                f"licence {number}, period {state_of.cure_period}",
                "the time to cure has passed: the licensor may terminate",
                state_of.cure_until,
                number,
                state_of.cure_period,
            )


def _disputes(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    for (number, period), dispute in history.replay.licences.disputes.items():
        if dispute is not None and now > dispute.deadline and scope.has_licence(number):
            yield Duty(
                "dispute out of time",
                f"licence {number}, period {period}",
                "its deadline has passed: anyone may let the reported figures stand",
                dispute.deadline,
                number,
                period,
            )


def _pages(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    book = history.replay.splits
    for (split_id, token), credited in book.cumulatives.items():
        known = book.publications.get(split_id)
        since = history.credited_at.get((split_id, token), now)
        if known is None or not scope.has_split(split_id) or now - since < _UNPAID_SECONDS:
            continue
        for page, words in known.pages.items():
            if (split_id, token, page) in book.page_states or not scope.has_page(split_id, page):
                continue
            owed = 0
            for place, word in enumerate(words):
                _, units = read_leaf(word)
                _, start = book.checkpoint(split_id, token, page * PAGE_SIZE + place)
                total = known.split.total
                owed += entitled_down(credited, units, total) - entitled_down(start, units, total)
            if owed:
                yield Duty(
                    "page never paid",
                    f"split 0x{split_id.hex()}, page {page}, token {checksum_address(token)}",
                    f"{owed:,} base units wait for its payees",
                    since,
                    split=split_id,
                    token=token,
                    amount=owed,
                )
