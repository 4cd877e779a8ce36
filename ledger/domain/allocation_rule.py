"""The rule by which a usage-weighted pool is divided: what it says, its canonical form and its hash.

`ledger.domain.allocation` is the rule in plain arithmetic, `ledger.usage.allocation` the same for millions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from ledger.domain.canonical import canonical_hash
from ledger.domain.errors import Findings
from ledger.domain.money import FIGURE_LIMIT, parse_amount
from ledger.domain.royalty import PPM
from ledger.domain.terms_fields import Allocation, UnmatchedPolicy

if TYPE_CHECKING:
    from ledger.domain.terms import TermsDocument

RULE_VERSION = "1"
#: All weights of one key together stay below this: what DECIMAL(38,0) holds.
WEIGHT_LIMIT = 10**38
#: A right type's weight stays below this, so that the weights of one work's rights fit 32 bits.
RIGHT_WEIGHT_LIMIT = 2**20
#: Keys that need nothing but what is always there, so that the fallback needs no other.
FALLBACKS = (Allocation.EQUAL, Allocation.SIZE, Allocation.USAGE)

_REFUSED = "The allocation rule was refused"


@dataclass(frozen=True)
class AllocationRule:
    """How an amount is divided among works, shares and payees.

    `blend` lists (key, parts per million) where the key is BLEND. `minimum` is in base units of the token.
    `rights` gives the weight of right types within a work; a type that it does not name weighs 1.
    """

    key: Allocation
    blend: tuple[tuple[Allocation, int], ...] = ()
    minimum: int = 0
    confidence_floor_bps: int = 0
    fallback: Allocation = Allocation.EQUAL
    unmatched: UnmatchedPolicy = UnmatchedPolicy.HOLD
    rights: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        """Raises FindingsError with everything that is wrong."""
        findings = Findings()
        keys = [key for key, _ in self.blend]
        if (self.key is Allocation.BLEND) != bool(self.blend):
            findings.add("blend", "Parts are stated if, and only if, the key is BLEND.")
        if self.blend and sum(ppm for _, ppm in self.blend) != PPM:
            findings.add("blend", f"The parts do not sum to {PPM:,} parts per million.")
        if Allocation.BLEND in keys or len(set(keys)) != len(keys) or any(ppm < 1 for _, ppm in self.blend):
            findings.add(
                "blend", "Each part names another key than BLEND, once, with at least 1 per million."
            )
        if not 0 <= self.minimum < FIGURE_LIMIT:
            findings.add("minimum", "The minimum is not within 0 to 2^104 - 1 base units.")
        if not 0 <= self.confidence_floor_bps <= 10_000:
            findings.add("confidence_floor_bps", "The confidence floor is not within 0 to 10,000.")
        if self.fallback not in FALLBACKS:
            findings.add("fallback", f"The fallback is none of {', '.join(FALLBACKS)}.")
        names = [name for name, _ in self.rights]
        if names != sorted(set(names)):
            findings.add("rights", "Right types are not in ascending order, each once.")
        if not all(0 < weight < RIGHT_WEIGHT_LIMIT for _, weight in self.rights):
            findings.add("rights", f"A right type's weight is not within 1 to {RIGHT_WEIGHT_LIMIT - 1:,}.")
        findings.raise_if_any(_REFUSED)

    @classmethod
    def from_terms(
        cls, terms: TermsDocument, right_weights: Mapping[str, Fraction] | None = None
    ) -> AllocationRule:
        """The rule that licence terms state, with the manifest's weights of right types."""
        pool = terms.pool
        return cls(
            pool.allocation,
            tuple((part.key, part.ppm) for part in pool.blend),
            parse_amount(pool.minimum_eligibility, terms.money.decimals),
            pool.confidence_floor_bps,
            pool.fallback,
            pool.unmatched,
            whole_weights(right_weights or {}),
        )

    @property
    def parts(self) -> tuple[tuple[Allocation, int], ...]:
        """(key, parts per million) by which the amount is divided first."""
        return self.blend or ((self.key, PPM),)

    @property
    def needs(self) -> frozenset[Allocation]:
        """The keys whose weights the rule may come to use."""
        return frozenset({key for key, _ in self.parts} | {self.fallback})

    def right_weight(self, right_type: str) -> int:
        """Weight of a right type within a work."""
        return dict(self.rights).get(right_type, 1)

    def document(self) -> dict[str, Any]:
        """The rule as JSON values, every field written out."""
        return {
            "allocation": RULE_VERSION,
            "key": self.key.value,
            "blend": [{"key": key.value, "ppm": ppm} for key, ppm in self.blend],
            "minimum": str(self.minimum),
            "confidence_floor_bps": self.confidence_floor_bps,
            "fallback": self.fallback.value,
            "unmatched": self.unmatched.value,
            "rights": dict(self.rights),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> AllocationRule:
        """Reads what `document` wrote."""
        return cls(
            Allocation[document["key"]],
            tuple((Allocation[part["key"]], part["ppm"]) for part in document["blend"]),
            int(document["minimum"]),
            document["confidence_floor_bps"],
            Allocation[document["fallback"]],
            UnmatchedPolicy[document["unmatched"]],
            tuple(sorted(document["rights"].items())),
        )

    @property
    def hash(self) -> bytes:
        """keccak256 of the canonical JSON: the rule hash of a distribution."""
        return canonical_hash(self.document())


def whole_weights(weights: Mapping[str, Fraction]) -> tuple[tuple[str, int], ...]:
    """Fractions in the same ratio as whole numbers, in ascending order of name.

    An unnamed right type weighs 1 in a rule as in a manifest, so the ratio to 1 must be whole already or
    every type be named.
    """
    scale = lcm(*(weight.denominator for weight in weights.values()))
    return tuple((name, int(weight * scale)) for name, weight in sorted(weights.items()))
