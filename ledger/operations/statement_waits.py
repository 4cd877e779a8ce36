"""What waits for a rights holder outside the balance: held by a distribution, or without a payee in a manifest."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.domain.text import clean
from ledger.operations.books import Books
from ledger.operations.statement_facts import Facts, Named, identifiers_text
from ledger.report.statement import (
    HELD_BACK,
    NO_PAYEE,
    STATUS_HELD,
    STATUS_UNMATCHED,
    Period,
    Row,
    WorkShare,
)


def waiting_rows(books: Books, facts: Facts, named: Named, period: Period) -> Iterator[Row]:
    """Rows of no net amount: `held` tells base units that a distribution keeps for the holder's works; a share
    without a payee in the manifest of a split that was credited in the period is `unmatched`.
    """
    yield from _held(books, facts, named, period)
    yield from _unmatched(books, facts, named, period)


def _held(books: Books, facts: Facts, named: Named, period: Period) -> Iterator[Row]:
    settled = [one for one in books.events if one.contract == "Distributions" and one.name == "Settled"]
    # What a period held may have been distributed since: its last round tells what is still held.
    last = {(one.entry.number, one.entry["period"]): one for one in settled}
    for event in last.values():
        if event.time < period.start:
            continue
        found = facts.distributions.get(event.entry["splitId"])
        if found is None:
            continue
        for one in found.rows:
            if one.state != STATUS_HELD or clean(one.holder) != named.name or not one.units:
                continue
            yield Row(
                HELD_BACK,
                event.time,
                facts.currency(event.entry["token"]),
                "",
                licence=event.entry.number,
                period=event.entry["period"],
                split_id=found.split_id,
                status=STATUS_HELD,
                event=event,
                held=one.units,
                works=(facts.work_share(found, one),),
            )


def _unmatched(books: Books, facts: Facts, named: Named, period: Period) -> Iterator[Row]:
    seen: set[bytes] = set()
    for event in books.events:
        if event.contract != "Splits" or event.name != "Credited" or event.time < period.start:
            continue
        manifest = facts.by_split.get(event.entry.id)
        if manifest is None or event.entry.id in seen:
            continue
        seen.add(event.entry.id)
        for work in manifest.works:
            for share in work.shares:
                if share.payee is not None or clean(share.holder) != named.name:
                    continue
                yield Row(
                    NO_PAYEE,
                    event.time,
                    facts.currency(event.entry["token"]),
                    "",
                    split_id=event.entry.id,
                    status=STATUS_UNMATCHED,
                    event=event,
                    works=(
                        WorkShare(
                            clean(work.id),
                            clean(work.title),
                            identifiers_text(work),
                            clean(share.right_type),
                            clean(share.holder),
                            share.ppm,
                            0,
                        ),
                    ),
                )
