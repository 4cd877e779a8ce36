"""The terms that the chain enforces: ILicences.Terms, its one encoding, its checks, and the offer that is
signed.
"""

from __future__ import annotations

import itertools
from dataclasses import astuple, dataclass, fields
from typing import Any

from ledger.domain.canonical import ZERO_ADDRESS, address_word, keccak256, uint_word
from ledger.domain.reverts import Revert
from ledger.domain.royalty import NO_LIMIT, PPM, Tier

#: Names of the scope bits, from bit 0.
SCOPES: tuple[str, ...] = (
    "TRAIN",
    "FINE_TUNE",
    "INFER",
    "RETRIEVE",
    "INDEX",
    "EVALUATE",
    "COMMERCIAL_OUTPUT",
    "DISTRIBUTE_WEIGHTS",
    "SUBLICENSE",
    "SYNTHETIC_DATA",
)
#: Names of the attribution duties, by number.
ATTRIBUTION_DUTIES: tuple[str, ...] = ("NONE", "SOURCE_LIST", "PER_OUTPUT", "PUBLIC_CREDIT")

MAX_TIERS = 16
LATE_RATE_LIMIT = 10 * PPM
EARLIEST_START = 946_684_800  # 1 January 2000
LATEST_END = 32_503_680_000  # 1 January 3000

_TYPE = (
    "(bytes32,bytes32,uint256,address,address,uint16,uint16,uint40,uint40,bool,uint128,bool,bool,uint32,uint128,"
    "uint128,uint32,uint16,uint8,uint16,uint16,uint16,uint8,address,bytes32,address,"
    "(uint128,uint32)[])"
)
#: Bits of each field but the tiers, where they are fewer than 256: contracts/libraries/TermsCodec.sol.
_WIDTHS = (
    0,
    0,
    0,
    160,
    160,
    10,
    10,
    40,
    40,
    1,
    104,
    1,
    1,
    32,
    104,
    104,
    32,
    16,
    8,
    16,
    16,
    16,
    2,
    160,
    0,
    160,
)
_TIERS, _ENCODING = 26, 27


@dataclass(frozen=True, slots=True)
class ChainTerms:
    """ILicences.Terms, field by field in its order; amounts are base units, rates ppm, times Unix seconds."""

    document: bytes
    works_root: bytes
    catalogue: int
    licensee: str
    token: str
    scope: int
    exclusive: int
    start: int
    end: int
    transferable: bool
    upfront_fee: int
    advance: bool
    tiers_over_life: bool
    deduction_cap_ppm: int
    guarantee: int
    cap: int
    late_rate_ppm: int
    grace_days: int
    period_months: int
    days_to_report: int
    days_to_pay: int
    cure_days: int
    attribution_duty: int
    distributions: str
    model: bytes
    attributor: str
    tiers: tuple[Tier, ...]

    def encode(self) -> bytes:
        """abi.encode(Terms): how terms travel. Raises Licences_BadTerms for a field that does not fit."""
        from eth_abi.abi import encode
        from eth_abi.exceptions import EncodingError

        try:
            return encode([_TYPE], [self._values()])
        except EncodingError:
            self.check()
            raise

    def _values(self) -> tuple[Any, ...]:
        return astuple(self)

    @classmethod
    def decode(cls, data: bytes) -> ChainTerms:
        """Reads canonical bytes; other bytes raise Licences_BadTerms(27)."""
        from eth_abi.abi import decode
        from eth_abi.exceptions import DecodingError

        try:
            values = list(decode([_TYPE], data)[0])
        except (DecodingError, OverflowError) as error:
            raise Revert("Licences_BadTerms", _ENCODING) from error
        values[-1] = tuple(Tier(*tier) for tier in values[-1])
        terms = cls(*values)
        if terms.encode() != data:
            raise Revert("Licences_BadTerms", _ENCODING)
        return terms

    @property
    def hash(self) -> bytes:
        """keccak256 of the encoded terms: what the licence stores."""
        return keccak256(self.encode())

    @property
    def advance_amount(self) -> int:
        """What royalties recoup: the upfront fee if it is an advance, else zero."""
        return self.upfront_fee if self.advance else 0

    @property
    def scope_names(self) -> tuple[str, ...]:
        """Names of the permitted uses."""
        return names_of(self.scope)

    def check(self) -> None:
        """Raises Licences_BadTerms(which) for the first bad field, in the contract's order."""
        if len(self.tiers) > MAX_TIERS:
            raise Revert("Licences_BadTerms", _ENCODING)
        for which, (width, one) in enumerate(zip(_WIDTHS, fields(self), strict=False)):
            value = getattr(self, one.name)
            if width and isinstance(value, int) and value >> width:
                raise Revert("Licences_BadTerms", which)
        months = self.period_months
        limits = [0, *(tier.up_to for tier in self.tiers)]
        rules = (
            (any(self.document), 0),
            (any(self.works_root), 1),
            (self.token != ZERO_ADDRESS, 4),
            (self.scope != 0, 5),
            (self.exclusive & ~self.scope == 0, 6),
            (EARLIEST_START <= self.start < LATEST_END, 7),
            (self.end == 0 or self.start < self.end <= LATEST_END, 8),
            (self.deduction_cap_ppm <= PPM, 13),
            (self.late_rate_ppm <= LATE_RATE_LIMIT, 16),
            (months in (0, 1, 3, 6, 12), 18),
            (months != 0 or self.guarantee == 0, 14),
            (months != 0 or not self.tiers, _TIERS),
            (self.days_to_pay >= self.days_to_report, 20),
            (all(low < high <= NO_LIMIT for low, high in itertools.pairwise(limits)), _TIERS),
            (all(tier.rate_ppm <= PPM for tier in self.tiers), _TIERS),
            (not self.tiers or limits[-1] == NO_LIMIT, _TIERS),
        )
        for holds, which in rules:
            if not holds:
                raise Revert("Licences_BadTerms", which)


