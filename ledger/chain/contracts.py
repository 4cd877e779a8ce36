"""The ledger's contracts as Python sees them: each act becomes a Request, each view a value. Amounts are base units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ledger.chain.attributions import Attributions
from ledger.chain.contract import Contract, figures_value, leaf_value, run_value, split_value, value_or_raise
from ledger.chain.deploy import require_ledger
from ledger.chain.distributions import Distributions
from ledger.chain.reader import Reader
from ledger.chain.requests import Request
from ledger.chain.rpc import Rpc
from ledger.chain.signing import Signer
from ledger.chain.tokens import Permit, Token
from ledger.domain.canonical import keccak256, uint_word
from ledger.domain.chain_terms import Offer, domain_separator
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import PAGE_SIZE, Split
from ledger.domain.replay import CONTRACTS
from ledger.domain.split_types import Leaf, PagePayout, Run, leaves_hash

GAS_EACH = 100_000
NO_PERMIT = Permit(0, 0, 0, bytes(32), bytes(32))


class Splits(Contract):
    """ISplits: publication, credits, payouts by page, claims."""

    def publish(self, split: Split, runs: Sequence[Run]) -> Request:
        """Publishes the pages of runs of a split."""
        pages = sum(-(-len(run.words) // PAGE_SIZE) for run in runs)
        note = f"publish {pages} pages of split 0x{split.id.hex()[:8]}"
        return self.request("publish", split_value(split), list(map(run_value, runs)), note=note)

    def credit(self, split_id: bytes, token: str, amount: int, *, occasion: str) -> Request:
        """Credits a published split out of the sender's allowance to Splits."""
        note = f"credit split 0x{split_id.hex()[:8]}"
        return self.request("credit", split_id, token, amount, note=note, occasion=occasion)

    def pay_pages(
        self,
        split: Split,
        token: str,
        pages: Sequence[PagePayout],
        *,
        occasion: str,
        gas_each: int = GAS_EACH,
        gas: int | None = None,
    ) -> Request:
        """Pays pages. `occasion`: say the cumulative and the exceptions that the payout is for.

        The gas limit is by default `page_gas`: what a payout uses says too little of what it needs at hand.
        """
        if gas is None:
            gas = page_gas(sum(any(word) for page in pages for word in page.words), gas_each)
        payouts = [(one.page, one.retry, list(one.words), list(one.siblings)) for one in pages]
        note = f"pay {len(pages)} pages of split 0x{split.id.hex()[:8]}"
        return self.request(
            "payPages", split_value(split), token, gas_each, payouts, note=note, occasion=occasion, gas=gas
        )

    def claim(self, leaves: Sequence[Leaf], *, occasion: str) -> Request:
        """Pays leaves to their payees. Anyone may send it."""
        return self.request(
            "claim", list(map(leaf_value, leaves)), note=f"claim {len(leaves)} leaves", occasion=occasion
        )

    def claim_to(self, leaves: Sequence[Leaf], to: str, *, occasion: str) -> Request:
        """Pays the sender's own leaves to another address."""
        return self.request(
            "claimTo",
            list(map(leaf_value, leaves)),
            to,
            note=f"claim {len(leaves)} leaves to {to}",
            occasion=occasion,
        )

    def sign_claim(self, signer: Signer, leaves: Sequence[Leaf], to: str, nonce: int, deadline: int) -> bytes:
        """The payee's signature that lets anyone send a claim to `to` (ISplits.claimBySignature)."""
        kind = keccak256(b"ClaimTo(bytes32 leavesHash,address to,uint256 nonce,uint256 deadline)")
        struct = keccak256(
            kind
            + leaves_hash(leaves)
            + bytes(12)
            + bytes.fromhex(to[2:])
            + uint_word(nonce)
            + uint_word(deadline)
        )
        separator = domain_separator("Splits", self.reader.rpc.chain_id, self.address)
        return signer.sign_digest(keccak256(b"\x19\x01" + separator + struct))

    def claim_by_signature(
        self, leaves: Sequence[Leaf], payee: str, to: str, nonce: int, deadline: int, *, signature: bytes
    ) -> Request:
        """Pays the payee's leaves to `to` by its signature."""
        arguments = (list(map(leaf_value, leaves)), payee, to, nonce, deadline, signature)
        return self.request(
            "claimBySignature", *arguments, note=f"claim {len(leaves)} leaves of {payee} to {to}"
        )

    def set_standing_address(self, to: str, *, occasion: str) -> Request:
        """Names the address to which claims by anyone go."""
        return self.request("setStandingAddress", to, note=f"let claims go to {to}", occasion=occasion)

    def place_leaves(self, leaves: Sequence[Leaf], *, out: bool, occasion: str) -> Request:
        """Takes the sender's leaves out of their pages, or puts them back."""
        note = f"{'take out' if out else 'put back'} {len(leaves)} leaves"
        return self.request("placeLeaves", list(map(leaf_value, leaves)), out, note=note, occasion=occasion)

    def cancel_claim_nonce(self, nonce: int) -> Request:
        """Uses up the sender's next claim nonce, `nonce`."""
        return self.request("cancelClaimNonce", note="withdraw signed claims", occasion=str(nonce))

    def page_states(self, split_id: bytes, token: str, pages: Sequence[int]) -> list[tuple[int, int]]:
        """Of each page: the cumulative at its last payout, the bitmap of exceptions. Raises LedgerError."""
        held = self.views("pageState", [(split_id, token, page) for page in pages])
        return [(one.paidUpTo, one.exceptions) for one in map(value_or_raise, held)]

    def owed(self, leaves: Sequence[Leaf]) -> list[int]:
        """What a claim of each leaf would pay now. Raises LedgerError."""
        return [
            int(value_or_raise(one)) for one in self.views("owed", [(leaf_value(leaf),) for leaf in leaves])
        ]


