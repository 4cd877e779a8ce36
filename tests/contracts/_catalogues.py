"""What the tests of Catalogues share: a deployed pair, settings, splits to announce, manifests, proofs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from _mini import Chain, Contract, Reverted, account, keccak, leaf, split_id, tree
from eth_abi.abi import encode

DAY = 86_400
LONGEST = 3650 * DAY
OWNER, OTHER, NEXT, ARBITER = account(10), account(11), account(12), account(13)
ZERO = "0x" + "00" * 20
ROOT, FILE = keccak(b"works"), keccak(b"file")


def settings(
    *,
    works_root: bytes = ROOT,
    file_hash: bytes = FILE,
    arbiter: str = ARBITER,
    notice: int = 30 * DAY,
    dispute: int = 7 * DAY,
    arbitration: int = 14 * DAY,
    uri: str = "ipfs://manifest",
) -> tuple[bytes, bytes, str, int, int, int, str]:
    """ICatalogues.Settings, valid unless told otherwise."""
    return works_root, file_hash, arbiter, notice, dispute, arbitration, uri


@dataclass
class World:
    """Splits and Catalogues on a chain of their own, and a supply of published splits."""

    chain: Chain = field(default_factory=Chain)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.splits: Contract = self.chain.deploy("Splits")
        self.catalogues: Contract = self.chain.deploy("Catalogues", self.splits.address)

    def create(self, notice: int = 30 * DAY) -> int:
        """A new catalogue of OWNER."""
        return int(self.catalogues.create(settings(notice=notice), sender=OWNER))

    def split(
        self, payees: int = 1
    ) -> tuple[tuple[bytes, int, int], list[tuple[int, list[bytes], list[bytes]]]]:
        """A split that nobody has seen before, and its page."""
        number = next(self._numbers)
        split, words = tree([leaf(account(100 + index), number) for index in range(payees)])
        return split, [(0, words, [])]

    def published(self) -> bytes:
        """The id of a new one-leaf split that is public."""
        split, pages = self.split()
        self.splits.publish(split, pages)
        return split_id(split)

    def announce(self, catalogue: int, split: bytes | None = None) -> tuple[bytes, int]:
        """Announces a split as OWNER: its id and when it takes effect."""
        chosen = split or self.published()
        return chosen, int(self.catalogues.announce(catalogue, chosen, sender=OWNER))


def refused_with(call: Callable[[], object], name: str, *values: object) -> None:
    """The call reverts with this very error."""
    with pytest.raises(Reverted) as refused:
        call()
    assert (refused.value.name, refused.value.values) == (name, values)


# ---- manifests

WorkData = tuple[bytes, bytes, bytes, bytes]
ShareData = tuple[bytes, str, int, bytes]


def work_leaf(work: WorkData) -> bytes:
    """The doubly hashed leaf of a work."""
    return keccak(keccak(encode(["bytes32"] * 4, work)))


def share_leaf(share: ShareData) -> bytes:
    """The doubly hashed leaf of a share."""
    return keccak(keccak(encode(["bytes32", "address", "uint256", "bytes32"], share)))


def merkle(leaves: list[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Root and one proof a leaf of a tree with sorted pairs; an odd node is carried up."""
    proofs: list[list[bytes]] = [[] for _ in leaves]
    level = [(node, [index]) for index, node in enumerate(leaves)]
    while len(level) > 1:
        above = []
        for pair in (level[at : at + 2] for at in range(0, len(level), 2)):
            if len(pair) == 1:
                above.append(pair[0])
                continue
            (left, lefts), (right, rights) = pair
            for index in lefts:
                proofs[index].append(right)
            for index in rights:
                proofs[index].append(left)
            above.append((keccak(min(left, right) + max(left, right)), lefts + rights))
        level = above
    return level[0][0], proofs


@dataclass(frozen=True)
class Manifest:
    """Works with their shares; every leaf provable."""

    works: list[WorkData]
    shares: list[list[ShareData]]

    @classmethod
    def of(cls, works: int, holders: int) -> Manifest:
        """A manifest of `works` works with `holders` equal shares each."""
        shares = [
            [
                (
                    keccak(b"holder %d" % holder),
                    account(holder),
                    1_000_000 // holders + work,
                    keccak(b"master"),
                )
                for holder in range(holders)
            ]
            for work in range(works)
        ]
        return cls(
            [
                (
                    keccak(b"work %d" % work),
                    keccak(b"content"),
                    keccak(b"isrc"),
                    merkle([*map(share_leaf, shares[work])])[0],
                )
                for work in range(works)
            ],
            shares,
        )

    @functools.cached_property
    def _tree(self) -> tuple[bytes, list[list[bytes]]]:
        return merkle([work_leaf(work) for work in self.works])

    @property
    def root(self) -> bytes:
        """The works root."""
        return self._tree[0]

    def work_proof(self, work: int) -> list[bytes]:
        """The proof of a work."""
        return self._tree[1][work]

    def share_proof(self, work: int, share: int) -> list[bytes]:
        """The proof of a share within its work."""
        return merkle([share_leaf(data) for data in self.shares[work]])[1][share]