def names_of(bits: int) -> tuple[str, ...]:
    """Names of scope bits."""
    return tuple(name for bit, name in enumerate(SCOPES) if bits >> bit & 1)


def bits_of(names: tuple[str, ...] | list[str]) -> int:
    """Scope bits of names; unknown names raise ValueError."""
    return sum(1 << SCOPES.index(name) for name in set(names))


@dataclass(frozen=True, slots=True)
class Offer:
    """What goes with the terms of an offer: a nonce of single use, the last second for acceptance, a URI."""

    nonce: int
    deadline: int
    uri: str = ""


_OFFER_FIELDS = (
    ("termsHash", "bytes32"),
    ("token", "address"),
    ("upfrontFee", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
    ("uri", "string"),
)
_DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)


def domain_separator(name: str, chain_id: int, contract: str) -> bytes:
    """EIP-712 domain separator of one of our contracts (version "1")."""
    type_hash = keccak256(
        f"EIP712Domain({','.join(f'{kind} {one}' for one, kind in _DOMAIN_FIELDS)})".encode()
    )
    return keccak256(
        type_hash + keccak256(name.encode()) + keccak256(b"1") + uint_word(chain_id) + address_word(contract)
    )


def offer_id(terms: ChainTerms, offer: Offer, *, chain_id: int, licences: str) -> bytes:
    """The EIP-712 digest of an offer: the id of an offer on chain, and what a signature signs."""
    type_hash = keccak256(f"Offer({','.join(f'{kind} {one}' for one, kind in _OFFER_FIELDS)})".encode())
    struct = keccak256(
        type_hash
        + terms.hash
        + address_word(terms.token)
        + uint_word(terms.upfront_fee)
        + uint_word(offer.nonce)
        + uint_word(offer.deadline)
        + keccak256(offer.uri.encode())
    )
    return keccak256(b"\x19\x01" + domain_separator("Licences", chain_id, licences) + struct)


def offer_typed_data(terms: ChainTerms, offer: Offer, *, chain_id: int, licences: str) -> dict[str, Any]:
    """The offer as EIP-712 typed data, as wallets and eth-account take it."""
    return {
        "types": {
            "EIP712Domain": [{"name": one, "type": kind} for one, kind in _DOMAIN_FIELDS],
            "Offer": [{"name": one, "type": kind} for one, kind in _OFFER_FIELDS],
        },
        "primaryType": "Offer",
        "domain": {"name": "Licences", "version": "1", "chainId": chain_id, "verifyingContract": licences},
        "message": {
            "termsHash": "0x" + terms.hash.hex(),
            "token": terms.token,
            "upfrontFee": terms.upfront_fee,
            "nonce": offer.nonce,
            "deadline": offer.deadline,
            "uri": offer.uri,
        },
    }
