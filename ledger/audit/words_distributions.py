"""The words of Distributions: rounds, what they moved, objections under way."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.layout import Field, layout_of
from ledger.audit.words import ALL, Scope, Subject, Word
from ledger.domain.canonical import uint_word
from ledger.domain.distribution_book import DistributionBook
from ledger.domain.distribution_types import NONE, Round

#: contracts/distributions/DistributionStore.sol: commitment 208 | deadline 40 | flags 8.
_ROUND = (
    Field("stage", 0, 3),
    Field("posted by the licensee", 3, 1),
    Field("replaced", 4, 1),
    Field("chosen by the arbiter", 5, 1),
    Field("deadline", 8, 40),
    Field("commitment", 48, 208),
)


def distribution_words(book: DistributionBook, scope: Scope = ALL) -> Iterator[Word]:
    """All rounds of all periods, and one past the last of each."""
    layout = layout_of("Distributions")
    last: dict[tuple[int, int], int] = {}
    for licence, period, number in book.rounds:
        last[licence, period] = max(number, last.get((licence, period), 0))
    for (licence, period), highest in last.items():
        if not scope.has_licence(licence) or not scope.has_period(licence, period):
            continue
        salt = book.licences.salt_of(licence, period)
        for number in range(highest + 2):
            held = book.rounds.get((licence, period, number)) or Round()
            where = f"licence {licence}, period {period}, distribution {number}"
            words = (
                ("_rounds", uint_word(_packed(held)), _ROUND),
                ("_moved", uint_word(held.moved), (Field("moved", 0, 256),)),
                ("_objections", held.objection_hash, (Field("objection", 0, 256),)),
            )
            for label, expected, fields in words:
                slot = layout.slot(label, salt, number)
                subject = Subject(licence=licence, period=period)
                yield Word("distributions", where, "Distributions", slot, expected, fields, subject)


def _packed(held: Round) -> int:
    if held.stage == NONE:
        return 0
    flags = held.stage | held.by_licensee << 3 | held.replaced << 4 | held.by_arbiter << 5
    return int.from_bytes(held.commitment, "big") | held.deadline << 8 | flags
