"""Our licences: accepted, reported, paid, restated. The terms are a hybrid's, with all that they can hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from benchmarks.gas.chain import GENESIS_TIME, Chain, Contract
from benchmarks.gas.splits import CATALOGUE, UNLIMITED, Figures, Ledger, content, pages, split_of
from ledger.chain.reader import Reader
from ledger.chain.signing import Signer
from ledger.chain.tokens import Token
from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.chain_terms import ChainTerms, Offer, offer_id
from ledger.domain.royalty import NO_LIMIT, Tier

DAY = 86_400
#: The second day of February and March 2026, and of February 2027.
FEBRUARY, MARCH, NEXT_YEAR = (GENESIS_TIME + days * DAY for days in (32, 60, 397))
DOLLAR = 1_000_000
OFFER_DEADLINE = GENESIS_TIME + 30 * DAY
URI = "ipfs://bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
#: Payees of the catalogue's split; what a report costs does not depend on it.
PAYEES = 1_000

#: A tenth of a month's revenue up to a million dollars, 15 % beyond, at least 5,000; the fee is recouped.
HYBRID = ChainTerms(
    document=keccak256(b"terms document of the benchmark"),
    works_root=keccak256(b"works of the benchmark"),
    catalogue=1,
    licensee=ZERO_ADDRESS,
    token=ZERO_ADDRESS,
    scope=0b0001000111,
    exclusive=0,
    start=GENESIS_TIME,
    end=GENESIS_TIME + 1826 * DAY,
    transferable=False,
    upfront_fee=10_000 * DOLLAR,
    advance=True,
    tiers_over_life=False,
    deduction_cap_ppm=150_000,
    guarantee=5_000 * DOLLAR,
    cap=100_000_000 * DOLLAR,
    late_rate_ppm=80_000,
    grace_days=10,
    period_months=1,
    days_to_report=45,
    days_to_pay=60,
    cure_days=30,
    attribution_duty=1,
    distributions=ZERO_ADDRESS,
    model=bytes(32),
    attributor=ZERO_ADDRESS,
    tiers=(Tier(1_000_000 * DOLLAR, 100_000), Tier(NO_LIMIT, 150_000)),
)


@dataclass
class Grants:
    """A catalogue whose owner signs offers, and the licences granted so far."""

    chain: Chain
    ledger: Ledger
    licensor: Signer
    granted: int = 0
    terms: dict[int, bytes] = field(default_factory=dict)
    holders: dict[int, str] = field(default_factory=dict)

    @property
    def licences(self) -> Contract:
        """Licences."""
        return self.ledger.contracts["Licences"]

    def accept(self, terms: ChainTerms, licensee: Signer, *, permit: bool) -> int:
        """The gas of an acceptance by the licensor's signature, the fee paid by permit or by allowance."""
        offer = Offer(nonce=self.granted, deadline=OFFER_DEADLINE, uri=URI)
        digest = offer_id(terms, offer, chain_id=self.chain.rpc.chain_id, licences=self.licences.address)
        signed = NO_PERMIT
        if permit:
            token = Token(terms.token, Reader(self.chain.rpc))
            signed = token.sign_permit(licensee, self.licences.address, terms.upfront_fee, OFFER_DEADLINE)
        call = self.licences.accept(
            terms.encode(),
            (offer.nonce, offer.deadline, offer.uri),
            self.licensor.sign_digest(digest),
            tuple(signed),
        )
        gas = self.chain.gas(call, licensee.address)
        self.granted += 1
        self.terms[self.granted] = terms.encode()
        self.holders[self.granted] = licensee.address
        return gas

    def report(self, licence: int, period: int, *, pay: bool = True) -> int:
        """The gas of one report."""
        return self._send(licence, "report", figures(period), pay)

    def report_many(self, licence: int, first: int, count: int) -> int:
        """The gas of several, all paid at once."""
        return self._send(licence, "reportMany", [figures(first + k) for k in range(count)], True)

    def _send(self, licence: int, function: str, *arguments: object) -> int:
        call = getattr(self.licences, function)(licence, self.terms[licence], *arguments)
        return self.chain.gas(call, self.holders[licence])

    def restate(self, licence: int, period: int) -> int:
        """The gas of a restatement that raises the base; its line is left open."""
        return self._send(licence, "restate", figures(period, version=1, gross=1_350_000 * DOLLAR))

    def pay_later(self, licence: int, period: int, version: int) -> int:
        """The gas of paying all that is open of a period."""
        view = self.licences.artefact.abi.function("periodOf")
        state = view.decode(self.chain.rpc.eth_call(self.licences.address, view.encode(licence, period)))
        return self._send(licence, "pay", period, version, state.open, state.open)


