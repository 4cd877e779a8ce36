"""What the demonstration ends with: who got what and why, and the sums that must agree."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.demo.datasets import NAME_VARIANTS, payee_of
from ledger.demo.opening import CLAIMING, Opening
from ledger.demo.stage import HOLDER
from ledger.demo.year import BLOCKED
from ledger.domain.conservation import Conservation, conservations
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down
from ledger.operations.books import Books


@dataclass(frozen=True, slots=True)
class HolderRow:
    """One rights holder: works in the catalogue, earned and paid in base units over all splits, and how it was paid."""

    name: str
    works: int
    earned: int
    paid: int
    how: str


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """One licence in base units: the lines' sum, what is owed in all (Y), what was paid and set off, what is open."""

    number: int
    title: str
    fee: int
    lines: int
    owed_in_all: int
    principal: int
    interest: int
    set_off: int
    open: int

    @property
    def agrees(self) -> bool:
        """Whether the lines sum to what is owed in all."""
        return self.lines == self.owed_in_all


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the demonstration shows at its end."""

    holders: tuple[HolderRow, ...]
    licences: tuple[LicenceRow, ...]
    splits: tuple[Conservation, ...]


def summarise(opening: Opening, held: Books) -> Summary:
    """The summary of the books."""
    titles = {
        opening.hybrid: "hybrid",
        opening.flat: "flat",
        opening.share: "revenue share",
        opening.pool: "by use",
    }
    rows = []
    for number, title in titles.items():
        principal, interest = held.paid(number)
        used = sum(event.entry["amount"] for event in held.of_licence[number] if event.name == "SetOffUsed")
        fee = next(event.entry["fee"] for event in held.of_licence[number] if event.name == "Accepted")
        still_open = sum(one.open for (licence, _), one in held.licences.periods.items() if licence == number)
        rows.append(
            LicenceRow(
                number,
                title,
                fee,
                sum(held.lines(number)),
                held.licences.owed_of(
                    held.licences.grants[number].terms,
                    held.licences.states[number].sum_a,
                    held.licences.states[number].sum_b,
                ),
                principal,
                interest,
                used,
                still_open,
            )
        )
    return Summary(_holders(opening, held), tuple(rows), tuple(conservations(held.splits)))


def _holders(opening: Opening, held: Books) -> tuple[HolderRow, ...]:
    """Every payee of every split, the most earned first; a bond that came back was not earned."""
    same = {name: group[0] for group in NAME_VARIANTS for name in group}
    works: dict[str, int] = {}
    for work in opening.datasets.works:
        for name in {same.get(creator, creator) for creator in work.creators}:
            works[name] = works.get(name, 0) + 1
    names = {payee_of(name): name for name in works} | {opening.stage.address(HOLDER): CLAIMING}
    earned: dict[str, int] = {}
    paid: dict[str, int] = {}
    book = held.splits
    bonds = {one.entry["splitId"] for one in held.events if one.name == "BondMoved" and one.entry["upheld"]}
    for (split_id, token), credited in book.cumulatives.items():
        if split_id in bonds:
            continue
        known = book.publications[split_id]
        for page, words in known.pages.items():
            for place, word in enumerate(words):
                payee, units = read_leaf(word)
                if units == 0:
                    continue
                name = names[payee]
                start = book.checkpoint(split_id, token, page * PAGE_SIZE + place)[1]
                total = known.split.total
                earned[name] = earned.get(name, 0) + entitled_down(credited, units, total)
                paid[name] = paid.get(name, 0) + entitled_down(start, units, total)
    how = {
        BLOCKED: "passed over while blocked, then retried",
        CLAIMING: "by page, and by claim to a new address",
    }
    rows = [
        HolderRow(name, works[name], earned[name], paid[name], how.get(name, "by page")) for name in earned
    ]
    return tuple(sorted(rows, key=lambda row: (-row.earned, row.name)))
