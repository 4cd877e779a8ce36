"""What an audit is asked to prove word by word: all, one licence, or one holder's leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.audit.findings import BookedPeriod, Holding, Verdict
from ledger.audit.history import History
from ledger.audit.words import ALL, Scope
from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError
from ledger.domain.merkle_sum import PAGE_SIZE

_LAST_TIME = 2**63


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to audit. `anchor`: a trusted block hash; without one the newest block, and nothing is anchored.

    `holder`, `licence`: narrow what is proved word by word (the journals are always folded whole). `since` and
    `until` (Unix seconds): narrow duties and transfers.
    """

    anchor: bytes | None = None
    holder: str | None = None
    licence: int | None = None
    since: int = 0
    until: int = _LAST_TIME
    transfers: bool = False
    first_block: int = 0


def scope_of(wanted: Wanted, history: History, verdict: Verdict) -> Scope:
    """What is proved word by word; fills in the holder's leaves. The verdict says what it covers."""
    if wanted.holder is None and wanted.licence is None:
        return ALL
    replay = history.replay
    if wanted.holder is None:
        number = wanted.licence or 0
        verdict.scope = f"licence {number}, its splits and its catalogue"
        splits = frozenset(history.destinations.get(number, ()))
        grant = replay.licences.grants.get(number)
        if grant is None and verdict.findings:
            verdict.scope = (
                f"nothing of licence {number}: the entries served, which are not all, tell of none"
            )
            return Scope(splits=frozenset(), licences=frozenset(), catalogues=frozenset(), payees=frozenset())
        if grant is None:
            raise LedgerError(f"There is no licence {number} at block {verdict.block}.")
        return Scope(
            splits=splits,
            licences=frozenset({number}),
            catalogues=frozenset({grant.terms.catalogue}),
            payees=frozenset(),
        )
    holder = wanted.holder
    found = list(leaves_of(history, holder))
    splits = frozenset(split_id for split_id, _, _ in found)
    for split_id, index, units in found:
        total = replay.splits.publications[split_id].split.total
        for of, token in replay.splits.cumulatives:
            if of == split_id:
                credited = replay.splits.cumulative(split_id, token)
                entitled = replay.splits.entitled(split_id, token, index)
                paid = replay.splits.paid_to(split_id, token, index)
                verdict.holdings.append(
                    Holding(split_id, token, index, units, total, credited, entitled, paid)
                )
    # Money of usage-weighted licences comes by way of accounts.
    sources = splits.union(*(history.moved_from.get(one, ()) for one in splits))
    licences = frozenset(
        number
        for number, where in history.destinations.items()
        if (where & sources) and wanted.licence in (None, number)
    )
    for number in sorted(licences):
        for period in range(replay.licences.states[number].next_period):
            held = replay.licences.periods[number, period]
            verdict.periods.append(BookedPeriod(number, period, held.base, held.open, held.version))
    verdict.scope = f"the leaves of {checksum_address(holder)}, and the licences that pay into their splits"
    return Scope(
        splits=splits,
        pages=frozenset((split_id, index // PAGE_SIZE) for split_id, index, _ in found),
        leaves=frozenset((split_id, index) for split_id, index, _ in found),
        licences=licences,
        catalogues=frozenset(replay.licences.grants[number].terms.catalogue for number in licences),
        payees=frozenset({holder}),
    )


def leaves_of(history: History, holder: str) -> Iterator[tuple[bytes, int, int]]:
    """Split, index and units of each published leaf of a holder."""
    wanted = bytes.fromhex(holder[2:])
    for split_id, known in history.replay.splits.publications.items():
        for page, words in known.pages.items():
            for place, word in enumerate(words):
                if word[:20] == wanted:
                    yield split_id, page * PAGE_SIZE + place, int.from_bytes(word[20:], "big")
