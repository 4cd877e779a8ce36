"""Replays the journals of all contracts through the model, in the order of the chain.

Every entry must be what the model records by itself when the same caller does the same at the same time;
money that Licences says it moved must stand in the journal of Splits. What differs raises AuditFailed.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ledger.domain.attribution_book import AttributionBook
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS
from ledger.domain.catalogue_book import CatalogueBook, Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.distribution_replay import DistributionReplay
from ledger.domain.entry_compare import same_entry
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.domain.journal import Entry, RawLog, decode_entry, fold
from ledger.domain.licence_book import LicenceBook
from ledger.domain.licence_types import MISSING, REPORTED, RESTATED, Figures
from ledger.domain.split_book import SplitBook
from ledger.domain.split_replay import SplitReplay
from ledger.domain.split_types import account_id

CONTRACTS = ("Splits", "Catalogues", "Licences", "Distributions", "Attributions")


class _Arrivals:
    """Credits that Licences made arrive at Splits and that no entry of Licences has explained yet.

    One credit may pay several reports of one call, in their order: what one leaves counts for the next.
    Tokens that bring more than they were asked for leave a rest that explains nothing; it is dropped with
    its block.
    """

    def __init__(self) -> None:
        self._waiting: deque[list[Any]] = deque()  # entry, what is left of it, its block
        #: Whether the entry that is replayed takes all that arrived.
        self.whole = False

    def arrive(self, entry: Entry, block: int) -> None:
        """Notes a credit."""
        self._drop_rests()
        self._waiting.append([entry, entry["amount"], block])

    def any(self, block: int) -> bool:
        """Whether money of this block waits to be explained."""
        if self._waiting and self._waiting[0][2] != block:
            self._drop_rests()
        return bool(self._waiting)

    def unexplained(self) -> bool:
        """Whether a credit was not touched at all."""
        self._drop_rests()
        return bool(self._waiting)

    def credit(self, payer: str, split_id: bytes, token: str, amount: int) -> int:
        """To a split."""
        return self._take("Credited", split_id, token, amount)

    def fund(self, payer: str, controller: str, salt: bytes, token: str, amount: int) -> int:
        """To an account."""
        return self._take("AccountFunded", account_id(controller, salt), token, amount)

    def _drop_rests(self) -> None:
        while self._waiting and self._waiting[0][1] < self._waiting[0][0]["amount"]:
            self._waiting.popleft()

    def _take(self, name: str, where: bytes, token: str, amount: int) -> int:
        if self.whole:
            self._drop_rests()
        if self._waiting:
            first = self._waiting[0]
            entry, left, _ = first
            if (entry.name, entry.id, entry["token"]) == (name, where, token):
                taken = int(left if self.whole else min(amount, left))
                first[1] = left - taken
                if first[1] == 0:
                    self._waiting.popleft()
                return taken
        raise AuditFailed(
            "Licences tells of a payment that Splits has not received.", where=f"{name} 0x{where.hex()}"
        )


class Replay:
    """The books, filled from raw logs; `heads` are the folds so far."""

    def __init__(
        self, *, splits: str, licences: str, chain_id: int, distributions: str = ZERO_ADDRESS
    ) -> None:
        self.splits = SplitBook(splits)
        self.catalogues = CatalogueBook(self.splits.is_published)
        self._arrivals = _Arrivals()
        self.licences = LicenceBook(self.catalogues, self._arrivals, address=licences, chain_id=chain_id)
        self.heads: dict[str, bytes] = dict.fromkeys(CONTRACTS, ZERO32)
        self.counts: dict[str, int] = dict.fromkeys(CONTRACTS, 0)
        self._split_replay = SplitReplay(self.splits)
        self._distribution_replay = DistributionReplay(
            self.splits, self.licences, self.catalogues, distributions
        )
        self.distributions = self._distribution_replay.book
        self.attributions = AttributionBook(self.licences)
        self._early: list[Entry] = []
        self._expected: deque[Entry] = deque()

    @property
    def unproved(self) -> list[Entry]:
        """Payouts of splits that nobody published."""
        return self._split_replay.unproved

    def feed(self, contract: str, log: RawLog) -> Entry:
        """Folds and applies one log; logs come in the order of the chain, those of all contracts together."""
        entry = decode_entry(contract, log)
        try:
            if contract == "Splits":
                if entry.caller == self.distributions.address:
                    self._distribution_replay.splits_entry(entry, log)
                self._split_replay.apply(entry)
                if entry.caller == self.licences.address and entry.name in ("Credited", "AccountFunded"):
                    self._arrivals.arrive(entry, log.block_number)
            elif contract == "Catalogues":
                same_entry(entry, self._catalogue_call(entry, log.timestamp))
            elif contract == "Distributions":
                self._distribution_replay.apply(entry, log)
            elif contract == "Attributions":
                same_entry(entry, self.attributions.apply(entry, log.timestamp))
            else:
                self._licence_entry(entry, log)
        except LedgerError as error:
            if isinstance(error, AuditFailed) and error.where.startswith("block"):
                raise
            place = f"block {log.block_number}, {contract} {entry.name} 0x{entry.id.hex()}"
            raise AuditFailed(
                error.what, where=place, why=error.why or error.where, remedy=error.remedy
            ) from error
        self.heads[contract] = fold(self.heads[contract], log)
        self.counts[contract] += 1
        return entry

    def finish(self) -> None:
        """Raises AuditFailed if something is still expected, or money was moved that no entry explains."""
        left = [*self._early, *self._expected]
        if left:
            raise AuditFailed(f"The journal of Licences ends early: {left[0].name} has no counterpart.")
        if self._arrivals.unexplained():
            raise AuditFailed("Splits received money from Licences that no entry of Licences explains.")
        self._distribution_replay.finish()

    # Catalogues

    def _catalogue_call(self, entry: Entry, now: int) -> list[Entry]:
        book, caller, number = self.catalogues, entry.caller, entry.number
        match entry.name:
            case "CatalogueCreated":
                settings = Settings(
                    works_root=entry["worksRoot"],
                    file_hash=entry["fileHash"],
                    arbiter=entry["arbiter"],
                    notice=entry["notice"],
                    dispute_window=entry["disputeWindow"],
                    arbiter_window=entry["arbiterWindow"],
                    uri=entry["uri"],
                )
                return book.create(caller, settings)
            case "ManifestReplaced":
                return book.replace_manifest(
                    caller, number, entry["worksRoot"], entry["fileHash"], entry["uri"]
                )
            case "SplitAnnounced":
                return book.announce(caller, number, entry["splitId"], now)
            case "OwnershipOffered":
                return book.offer_ownership(caller, number, entry["pendingOwner"])
            case _:
                return book.accept_ownership(caller, number)

    # Licences

    def _licence_entry(self, entry: Entry, log: RawLog) -> None:
        if self._expected:
            same_entry(entry, [self._expected.popleft()])
            return
        if entry.name == "SetOffUsed":
            self._early.append(entry)
            return
        self._arrivals.whole = entry.name != "Booked"
        made = self._licence_call(entry, log)
        told = [*self._early, entry]
        self._early = []
        for one, model in zip(told, made, strict=False):
            same_entry(one, [model])
        if len(told) > len(made):
            same_entry(told[len(made)], [])
        self._expected.extend(made[len(told) :])

    def _licence_call(self, entry: Entry, log: RawLog) -> list[Entry]:
        book, caller, number, now = self.licences, entry.caller, entry.number, log.timestamp
        match entry.name:
            case "Offered":
                terms = ChainTerms.decode(entry["terms"])
                return book.offer(
                    caller, terms, Offer(entry["nonce"], entry["deadline"], entry["uri"]), now=now
                )
            case "NonceCancelled":
                return book.cancel_nonce(caller, entry["nonce"])
            case "Accepted":
                # The deadline of a signed offer, and its signature, are known to the acceptance alone.
                return book.accept_known(
                    caller,
                    ChainTerms.decode(entry["terms"]),
                    digest=entry["offerId"],
                    nonce=entry["nonce"],
                    uri=entry["uri"],
                    now=now,
                )
            case "Booked":
                return self._booking(entry, log)
            case "Paid":
                return self._payment(entry, now)
            case "Objected":
                return book.object(caller, number, _figures(entry, entry["version"]), now=now)
            case "ArbiterCalled":
                return book.call_arbiter(caller, number, entry["period"], now=now)
            case "Settled":
                return book.settle(caller, number, entry["period"], accepted=entry["accepted"], now=now)
            case "NoticeGiven":
                return book.give_notice(caller, number, entry["period"], now=now)
            case "Terminated":
                return book.terminate(caller, number, now=now)
            case "Expired":
                return book.expire(caller, number, now=now)
            case "Moved":
                return book.move(caller, number, entry["from"], entry["to"], approved=True)
            case _:
                raise AuditFailed(f"{entry.name} stands where the model expects no such entry.")

    def _booking(self, entry: Entry, log: RawLog) -> list[Entry]:
        book, caller, number, now = self.licences, entry.caller, entry.number, log.timestamp
        if entry["kind"] == REPORTED:
            paid = entry["paid"] > 0 or self._arrivals.any(log.block_number)
            return book.report(caller, number, _figures(entry, 0), pay_now=paid, now=now)
        if entry["kind"] == MISSING:
            return book.book_missing(caller, number, entry["period"], now=now)
        if entry["kind"] == RESTATED:
            return book.restate(caller, number, _figures(entry, entry["version"] - 1), now=now)
        raise AuditFailed("Figures were settled without a dispute.")

    def _payment(self, entry: Entry, now: int) -> list[Entry]:
        book, number, period = self.licences, entry.number, entry["period"]
        state = book.periods.get((number, period))
        return book.pay(
            entry.caller,
            number,
            period,
            version=state.version if state else 0,
            believed_open=state.open if state else 0,
            amount=entry["interest"] + entry["principal"],
            now=now,
        )


def _figures(entry: Entry, version: int) -> Figures:
    return Figures(
        entry["period"],
        entry["gross"],
        entry["deductions"],
        version=version,
        report_hash=entry["reportHash"],
    )
