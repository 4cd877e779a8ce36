"""Duties that were not met, as facts that the entries prove: reports, lines, disputes, credits, postings, pages."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.findings import Duty
from ledger.audit.history import History, span_of
from ledger.audit.words import Scope
from ledger.domain.address import checksum_address
from ledger.domain.attribution import OUTPUT_SCOPE
from ledger.domain.attribution_book import Batch
from ledger.domain.chain_terms import ATTRIBUTION_DUTIES
from ledger.domain.distribution_types import CLOSE, NONE, RELEASE, SETTLE
from ledger.domain.distribution_views import deadlines_of, outlook_of
from ledger.domain.licence_types import ACTIVE
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down

#: A page that is owed money for longer than this is named.
_UNPAID_SECONDS = 90 * 86_400
_PER_OUTPUT = ATTRIBUTION_DUTIES.index("PER_OUTPUT")


def duties(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    """All of them, as of the anchor's time `now`."""
    yield from _reports(history, now, scope)
    yield from _lines(history, now, scope)
    yield from _disputes(history, now, scope)
    yield from _credits(history, now, scope)
    yield from _distributions(history, now, scope)
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
            who=history.replay.licences.holders[late.licence],
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
                who=book.holders[number],
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
            who=book.holders[number],
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
                who=book.holders[number],
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


def _credits(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    """Where outputs are to be credited: the first period with revenue by whose report date none was."""
    book = history.replay.licences
    first: dict[int, int] = {}
    for one in history.replay.attributions.records.values():
        if isinstance(one.what, Batch):
            first[one.licence] = min(one.time, first.get(one.licence, one.time))
    for number, grant in book.grants.items():
        terms = grant.terms
        due = terms.attribution_duty >= _PER_OUTPUT and terms.scope & OUTPUT_SCOPE
        if not due or not scope.has_licence(number):
            continue
        for period in range(book.states[number].next_period):
            held, span = book.periods[number, period], span_of(history.replay, number, period)
            if span.report_by >= min(now, first.get(number, now)):
                break
            if held.base:
                what = f"revenue of {held.base:,} base units is booked, and no output is credited by its report date"
                yield Duty(
                    "missing credits",
                    f"licence {number}, period {period}",
                    what,
                    span.report_by,
                    number,
                    period,
                    token=terms.token,
                    who=book.holders[number],
                )
                break


def _distributions(history: History, now: int, scope: Scope) -> Iterator[Duty]:
    """Money that waits for its payees past a date, for want of a posting or of a call that anyone may make."""
    book, licences = history.replay.distributions, history.replay.licences
    for number, grant in licences.grants.items():
        if grant.terms.distributions != book.address or not scope.has_licence(number):
            continue
        owner = history.replay.catalogues.owner_of(grant.terms.catalogue)
        for period in range(licences.states[number].next_period):
            seen, dates = outlook_of(book, number, period, now=now), deadlines_of(book, number, period)
            if not seen.waits:
                continue
            deadline = book.round_of(number, period, seen.round).deadline
            unposted = seen.round == 0 and seen.stage == NONE and now > dates.licensor_by
            kind, what, since, who = {
                SETTLE: ("distribution not settled", "nobody objected: anyone may settle", deadline, None),
                CLOSE: ("objection not decided", "anyone may carry out the fallback", deadline, None),
                RELEASE: ("held money not released", "anyone may release it", dates.held_until, None),
            }.get(
                seen.step, ("no distribution posted", "the licensor posted nothing", dates.licensor_by, owner)
            )
            if seen.step in (SETTLE, CLOSE, RELEASE) or unposted:
                yield Duty(
                    kind,
                    f"licence {number}, period {period}",
                    f"{what}; {seen.waits:,} base units wait",
                    since,
                    number,
                    period,
                    token=grant.terms.token,
                    amount=seen.waits,
                    who=who,
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
                    f"published and credited, never paid: {owed:,} base units wait for its payees",
                    since,
                    split=split_id,
                    token=token,
                    amount=owed,
                )
