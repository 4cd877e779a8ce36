"""P-02 over the model of Splits: per split and token, credited = paid + owed + residue."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down
from ledger.domain.split_book import SplitBook


@dataclass(frozen=True, slots=True)
class Conservation:
    """P-02 for one split and token: credited = paid + owed + residue, residue < leaves with units."""

    split_id: bytes
    token: str
    credited: int
    paid: int
    owed: int
    residue: int
    leaves: int

    @property
    def holds(self) -> bool:
        """Whether nothing is missing and nothing is too much."""
        return self.credited == self.paid + self.owed + self.residue and 0 <= self.residue < self.leaves


def conservation(book: SplitBook, split_id: bytes, token: str) -> Conservation:
    """The sums of one published split and token, over every leaf."""
    known = book.publications[split_id]
    credited = book.cumulative(split_id, token)
    total = known.split.total
    entitled = owed = leaves = 0
    for page, words in known.pages.items():
        for place, word in enumerate(words):
            _, units = read_leaf(word)
            if units == 0:
                continue
            leaves += 1
            right = entitled_down(credited, units, total)
            _, start = book.checkpoint(split_id, token, page * PAGE_SIZE + place)
            entitled += right
            owed += right - entitled_down(start, units, total)
    paid = book.paid.get((split_id, token), 0)
    return Conservation(split_id, token, credited, paid, owed, credited - entitled, leaves)


def conservations(book: SplitBook) -> list[Conservation]:
    """The sums of every published split and token that was ever credited."""
    return [conservation(book, *key) for key in book.cumulatives if book.is_published(key[0])]


def liabilities(book: SplitBook) -> dict[str, int]:
    """P-01: per token, the least that Splits must hold: all credits less payouts, and all accounts."""
    held: dict[str, int] = {}
    for (split_id, token), credited in book.cumulatives.items():
        held[token] = held.get(token, 0) + credited - book.paid.get((split_id, token), 0)
    for (_, token), waiting in book.accounts.items():
        held[token] = held.get(token, 0) + waiting
    return held
