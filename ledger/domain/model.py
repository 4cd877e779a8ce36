"""The three books as one ledger: what the contracts do together, for simulations and differential tests."""

from __future__ import annotations

from collections.abc import Callable

from ledger.domain.catalogue_book import CatalogueBook
from ledger.domain.journal import Entry
from ledger.domain.licence_book import LicenceBook
from ledger.domain.split_book import SplitBook
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


class Ledger:
    """Splits, Catalogues and Licences that know each other as the contracts do; a call is all or nothing.

    `pulled` collects the entries of Splits that calls of Licences cause; callers may clear it.
    """

    def __init__(
        self,
        *,
        splits: str = "0x" + "51" * 20,
        licences: str = "0x" + "11" * 20,
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
