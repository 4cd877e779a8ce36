"""The dates of a distributed period and what can be done about it now: the views of Distributions over the book."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.distribution_book import DistributionBook
from ledger.domain.distribution_money import Rules
from ledger.domain.distribution_types import (
    ARBITER_CHOOSES,
    CLOSE,
    DONE,
    EITHER_POSTS,
    FALL_BACK,
    HOLDERS_OBJECT,
    LICENSOR_POSTS,
    MAX_ROUNDS,
    NONE,
    NOTHING_YET,
    OPEN,
    RELEASE,
    SETTLE,
    Deadlines,
    Distribution,
    Outlook,
)


def deadlines_of(
    book: DistributionBook, licence: int, period: int, *, terms_hash: bytes | None = None
) -> Deadlines:
    """The dates of a period, as the licence's end now stands; they are final once the period is over."""
    return book._rules(licence, period, terms_hash).dates


def standing_split(
    book: DistributionBook, licence: int, period: int, *, terms_hash: bytes | None = None
) -> bytes:
    """The split in force at the period's start, or at acceptance where that is later."""
    rules = book._rules(licence, period, terms_hash)
    return book._standing(rules)


def outlook_of(
    book: DistributionBook,
    licence: int,
    period: int,
    rounds: Sequence[Distribution] | None = None,
    *,
    now: int,
    terms_hash: bytes | None = None,
) -> Outlook:
    """What can be done about a period at `now`; `rounds` None: the settled ones that the book knows."""
    rules = book._rules(licence, period, terms_hash)
    given = book.settled(licence, period) if rounds is None else rounds
    call = book._call("", licence, period, len(given), now)
    book._require_unsettled(call)
    waits, sweepable = book._waiting(call, rules.token, given)
    held = book._held(call)
    if held.stage == NONE:
        step, until = _later(rules, call.round, now, waits) if call.round else _first(rules, now, waits)
    else:
        closed = now > held.deadline
        until = 0 if closed else held.deadline
        steps = (SETTLE, HOLDERS_OBJECT) if held.stage == OPEN else (CLOSE, ARBITER_CHOOSES)
        step = steps[0] if closed else steps[1]
    return Outlook(call.round, held.stage, step, until, waits, sweepable)


def _first(rules: Rules, now: int, waits: int) -> tuple[int, int]:
    """Step and its last second while nothing was posted for round 0."""
    dates = rules.dates
    if now < dates.end:
        return NOTHING_YET, dates.end - 1
    if now <= dates.licensor_by:
        return LICENSOR_POSTS if waits else NOTHING_YET, dates.licensor_by
    if now <= dates.post_by:
        return EITHER_POSTS if waits else NOTHING_YET, dates.post_by
    if now <= dates.decided_by:
        return NOTHING_YET, dates.decided_by
    return FALL_BACK if waits else NOTHING_YET, 0


def _later(rules: Rules, number: int, now: int, waits: int) -> tuple[int, int]:
    """Step and its last second while nothing was posted for a later round."""
    windows = rules.dispute_window + rules.arbiter_window
    held_until = rules.dates.held_until
    if waits == 0:
        return DONE, 0
    if now > held_until:
        return RELEASE, 0
    if number < MAX_ROUNDS and now + windows <= held_until:
        return LICENSOR_POSTS, held_until - windows
    return NOTHING_YET, held_until