def figures(period: int, *, version: int = 0, gross: int = 1_200_000 * DOLLAR) -> tuple[object, ...]:
    """ILicences.Figures: odd amounts, so that no word is mostly zero by accident."""
    digest = keccak256(f"report {period} {version}".encode())
    return period, version, gross + 123_457 * period + 1, 20_000 * DOLLAR + 7, 300_000 * DOLLAR, digest


def measure(chain: Chain) -> Figures:
    """Every figure of this module."""
    ledger = Ledger.on(chain)
    grants = Grants(chain, ledger, chain.signer("licensor"))
    tree = split_of("catalogue", PAYEES)
    chain.gas(ledger.catalogues.create(CATALOGUE), grants.licensor.address)
    announce = ledger.catalogues.publishAndAnnounce(1, content(tree), pages(tree))
    chain.gas(announce, grants.licensor.address)
    return {**acceptance(grants), **reports(grants)}


def acceptance(grants: Grants) -> Figures:
    """Acceptances by signature: by permit in the dollar that has one, by allowance in the common token."""
    chain, ledger = grants.chain, grants.ledger
    found: Figures = {}
    dollar = ledger.contracts["TestDollar"]
    by_permit = replace(HYBRID, token=dollar.address)
    for which in ("first of a catalogue", "later"):
        licensee = chain.signer(f"licensee by permit, {which}")
        chain.gas(dollar.mint(licensee.address, 10**15))
        found[f"accept by signature and permit: {which}"] = grants.accept(by_permit, licensee, permit=True)
    by_allowance = replace(HYBRID, token=ledger.token.address)
    # Twelve months may be reported together only where nothing is due before the year's end.
    yearly = replace(by_allowance, days_to_report=380, days_to_pay=400)
    for number, terms in enumerate([by_allowance, by_allowance, by_allowance, yearly, yearly]):
        licensee = chain.signer(f"licensee {number}")
        chain.gas(ledger.token.transfer(licensee.address, 10**18))
        chain.gas(ledger.token.approve(grants.licences.address, UNLIMITED), licensee.address)
        found["accept by signature and allowance: later"] = grants.accept(terms, licensee, permit=False)
    return found


def reports(grants: Grants) -> Figures:
    """Reports of the licences 3 to 7, which acceptance left without any."""
    chain = grants.chain
    monthly, unpaid, late, one, twelve = 3, 4, 5, 6, 7
    chain.advance_to(FEBRUARY)
    found = {"report paid at once: first of a licence": grants.report(monthly, 0)}
    for licence in (unpaid, late, one, twelve):
        grants.report(licence, 0)
    chain.advance_to(MARCH)
    found["report paid at once: later"] = grants.report(monthly, 1)
    found["report left open: later"] = grants.report(unpaid, 1, pay=False)
    found["restate upwards"] = grants.restate(unpaid, 1)
    found["pay later: on time"] = grants.pay_later(unpaid, 1, 2)
    chain.advance_to(NEXT_YEAR)
    found["report paid at once: late, with interest"] = grants.report(late, 1)
    found["report left open: late"] = grants.report(late, 2, pay=False)
    found["pay later: late, with interest"] = grants.pay_later(late, 2, 1)
    found["book missing"] = chain.gas(
        grants.licences.bookMissing(late, grants.terms[late], 3), chain.accounts[4]
    )
    found["reportMany of 1"] = grants.report_many(one, 1, 1)
    found["reportMany of 12"] = grants.report_many(twelve, 1, 12)
    return found