def page_gas(transfers: int, gas_each: int = GAS_EACH) -> int:
    """A gas limit for a page with so many transfers that none is refused for want of gas (a bound, not an
    estimate).
    """
    return min(16_777_216, 400_000 + transfers * 35_000 + gas_each * 65 // 63)


class Catalogues(Contract):
    """ICatalogues: manifests and the dated list of splits."""

    def create(self, settings: Mapping[str, Any], *, occasion: str) -> Request:
        """Creates a catalogue; `settings` has the fields of ICatalogues.Settings by their Solidity names."""
        return self.request("create", dict(settings), note="create a catalogue", occasion=occasion)

    def created(self, logs: Sequence[Mapping[str, Any]]) -> int:
        """The number of the catalogue that a transaction created, from its logs."""
        topic = "0x" + self.abi.events["CatalogueCreated"].topic.hex()
        return next(int(one["topics"][1], 16) for one in logs if one["topics"][0] == topic)

    def announce(self, catalogue: int, split_id: bytes, *, occasion: str = "") -> Request:
        """Announces a published split."""
        note = f"announce split 0x{split_id.hex()[:8]} for catalogue {catalogue}"
        return self.request("announce", catalogue, split_id, note=note, occasion=occasion)

    def publish_and_announce(
        self, catalogue: int, split: Split, runs: Sequence[Run], *, occasion: str = ""
    ) -> Request:
        """Publishes the pages of runs of a split and announces it."""
        note = f"publish and announce split 0x{split.id.hex()[:8]} for catalogue {catalogue}"
        return self.request(
            "publishAndAnnounce",
            catalogue,
            split_value(split),
            list(map(run_value, runs)),
            note=note,
            occasion=occasion,
        )


class Licences(Contract):
    """ILicences: the grants, reports and payments. `terms` are the bytes of ChainTerms.encode()."""

    def offer(self, terms: bytes, what: Offer) -> Request:
        """Puts an offer on chain."""
        note = f"offer a licence, nonce {what.nonce}"
        return self.request("offer", terms, (what.nonce, what.deadline, what.uri), note=note)

    def accept(
        self, terms: bytes, what: Offer, *, signature: bytes = b"", permit: Permit = NO_PERMIT
    ) -> Request:
        """Accepts an offer; without a signature it must be on chain."""
        offer = (what.nonce, what.deadline, what.uri)
        return self.request("accept", terms, offer, signature, tuple(permit), note="accept a licence")

    def accepted(self, logs: Sequence[Mapping[str, Any]]) -> int:
        """The number of the licence that a transaction granted, from its logs."""
        topic = "0x" + self.abi.events["Accepted"].topic.hex()
        return next(int(one["topics"][1], 16) for one in logs if one["topics"][0] == topic)

    def report(
        self, licence: int, terms: bytes, figures: Figures, *, pay_now: bool, gas: int | None = None
    ) -> Request:
        """Reports the next period."""
        note = f"report period {figures.period} of licence {licence}"
        return self.request("report", licence, terms, figures_value(figures), pay_now, note=note, gas=gas)

    def report_many(
        self, licence: int, terms: bytes, figures: Sequence[Figures], *, pay_now: bool, gas: int | None = None
    ) -> Request:
        """Reports several periods in order."""
        note = f"report periods {figures[0].period} to {figures[-1].period} of licence {licence}"
        return self.request(
            "reportMany", licence, terms, list(map(figures_value, figures)), pay_now, note=note, gas=gas
        )

    def book_missing(self, licence: int, terms: bytes, period: int) -> Request:
        """Books a missing period at zero."""
        note = f"book period {period} of licence {licence} at zero"
        return self.request("bookMissing", licence, terms, period, note=note)

    def restate(self, licence: int, terms: bytes, figures: Figures) -> Request:
        """Replaces figures by others that do not lower the base."""
        note = f"restate period {figures.period} of licence {licence}"
        return self.request("restate", licence, terms, figures_value(figures), note=note)

    def pay(
        self, licence: int, terms: bytes, period: int, *, version: int, believed_open: int, amount: int
    ) -> Request:
        """Pays what is open for a period, interest first."""
        note = f"pay period {period} of licence {licence}"
        return self.request("pay", licence, terms, period, version, believed_open, amount, note=note)

    def object(self, licence: int, terms: bytes, figures: Figures) -> Request:
        """Proposes other figures."""
        note = f"propose other figures for period {figures.period} of licence {licence}"
        return self.request("object", licence, terms, figures_value(figures), note=note)

    def settle(self, licence: int, terms: bytes, period: int, accepted: bool, *, occasion: str) -> Request:
        """Ends a dispute."""
        note = f"settle the dispute over period {period} of licence {licence}"
        return self.request("settle", licence, terms, period, accepted, note=note, occasion=occasion)

    def act(self, function: str, licence: int, terms: bytes, *arguments: Any, occasion: str = "") -> Request:
        """callArbiter, giveNotice, terminate, expire: what takes licence, terms and little else."""
        note = f"{function} for licence {licence}"
        return self.request(function, licence, terms, *arguments, note=note, occasion=occasion)

    def state(self, licence: int) -> Any:
        """ILicences.State, as a named tuple."""
        return self.view("stateOf", licence)

    def periods(self, licence: int, periods: Sequence[int]) -> list[Any]:
        """ILicences.Period of each period, as named tuples. Raises LedgerError."""
        return [
            value_or_raise(one) for one in self.views("periodOf", [(licence, period) for period in periods])
        ]


class LicenceViews(Contract):
    """ILicenceViews: what is due now, and why. Ask at block "pending": `latest` may answer for the last
    block's time.
    """

    def due(self, licence: int, terms: bytes, period: int, *, block: str = "pending") -> Any:
        """ILicenceViews.Due, as a named tuple."""
        return self.view("dueOf", licence, terms, period, block=block)

    def quote(
        self, licence: int, terms: bytes, figures: Figures, *, block: str = "pending"
    ) -> tuple[int, int]:
        """The line that the figures would book now, and what would be set off against it."""
        held = self.view("quote", licence, terms, figures_value(figures), block=block)
        return held.line, held.setOff


class Ledger:
    """The ledger on one chain."""

    def __init__(self, rpc: Rpc, addresses: Mapping[str, str] | None = None) -> None:
        """Without addresses those of the packaged contracts, their code checked. Raises LedgerError."""
        self.rpc = rpc
        self.addresses = dict(addresses) if addresses is not None else require_ledger(rpc)
        self.reader = Reader(rpc)
        self.splits = Splits("Splits", self.addresses["Splits"], self.reader)
        self.catalogues = Catalogues("Catalogues", self.addresses["Catalogues"], self.reader)
        self.licences = Licences("Licences", self.addresses["Licences"], self.reader)
        self.views = LicenceViews("LicenceViews", self.addresses["LicenceViews"], self.reader)

    @cached_property
    def distributions(self) -> Distributions:
        """IDistributions."""
        return Distributions("Distributions", self.addresses["Distributions"], self.reader)

    @cached_property
    def attributions(self) -> Attributions:
        """IAttributions."""
        return Attributions("Attributions", self.addresses["Attributions"], self.reader)

    @property
    def journal_addresses(self) -> dict[str, str]:
        """The contracts that keep a journal, by name."""
        return {name: self.addresses[name] for name in CONTRACTS}

    def token(self, address: str) -> Token:
        """An ERC-20 on this chain."""
        return Token(address, self.reader)
