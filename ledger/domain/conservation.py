"""P-02 over the models: per split and token, credited = paid + owed + residue; per account,
funded = moved + waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.distribution_book import DistributionBook
from ledger.domain.distribution_types import bond_salt
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import account_id


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


@dataclass(frozen=True, slots=True)
class AccountSum:
    """P-02 for the account of a licence's period: all that arrived = what its rounds have moved + what waits."""

    licence: int
    period: int
    account: bytes
    token: str
    funded: int
    moved: int
    waiting: int

    @property
    def holds(self) -> bool:
        """Whether nothing is missing and nothing is too much."""
        return self.funded == self.moved + self.waiting


def account_sums(splits: SplitBook, book: DistributionBook) -> list[AccountSum]:
    """The sums of every period that is distributed and was ever paid.

    `moved` is what the rounds tell; a period's bonds have accounts of their own, which an objection empties whole.
    """
    sums = []
    for licence, grant in book.licences.grants.items():
        if grant.terms.distributions != book.address:
            continue
        token = grant.terms.token
        for period in range(book.licences.states[licence].next_period):
            account = account_id(book.address, book.licences.salt_of(licence, period))
            if (account, token) not in splits.funded:
                continue
            rounds = range(len(book.settled(licence, period)))
            moved = sum(book.round_of(licence, period, number).moved_in_all for number in rounds)
            waiting = splits.account_balance(account, token)
            sums.append(
                AccountSum(licence, period, account, token, splits.funded[account, token], moved, waiting)
            )
    return sums


def short_bonds(splits: SplitBook, book: DistributionBook) -> list[tuple[int, int, int, int]]:
    """Licence, period, round and bond of every objection under way whose account holds less than its bond."""
    short = []
    for (licence, period, number), held in book.rounds.items():
        if held.objection is None or held.what is None:
            continue
        account = account_id(book.address, bond_salt(book.licences.salt_of(licence, period), number))
        if splits.account_balance(account, held.what.token) < held.objection.bond:
            short.append((licence, period, number, held.objection.bond))
    return short


def liabilities(book: SplitBook) -> dict[str, int]:
    """P-01: per token, the least that Splits must hold: all credits less payouts, and all accounts."""
    held: dict[str, int] = {}
    for (split_id, token), credited in book.cumulatives.items():
        held[token] = held.get(token, 0) + credited - book.paid.get((split_id, token), 0)
    for (_, token), waiting in book.accounts.items():
        held[token] = held.get(token, 0) + waiting
    return held
