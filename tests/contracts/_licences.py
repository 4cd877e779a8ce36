"""What the tests of Licences share: the four contracts on one chain, terms, offers, grants, signatures."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass, field
from typing import Any

from _mini import Chain, Contract, account, keccak, leaf, split_id, tree
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data

DAY = 86_400
YEAR = 365 * DAY
MAX = 2**256 - 1
FIGURE = 2**104
ZERO = "0x" + "00" * 20
TOP = 2**128 - 1
LICENSOR_KEY, LICENSEE_KEY = keccak(b"licensor"), keccak(b"licensee")
LICENSOR: str = Account.from_key(LICENSOR_KEY).address.lower()
LICENSEE: str = Account.from_key(LICENSEE_KEY).address.lower()
ARBITER, STRANGER, BUYER = account(30), account(31), account(32)
DISPUTE_WINDOW, ARBITER_WINDOW, NOTICE = 7 * DAY, 14 * DAY, 30 * DAY
NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
USD = 10**6
TERMS_TYPE = (
    "(bytes32,bytes32,uint256,address,address,uint16,uint16,uint40,uint40,bool,uint128,bool,bool,uint32,uint128,"
    "uint128,uint32,uint16,uint8,uint16,uint16,uint16,uint8,address,bytes32,address,"
    "(uint128,uint32)[])"
)
# Position of a field in ILicences.Terms, which Licences_BadTerms names.
FIELDS = [
    *("document", "works_root", "catalogue", "licensee", "token", "scope", "exclusive", "start", "end"),
    *(
        "transferable",
        "upfront_fee",
        "advance",
        "over_life",
        "deduction_cap",
        "guarantee",
        "cap",
        "late_rate",
    ),
    *("grace_days", "period_months", "days_to_report", "days_to_pay", "cure_days", "attribution_duty"),
    *("distributions", "model", "attributor", "tiers"),
]


def utc(year: int, month: int, day: int = 1) -> int:
    """Midnight UTC as Unix seconds."""
    return int(datetime.datetime(year, month, day, tzinfo=datetime.UTC).timestamp())


START = utc(2025, 7)


def month(number: int) -> int:
    """Start of the calendar month `number` after July 2025."""
    return utc(2025 + (6 + number) // 12, (6 + number) % 12 + 1)


def interest_of(principal: int, rate_ppm: int, seconds: int) -> int:
    """Simple interest, floored."""
    return principal * rate_ppm * seconds // (10**6 * YEAR)


@dataclass
class World:
    """The four contracts and a dollar; one catalogue of LICENSOR with a split in force."""

    chain: Any = field(default_factory=Chain)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.bytes: dict[int, bytes] = {}
        self.splits: Contract = self.chain.deploy("Splits")
        self.catalogues: Contract = self.chain.deploy("Catalogues", self.splits.address)
        self.licences: Contract = self.chain.deploy("Licences", self.splits.address, self.catalogues.address)
        self.views: Contract = self.chain.deploy("LicenceViews", self.licences.address)
        self.dollar: Contract = self.chain.deploy("TestDollar")
        self.fund(self.dollar, LICENSEE)
        self.catalogue = self.create()
        self.split = self.announce()

    def fund(self, token: Contract, holder: str) -> None:
        """Gives the holder money, and Licences its allowance."""
        token.mint(holder, 10**30)
        token.approve(self.licences.address, MAX, sender=holder)

    def create(self, arbiter: str = ARBITER) -> int:
        """A catalogue of LICENSOR without a split."""
        settings = (
            keccak(b"works"),
            keccak(b"file"),
            arbiter,
            NOTICE,
            DISPUTE_WINDOW,
            ARBITER_WINDOW,
            "ipfs://m",
        )
        self.catalogues.create(settings, sender=LICENSOR)
        return int(self.catalogues.count())

    def announce(self, catalogue: int | None = None) -> bytes:
        """Publishes and announces a new split of three payees."""
        number = next(self._numbers)
        split, words = tree([leaf(account(100 + index), 1000 * number + index + 1) for index in range(3)])
        pages = [(0, words, [])]
        self.catalogues.publishAndAnnounce(
            self.catalogue if catalogue is None else catalogue, split, pages, sender=LICENSOR
        )
        return split_id(split)

    # Terms and offers

    def terms(self, **changes: Any) -> bytes:
        """Monthly terms with one tier of 10 %, changed as told."""
        values: dict[str, Any] = {
            "document": keccak(b"document"),
            "works_root": keccak(b"works"),
            "catalogue": self.catalogue,
            "licensee": LICENSEE,
            "token": self.dollar.address,
            "scope": 0b101,
            "exclusive": 0,
            "start": START,
            "end": 0,
            "transferable": True,
            "upfront_fee": 0,
            "advance": False,
            "over_life": False,
            "deduction_cap": 200_000,
            "guarantee": 0,
            "cap": 0,
            "late_rate": 100_000,
            "grace_days": 5,
            "period_months": 1,
            "days_to_report": 20,
            "days_to_pay": 30,
            "cure_days": 10,
            "attribution_duty": 0,
            "distributions": ZERO,
            "model": bytes(32),
            "attributor": ZERO,
            "tiers": [(TOP, 100_000)],
        }
        unknown = changes.keys() - values.keys()
        assert not unknown, unknown
        return encode([TERMS_TYPE], [tuple({**values, **changes}.values())])

    def what(self, deadline: int | None = None, nonce: int | None = None) -> tuple[int, int, str]:
        """An Offer with a fresh nonce."""
        return (
            next(self._numbers) if nonce is None else nonce,
            deadline or self.chain.time + DAY,
            "ipfs://terms",
        )

    def sign(
        self, terms: bytes, what: tuple[int, int, str], key: bytes = LICENSOR_KEY, **domain: Any
    ) -> bytes:
        """The EIP-712 signature of an offer."""
        fields = (
            "bytes32 termsHash,address token,uint256 upfrontFee,uint256 nonce,uint256 deadline,string uri"
        )
        types = [{"type": part.split()[0], "name": part.split()[1]} for part in fields.split(",")]
        message = {
            "termsHash": keccak(terms),
            "token": "0x" + terms[160 + 12 : 192].hex(),
            "upfrontFee": int.from_bytes(terms[32 * 11 : 32 * 12], "big"),
            "nonce": what[0],
            "deadline": what[1],
            "uri": what[2],
        }
        domain = {
            "name": "Licences",
            "version": "1",
            "chainId": self._chain_id,
            "verifyingContract": self.licences.address,
            **domain,
        }
        signable = encode_typed_data(domain_data=domain, message_types={"Offer": types}, message_data=message)
        return bytes(Account.sign_message(signable, key).signature)

    @property
    def _chain_id(self) -> int:
        return self.chain.chain_id if hasattr(self.chain, "chain_id") else 1

    def permit(self, value: int) -> tuple[int, int, int, bytes, bytes]:
        """LICENSEE's EIP-2612 permit of dollars to Licences."""
        deadline = self.chain.time + 1000
        fields = "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"
        types = [{"type": part.split()[0], "name": part.split()[1]} for part in fields.split(",")]
        message = {
            "owner": LICENSEE,
            "spender": self.licences.address,
            "value": value,
            "nonce": int(self.dollar.nonces(LICENSEE)),
            "deadline": deadline,
        }
        domain = {
            "name": "Test Dollar (test chains only)",
            "version": "1",
            "chainId": self._chain_id,
            "verifyingContract": self.dollar.address,
        }
        signable = encode_typed_data(
            domain_data=domain, message_types={"Permit": types}, message_data=message
        )
        signed = Account.sign_message(signable, LICENSEE_KEY)
        return value, deadline, signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")

    def accept(self, terms: bytes, *, by: str = LICENSEE, signed: bool = False) -> int:
        """Offers these terms, on chain or by signature, and accepts them."""
        what = self.what()
        signature = self.sign(terms, what) if signed else b""
        if not signed:
            self.licences.offer(terms, what, sender=LICENSOR)
        self.licences.accept(terms, what, signature, NO_PERMIT, sender=by)
        licence = int(self.licences.count())
        self.bytes[licence] = terms
        return licence

    def grant(self, **changes: Any) -> int:
        """A licence with the terms of `terms`."""
        return self.accept(self.terms(**changes))

    # Time and figures

    def at(self, time: int) -> None:
        """Moves the clock to this second."""
        assert time >= self.chain.time, "the clock only goes forward"
        if time > self.chain.time:
            self.chain.move(time - self.chain.time)

    def report(self, licence: int, period: int, gross: int, *, pay: bool = False, **more: Any) -> int:
        """Reports a period."""
        return int(
            self.licences.report(
                licence, self.bytes[licence], figures(period, gross, **more), pay, sender=LICENSEE
            )
        )

    def restate(self, licence: int, period: int, gross: int, version: int = 1, **more: Any) -> int:
        """Restates a period."""
        given = figures(period, gross, version=version, **more)
        return int(self.licences.restate(licence, self.bytes[licence], given, sender=LICENSEE))

    def object(self, licence: int, period: int, gross: int, version: int = 1, by: str = LICENSEE) -> None:
        """Proposes other figures."""
        given = figures(period, gross, version=version)
        self.licences.object(licence, self.bytes[licence], given, sender=by)

    def settle(self, licence: int, period: int, accepted: bool, by: str) -> None:
        """Ends a dispute."""
        self.licences.settle(licence, self.bytes[licence], period, accepted, sender=by)

    def lower(self, licence: int, period: int, gross: int, version: int = 1) -> None:
        """Lowers a period's figures with the licensor's consent."""
        self.object(licence, period, gross, version)
        self.settle(licence, period, True, LICENSOR)

    def pay(
        self,
        licence: int,
        period: int,
        amount: int = MAX,
        *,
        by: str = LICENSEE,
        version: int = 1,
        open_: int = -1,
    ) -> Any:
        """Pays a period; the belief about what is open is right unless given."""
        believed = self.open_of(licence, period) if open_ < 0 else open_
        return self.licences.pay(licence, self.bytes[licence], period, version, believed, amount, sender=by)

    # Reading

    def state(self, licence: int) -> dict[str, int]:
        """ILicences.State by name."""
        names = (
            "status acceptedAt stop nextPeriod openPeriods openDisputes transferable setOff sumA sumB "
            "cureUntil curePeriod"
        )
        return dict(zip(names.split(), self.licences.stateOf(licence), strict=True))

    def period(self, licence: int, period: int) -> dict[str, int]:
        """ILicences.Period by name."""
        names = "base open version bookedAt interestNumerator interestUpTo"
        return dict(zip(names.split(), self.licences.periodOf(licence, period), strict=True))

    def open_of(self, licence: int, period: int) -> int:
        """Open principal of a period."""
        return self.period(licence, period)["open"]

    def due(self, licence: int, period: int) -> dict[str, Any]:
        """ILicenceViews.Due by name."""
        names = (
            "start end reportBy payBy interestFrom base earnedByTier earned guarantee guaranteeTopUp royalty "
            "recouped owedInAll capReached open interest setOff destination"
        )
        return dict(zip(names.split(), self.views.dueOf(licence, self.bytes[licence], period), strict=True))

    def entries(self, name: str) -> list[dict[str, Any]]:
        """The entries of this name in the journal of Licences, fields by name, `id` the indexed one."""
        entry = next(e for e in self.licences.abi if e["type"] == "event" and e["name"] == name)
        names = [part["name"] for part in entry["inputs"] if not part["indexed"]]
        return [
            {"id": topic, **dict(zip(names, values, strict=True))}
            for topic, values in self.licences.events(name)
        ]

    def lines(self, licence: int) -> int:
        """Σ lines of a licence."""
        number = licence.to_bytes(32, "big")
        return sum(entry["line"] for entry in self.entries("Booked") if entry["id"] == number)

    def credited(self, split: bytes | None = None, token: Contract | None = None) -> int:
        """All that was credited to a split."""
        return int(self.splits.cumulative(split or self.split, (token or self.dollar).address))


def figures(
    period: int,
    gross: int,
    *,
    deductions: int = 0,
    version: int = 0,
    max_due: int = MAX,
    report_hash: bytes = b"\x5a" * 32,
) -> tuple[int, int, int, int, int, bytes]:
    """ILicences.Figures."""
    return (period, version, gross, deductions, max_due, report_hash)
