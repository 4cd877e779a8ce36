"""Every figure that Distributions holds, as the replayed books say it should be: rounds, dates, what stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from ledger.chain.contracts import Ledger
from ledger.domain.distribution_types import Round
from ledger.domain.distribution_views import deadlines_of, standing_split
from ledger.domain.reverts import Revert
from ledger.operations.books import Books
from ledger.operations.verify_figures import Figure

_ROUND = (
    *("stage", "byLicensee", "replaced", "byArbiter"),
    *("deadline", "commitment", "objection", "moved"),
)


def distribution_figures(books: Books, ledger: Ledger) -> Iterator[Figure]:
    """The figures of every period of the licences whose money goes through Distributions."""
    book, contract = books.distributions, ledger.distributions
    for number, grant in books.licences.grants.items():
        if grant.terms.distributions != book.address or grant.terms.period_months == 0:
            continue
        terms = grant.terms.encode()
        # One period past the last, so that a round without an entry is seen.
        for period in range(books.licences.states[number].next_period + 1):
            where = f"licence {number}, period {period}"
            key = (number, period)
            for place in range(len(book.settled(*key)) + 2):
                told = _round(book.round_of(*key, place))
                yield Figure(
                    "distribution rounds",
                    f"{where}, round {place}",
                    contract,
                    "roundOf",
                    (*key, place),
                    told,
                    _ROUND,
                )
            stood = book.last_stood(*key)
            names = ("found", "lastPeriod")
            yield Figure("distribution rounds", where, contract, "lastStood", key, stood, names)
            try:
                dates = astuple(deadlines_of(book, *key))
                split_id = standing_split(book, *key)
            except Revert:
                continue  # the licence ended before this period
            yield Figure("distribution dates", where, contract, "deadlinesOf", (number, terms, period), dates)
            yield Figure(
                "distribution dates",
                f"{where}, standing split",
                contract,
                "standingSplit",
                (number, terms, period),
                split_id,
            )


def _round(held: Round) -> tuple[Any, ...]:
    return (
        held.stage,
        held.by_licensee,
        held.replaced,
        held.by_arbiter,
        held.deadline,
        held.commitment,
        held.objection_hash,
        held.moved,
    )
