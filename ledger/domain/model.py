"""The books as one ledger: what the contracts do together, for simulations and differential tests."""

from __future__ import annotations

from collections.abc import Callable

from ledger.domain.attribution_book import AttributionBook
from ledger.domain.catalogue_book import CatalogueBook
from ledger.domain.distribution_book import DistributionBook
from ledger.domain.journal import Entry
from ledger.domain.licence_book import LicenceBook
from ledger.domain.merkle_sum import Split
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import Run, account_id
from ledger.domain.undo import Undo

#: What arrives when a payer is asked for an amount of a token: payer, token, amount.
Arrives = Callable[[str, str, int], int]


def all_of_it(payer: str, token: str, amount: int) -> int:
    """A token that moves exactly what it says."""
    return amount


class _IntoSplits:
    """Money of licences, credited to the model of Splits by callback."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def credit(self, payer: str, split_id: bytes, token: str, amount: int) -> int:
        arrived = self._ledger.arrives(payer, token, amount)
        caller = self._ledger.licences.address
        self._ledger.pulled += self._ledger.splits.credit_by_callback(caller, split_id, token, arrived)
        return arrived

    def fund(self, payer: str, controller: str, salt: bytes, token: str, amount: int) -> int:
        arrived = self._ledger.arrives(payer, token, amount)
        caller = self._ledger.licences.address
        self._ledger.pulled += self._ledger.splits.fund_account(caller, controller, salt, token, arrived)
        return arrived


class _AccountsOfDistributions:
    """Splits as Distributions uses it: accounts, bonds, splits of one leaf."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def is_published(self, split_id: bytes) -> bool:
        return self._ledger.splits.is_published(split_id)

    def balance(self, salt: bytes, token: str) -> int:
        return self._ledger.splits.account_balance(account_id(self._address, salt), token)

    def fund(self, payer: str, salt: bytes, token: str, amount: int) -> tuple[int, list[Entry]]:
        arrived = self._ledger.arrives(payer, token, amount)
        address = self._address
        return arrived, self._ledger.splits.fund_account(address, address, salt, token, arrived)

    def move(self, salt: bytes, token: str, split_id: bytes, amount: int) -> list[Entry]:
        return self._ledger.splits.move_account(self._address, salt, token, split_id, amount)

    def publish(self, leaf: bytes) -> list[Entry]:
        return self._ledger.splits.publish(self._address, Split(leaf, 1, 0), [Run(0, [leaf], [])])

    @property
    def _address(self) -> str:
        return self._ledger.distributions.address


class Ledger:
    """All contracts, which know each other as on the chain; a call is all or nothing.

    `pulled` collects the entries of Splits that calls of Licences cause; callers may clear it. Those that a call of
    Distributions causes stand in `distributions.told`.
    """

    def __init__(
        self,
        *,
        splits: str = "0x" + "51" * 20,
        licences: str = "0x" + "11" * 20,
        distributions: str = "0x" + "d1" * 20,
        chain_id: int = 31337,
        arrives: Arrives = all_of_it,
    ) -> None:
        undo = Undo()
        self.arrives = arrives
        self.pulled: list[Entry] = []
        self.splits = SplitBook(splits, undo)
        self.catalogues = CatalogueBook(self.splits.is_published, undo)
        self.licences = LicenceBook(
            self.catalogues, _IntoSplits(self), address=licences, chain_id=chain_id, undo=undo
        )
        self.distributions = DistributionBook(
            self.licences,
            self.catalogues,
            _AccountsOfDistributions(self),
            address=distributions,
            undo=undo,
        )
        self.attributions = AttributionBook(self.licences, undo)
