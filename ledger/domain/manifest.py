"""The works manifest of a catalogue: works, identifiers, holders and shares; its Merkle root, and the split
it gives.

A share is parts per million or an exact fraction such as 1/3. Per work and right type the shares sum to
one. A holder without a payee is unmatched: named and valued, but given no units. Hashes are as
contracts/interfaces/ICatalogues.sol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Any

from ledger.domain.canonical import (
    ZERO32,
    ZERO_ADDRESS,
    address_word,
    canonical_hash,
    canonical_json,
    keccak256,
    uint_word,
)
from ledger.domain.errors import ValueRefused
from ledger.domain.identifiers import Identifier, identifiers_hash
from ledger.domain.merkle_proof import SortedPairTree, leaf_hash, verify
from ledger.domain.merkle_sum import UNITS_LIMIT
from ledger.domain.royalty import PPM

MANIFEST_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Share:
    """A holder's share in a work. `ppm` is what the chain's leaf says; `part` is exact. No payee:
    unmatched.
    """

    holder: str
    part: Fraction
    ppm: int
    right_type: str
    payee: str | None = None

    @property
    def leaf(self) -> bytes:
        """Hash of the share's leaf."""
        return leaf_hash(
            keccak256(self.holder.encode())
            + address_word(self.payee or ZERO_ADDRESS)
            + uint_word(self.ppm)
            + keccak256(self.right_type.encode())
        )


@dataclass(frozen=True)
class Work:
    """A work of the manifest. `content_hash` is zero where it is unknown; `weight` counts in the split."""

    id: str
    shares: tuple[Share, ...]
    title: str = ""
    content_hash: bytes = ZERO32
    identifiers: tuple[Identifier, ...] = ()
    weight: Fraction = Fraction(1)

    @property
    def work_id(self) -> bytes:
        """keccak256 of the id."""
        return keccak256(self.id.encode())

    @cached_property
    def shares_tree(self) -> SortedPairTree:
        """Tree of the shares' leaves."""
        return SortedPairTree([share.leaf for share in self.shares])

    @property
    def words(self) -> tuple[bytes, bytes, bytes, bytes]:
        """ICatalogues.Work: work id, content hash, hash of identifiers, root of shares."""
        return (
            self.work_id,
            self.content_hash,
            identifiers_hash(self.identifiers),
            self.shares_tree.root,
        )

    @cached_property
    def leaf(self) -> bytes:
        """Hash of the work's leaf."""
        return leaf_hash(b"".join(self.words))


@dataclass(frozen=True)
class SplitUnits:
    """Units per payee, and the value of what is unmatched as parts of the whole: (work, holder, part)."""

    units: Mapping[str, int]
    unmatched: tuple[tuple[str, str, Fraction], ...] = ()

    @property
    def total(self) -> int:
        """All units."""
        return sum(self.units.values())

    @property
    def entries(self) -> list[tuple[str, int]]:
        """(payee, units), for MerkleSumTree.build."""
        return sorted(self.units.items())

    @property
    def unmatched_part(self) -> Fraction:
        """Part of the whole that belongs to holders without a payee."""
        return sum((part for _, _, part in self.unmatched), Fraction(0))


