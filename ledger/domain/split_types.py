"""What the model of Splits is told and tells: pages, leaves, states, conservation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ledger.domain.canonical import address_word, keccak256, uint_word
from ledger.domain.merkle_sum import Split

MIN_GAS_EACH = 100_000
CUMULATIVE_LIMIT = 2**128

#: Kinds of a leaf's own checkpoint.
CLAIMED, PASSED_OVER, TAKEN_OUT = 1, 2, 3

#: Whether a transfer succeeds: token, recipient, amount.
Transfer = Callable[[str, str, int], bool]


def always(token: str, to: str, amount: int) -> bool:
    """A token that refuses nobody."""
    return True


@dataclass(frozen=True, slots=True)
class Run:
    """A run of 2^k neighbouring pages, or one page, and its place in the tree."""

    first_page: int
    words: Sequence[bytes]
    siblings: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PagePayout:
    """One page to be paid; bit i of `retry` names leaf i of the page for another try."""

    page: int
    retry: int
    words: Sequence[bytes]
    siblings: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of one split in one token, with its proof."""

    split: Split
    token: str
    index: int
    leaf: bytes
    siblings: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PageState:
    """The cumulative at a page's last payout, and the bitmap of leaves with a checkpoint of their own."""

    paid_up_to: int = 0
    exceptions: int = 0


@dataclass
class Publication:
    """What is public of a split: its content, and the used words of its published pages."""

    split: Split
    pages: dict[int, list[bytes]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every page is public."""
        return len(self.pages) == self.split.pages


def account_id(controller: str, salt: bytes) -> bytes:
    """keccak256(controller ‖ salt), the controller left-padded to 32 bytes."""
    return keccak256(address_word(controller) + salt)


def leaves_hash(leaves: Sequence[Leaf]) -> bytes:
    """What a ClaimTo signature covers: the hash of the hashes of (split id, token, index)."""
    each = (keccak256(one.split.id + address_word(one.token) + uint_word(one.index)) for one in leaves)
    return keccak256(b"".join(each))