@dataclass(frozen=True)
class Manifest:
    """All works of a catalogue; `right_weights` tells how a work's value is divided among its right types."""

    works: tuple[Work, ...]
    right_weights: Mapping[str, Fraction] = field(default_factory=dict)
    title: str = ""

    @cached_property
    def tree(self) -> SortedPairTree:
        """Tree of the works' leaves."""
        return SortedPairTree([work.leaf for work in self.works])

    @property
    def works_root(self) -> bytes:
        """Root of the works manifest."""
        return self.tree.root

    @cached_property
    def _by_id(self) -> dict[str, Work]:
        return {work.id: work for work in self.works}

    def work(self, work_id: str) -> Work:
        """A work by its id."""
        if work_id not in self._by_id:
            raise ValueRefused(
                f"The manifest has no work {work_id!r}.",
                remedy="See its works: `licence-ledger catalogue show NUMBER --works`.",
            )
        return self._by_id[work_id]

    def prove_work(self, work_id: str) -> tuple[Work, list[bytes]]:
        """A work and the proof that it belongs to the manifest."""
        work = self.work(work_id)
        return work, self.tree.proof(work.leaf)

    def prove_share(
        self, work_id: str, holder: str, right_type: str
    ) -> tuple[Work, list[bytes], Share, list[bytes]]:
        """A share, its work, and the proofs of both: work, its proof, share, its proof."""
        work, work_proof = self.prove_work(work_id)
        for share in work.shares:
            if (share.holder, share.right_type) == (holder, right_type):
                return work, work_proof, share, work.shares_tree.proof(share.leaf)
        raise ValueRefused(
            f"{holder!r} has no {right_type!r} share in {work_id!r}.",
            remedy="See its shares: `licence-ledger catalogue show NUMBER --works`.",
        )

    def payees(self) -> list[str]:
        """Every payee once, in order."""
        return sorted({share.payee for work in self.works for share in work.shares if share.payee})

    def units(self) -> SplitUnits:
        """Units per payee, exactly: Σ over works of weight × part of the right type × share, as smallest
        integers.
        """
        parts: dict[str, Fraction] = {}
        unmatched: list[tuple[str, str, Fraction]] = []
        whole = sum((work.weight for work in self.works), Fraction(0))
        for work in self.works:
            rights = {share.right_type for share in work.shares}
            weights = {right: self.right_weights.get(right, Fraction(1)) for right in rights}
            all_rights = sum(weights.values(), Fraction(0))
            for share in work.shares:
                value = work.weight * weights[share.right_type] / all_rights * share.part
                if share.payee is None:
                    unmatched.append((work.id, share.holder, value / whole))
                elif value:
                    parts[share.payee] = parts.get(share.payee, Fraction(0)) + value
        return SplitUnits(units_of(parts), tuple(unmatched))

    def document(self) -> dict[str, Any]:
        """The manifest as JSON values: what the manifest file holds."""
        works = []
        for work in self.works:
            entry: dict[str, Any] = {"id": work.id}
            if work.title:
                entry["title"] = work.title
            if work.content_hash != ZERO32:
                entry["content_hash"] = "0x" + work.content_hash.hex()
            if work.identifiers:
                entry["identifiers"] = [list(one) for one in work.identifiers]
            if work.weight != 1:
                entry["weight"] = str(work.weight)
            entry["shares"] = [_share_document(share) for share in work.shares]
            works.append(entry)
        document: dict[str, Any] = {"manifest": MANIFEST_VERSION, "works": works}
        if self.title:
            document["title"] = self.title
        if self.right_weights:
            document["right_weights"] = {right: str(weight) for right, weight in self.right_weights.items()}
        return document

    def to_json(self) -> bytes:
        """The manifest file in canonical JSON."""
        return canonical_json(self.document())

    @property
    def file_hash(self) -> bytes:
        """keccak256 of the manifest file."""
        return canonical_hash(self.document())


def _share_document(share: Share) -> dict[str, Any]:
    exact = share.part == Fraction(share.ppm, PPM)
    entry: dict[str, Any] = {"holder": share.holder, "right": share.right_type}
    entry["share"] = share.ppm if exact else str(share.part)
    if share.payee:
        entry["payee"] = share.payee
    return entry


def units_of(parts: Mapping[str, Fraction]) -> dict[str, int]:
    """The smallest integers in the ratio of positive parts. Raises ValueRefused if one needs more than 96
    bits.
    """
    if not parts:
        raise ValueRefused(
            "No share has a payee, so there is nobody to pay.",
            remedy="Match at least one holder to an address.",
        )
    scale = lcm(*(part.denominator for part in parts.values()))
    units = {payee: int(part * scale) for payee, part in sorted(parts.items())}
    common = gcd(*units.values())
    units = {payee: value // common for payee, value in units.items()}
    largest = max(units.values())
    if largest >= UNITS_LIMIT:
        raise ValueRefused(
            f"The exact units of the split need {largest.bit_length()} bits; a leaf has 96.",
            why="Many different denominators (weights and fractional shares) multiply.",
            remedy="Write shares as parts per million, or use weights with fewer decimals.",
        )
    return units


def ppm_of(parts: Iterable[Fraction]) -> list[int]:
    """Parts that sum to one as parts per million that do too: rounded down, the rest to the largest
    remainders.
    """
    exact = [part * PPM for part in parts]
    floors = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[: PPM - sum(floors)]:
        floors[i] += 1
    return floors


def proves_work(works_root: bytes, work: tuple[bytes, bytes, bytes, bytes], proof: list[bytes]) -> bool:
    """Whether a work (its four words) belongs to a manifest with this root."""
    return verify(works_root, leaf_hash(b"".join(work)), proof)
