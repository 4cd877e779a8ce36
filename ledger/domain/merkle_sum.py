"""Merkle-sum trees of splits, exactly as contracts/interfaces/ISplits.sol says.

A leaf word is payee (20 bytes) and units (12 bytes). Leaves stand in ascending order of payee, payees are
distinct, and the depth is the smallest with 2^depth ≥ leaves; the rest is padded with zero words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from ledger.domain.address import parse_address
from ledger.domain.canonical import ZERO32, keccak256, uint_word
from ledger.domain.errors import Findings, LedgerError, ValueRefused
from ledger.domain.reverts import Revert

MAX_DEPTH = 32
PAGE_DEPTH = 7
PAGE_SIZE = 128
UNITS_LIMIT = 2**96
TOTAL_LIMIT = 2**128

#: From this many leaves on, a tree is hashed in batches by compiled code.
BATCH_FROM = 4096

_NODE = 64  # bytes of a node: hash and sum


@dataclass(frozen=True, slots=True)
class Split:
    """The content of a split id: root (32 bytes), total units, depth."""

    root: bytes
    total: int
    depth: int

    @property
    def id(self) -> bytes:
        """keccak256(root ‖ total ‖ depth), after the checks of range."""
        if self.depth > MAX_DEPTH:
            raise Revert("Splits_DepthTooLarge", self.depth)
        if not 0 < self.total < TOTAL_LIMIT:
            raise Revert("Splits_TotalOutOfRange", self.total)
        return keccak256(self.root + uint_word(self.total) + uint_word(self.depth))

    @property
    def pages(self) -> int:
        """Number of pages."""
        return pages_of(self.depth)


def pages_of(depth: int) -> int:
    """Number of pages of a split of this depth."""
    return 1 if depth <= PAGE_DEPTH else 1 << (depth - PAGE_DEPTH)


def leaf_word(payee: str, units: int) -> bytes:
    """The 32-byte word of a leaf; `payee` is 0x and 40 hex digits."""
    return bytes.fromhex(payee[2:]) + units.to_bytes(12, "big")


def read_leaf(word: bytes) -> tuple[str, int]:
    """Payee (lower case) and units of a leaf word."""
    return "0x" + word[:20].hex(), int.from_bytes(word[20:], "big")


def depth_for(leaves: int) -> int:
    """The smallest depth with 2^depth ≥ leaves."""
    return (leaves - 1).bit_length()


def _units(word: bytes) -> int:
    return int.from_bytes(word[20:], "big")


def _parent(left: bytes, right: bytes) -> bytes:
    """Hash and sum (64 bytes) above two neighbouring nodes of 64 bytes, or two leaf words of 32."""
    if len(left) == 32:
        total = _units(left) + _units(right)
    else:
        total = int.from_bytes(left[32:], "big") + int.from_bytes(right[32:], "big")
    return keccak256(left + right) + uint_word(total)


@cache
def _padding(level: int) -> bytes:
    """The node over nothing but padding, 32 bytes at level 0 and 64 above."""
    return ZERO32 if level == 0 else _parent(_padding(level - 1), _padding(level - 1))


def padding_node(level: int) -> bytes:
    """The node over nothing but padding at a level: 32 bytes of a leaf, 64 above."""
    return _padding(level)


class MerkleSumTree:
    """A split's tree with all its levels, so that proofs are look-ups.

    `levels[0]` holds the leaf words, `levels[n]` the nodes (hash, sum; 64 bytes each) of level n, one after
    another; nodes over nothing but padding are not stored.
    """

    def __init__(self, words: bytes) -> None:
        """From the words of the leaves, in order and without padding; `build` is what callers want.

        Raises ValueRefused if words are missing, out of order, repeated, or lack payee or units.
        """
        if not words or len(words) % 32:
            raise ValueRefused("A split needs at least one payee.", remedy="Name the payees and their units.")
        self.leaves = len(words) // 32
        self.depth = depth_for(self.leaves)
        in_order, levels_of = _words_in_order, _levels_of
        if self.leaves >= BATCH_FROM:
            from ledger.domain import merkle_batch

            in_order, levels_of = merkle_batch.words_in_order, merkle_batch.levels_of
        if not in_order(words):
            raise ValueRefused(
                "The leaves of the split are not in ascending order of distinct payees with units.",
                remedy="Build the tree from payees and units.",
            )
        self.levels = levels_of(words, self.depth)
        top = self.levels[-1]
        root, total = (top[:32], int.from_bytes(top[32:64], "big")) if self.depth else (words, _units(words))
        self.split = Split(root, total, self.depth)

    @classmethod
    def build(cls, entries: Iterable[tuple[str, int]]) -> MerkleSumTree:
        """A tree of (payee, units), in any order. Raises FindingsError with every bad entry.

        Units are 1 to 2^96 − 1; payees are addresses, not zero, each at most once.
        """
        listed = entries if isinstance(entries, Sequence) else list(entries)
        try:
            words = [bytes.fromhex(payee[2:]) + units.to_bytes(12, "big") for payee, units in listed]
            if set(map(len, words)) == {32}:
                return cls.from_words(b"".join(words))
        except (LedgerError, ValueError, TypeError, OverflowError, AttributeError):
            pass
        raise _refused(listed)

    @classmethod
    def from_words(cls, words: bytes) -> MerkleSumTree:
        """A tree of leaf words in any order."""
        if len(words) < 32 * BATCH_FROM:
            return cls(b"".join(sorted(words[at : at + 32] for at in range(0, len(words), 32))))
        from ledger.domain.merkle_batch import sorted_words

        return cls(sorted_words(words))

    @property
    def id(self) -> bytes:
        """The split id."""
        return self.split.id

    @property
    def pages(self) -> int:
        """Number of pages."""
        return self.split.pages

    def leaf(self, index: int) -> bytes:
        """The leaf word at `index`; a zero word where it is padding."""
        return self._node(0, index)

    def index_of(self, payee: str) -> int:
        """Index of a payee's leaf, by bisection; raises ValueRefused if it has none."""
        wanted = bytes.fromhex(payee[2:])
        low, high = 0, self.leaves
        while low < high:
            middle = (low + high) // 2
            if self.leaf(middle)[:20] < wanted:
                low = middle + 1
            else:
                high = middle
        if low == self.leaves or self.leaf(low)[:20] != wanted:
            raise ValueRefused(f"{payee} is no payee of this split.", remedy="See the split's payees.")
        return low

    def entries(self) -> list[tuple[str, int]]:
        """(payee, units) of every leaf, in order."""
        return [read_leaf(self.leaf(index)) for index in range(self.leaves)]

    def leaf_proof(self, index: int) -> list[bytes]:
        """Proof of a leaf: the neighbour's word, then (hash, sum) of each higher one; 2·depth − 1 words."""
        if not 0 <= index < 1 << self.depth:
            raise Revert("Splits_IndexOutOfRange", index, self.depth)
        proof: list[bytes] = []
        for level in range(self.depth):
            node = self._node(level, (index >> level) ^ 1)
            proof.extend([node] if level == 0 else [node[:32], node[32:]])
        return proof

    def page_words(self, page: int, pages: int = 1) -> list[bytes]:
        """The words of a page or of a run of 2^k, padding included: min(128, 2^depth) a page."""
        return _words_of(self.page_bytes(page, pages))

    def page_bytes(self, page: int, pages: int = 1) -> bytes:
        """The same one after another."""
        self._check_run(page, pages)
        size = 32 * min(PAGE_SIZE * pages, 1 << self.depth)
        at = 32 * PAGE_SIZE * page
        return self.levels[0][at : at + size].ljust(size, b"\0")

    def page_proof(self, page: int, pages: int = 1) -> list[bytes]:
        """Proof of a page or a run of 2^k: hash and sum of each sibling above level 7 + k; 2·(depth − 7 − k) words."""
        return _words_of(self.page_proof_bytes(page, pages))

    def page_proof_bytes(self, page: int, pages: int = 1) -> bytes:
        """The same one after another."""
        self._check_run(page, pages)
        lowest = PAGE_DEPTH + pages.bit_length() - 1
        return b"".join(
            self._node(level, (page >> (level - PAGE_DEPTH)) ^ 1) for level in range(lowest, self.depth)
        )

    def _check_run(self, page: int, pages: int) -> None:
        if not 0 <= page < self.pages:
            raise Revert("Splits_PageOutOfRange", page, self.pages)
        if pages.bit_count() != 1 or page % pages or pages > self.pages:
            raise Revert("Splits_RunMisplaced", page, pages)

    def _node(self, level: int, position: int) -> bytes:
        size = _NODE if level else 32
        at = position * size
        stored = self.levels[level]
        return stored[at : at + size] if at < len(stored) else _padding(level)


def _words_of(joined: bytes) -> list[bytes]:
    return [joined[at : at + 32] for at in range(0, len(joined), 32)]


def _levels_of(words: bytes, depth: int) -> list[bytes]:
    levels = [words]
    size = 32
    for level in range(depth):
        below = levels[-1]
        if len(below) // size % 2:
            below += _padding(level)
        pairs = range(0, len(below), 2 * size)
        levels.append(
            b"".join(_parent(below[at : at + size], below[at + size : at + 2 * size]) for at in pairs)
        )
        size = _NODE
    return levels


def _words_in_order(words: bytes) -> bool:
    before = bytes(20)
    for at in range(0, len(words), 32):
        payee = words[at : at + 20]
        if payee <= before or not any(words[at + 20 : at + 32]):
            return False
        before = payee
    return True


def _refused(entries: Sequence[tuple[str, int]]) -> LedgerError:
    """The refusal that lists every bad entry."""
    findings = Findings()
    seen: dict[str, int] = {}
    for number, (payee, units) in enumerate(entries, start=1):
        where = f"entry {number}"
        if not isinstance(units, int) or isinstance(units, bool) or not 0 < units < UNITS_LIMIT:
            findings.add(where, f"The units {units!r} are not within 1 to 2^96 - 1.")
        try:
            address = parse_address(payee)
        except LedgerError as error:
            findings.add_error(where, error)
            continue
        if address in seen:
            findings.add(where, f"The payee {payee} was named in entry {seen[address]}.", "Add up its units.")
        seen.setdefault(address, number)
    if not entries:
        findings.add("", "There is no payee.")
    return findings.error("The split was refused")


def root_of(words: bytes, depth: int) -> tuple[bytes, int]:
    """Root and total of leaf words in any order, zero words among them: of a split that others built."""
    levels_of = _levels_of
    if len(words) >= 32 * BATCH_FROM:
        from ledger.domain import merkle_batch

        levels_of = merkle_batch.levels_of
    top = levels_of(words, depth)[-1]
    return (top[:32], int.from_bytes(top[32:64], "big")) if depth else (words, _units(words))


# Verification: the strict rules of contracts/libraries/MerkleSum.sol, in its order


def _climb(
    position: int, node: bytes, total_below: int, total: int, siblings: Sequence[bytes]
) -> tuple[bytes, int]:
    """From a node up to the root by (hash, sum) siblings; every sum is at most `total`."""
    if total_below > total:
        raise Revert("Splits_SumAboveTotal", total_below, total)
    for i in range(0, len(siblings), 2):
        digest, other = siblings[i], int.from_bytes(siblings[i + 1], "big")
        if other > total:
            raise Revert("Splits_SumAboveTotal", other, total)
        mine, theirs = node + uint_word(total_below), digest + uint_word(other)
        node = keccak256(mine + theirs if position & 1 == 0 else theirs + mine)
        total_below += other
        if total_below > total:
            raise Revert("Splits_SumAboveTotal", total_below, total)
        position >>= 1
    return node, total_below


def check_leaf(split: Split, index: int, leaf: bytes, siblings: Sequence[bytes]) -> bytes:
    """Checks that a leaf stands at its index; returns the split id. Raises the Splits_ errors."""
    split_id = split.id
    if index >> split.depth:
        raise Revert("Splits_IndexOutOfRange", index, split.depth)
    units = _units(leaf)
    if units == 0 or leaf[:20] == bytes(20):
        raise Revert("Splits_BadLeaf", leaf)
    expected = 0 if split.depth == 0 else 2 * split.depth - 1
    if len(siblings) != expected:
        raise Revert("Splits_WrongProofLength", len(siblings), expected)
    node, total = leaf, units
    if split.depth:
        pair = leaf + siblings[0] if index & 1 == 0 else siblings[0] + leaf
        node, total = _climb(
            index >> 1, keccak256(pair), units + _units(siblings[0]), split.total, siblings[1:]
        )
    if node != split.root or total != split.total:
        raise Revert("Splits_ProofMismatch", split_id)
    return split_id


def check_page(split: Split, page: int, words: Sequence[bytes], siblings: Sequence[bytes]) -> bytes:
    """Checks that a page's words stand at their place; returns the split id. Raises the Splits_ errors."""
    return _check_run(split, page, min(split.depth, PAGE_DEPTH), words, siblings)


def check_run(split: Split, first_page: int, words: Sequence[bytes], siblings: Sequence[bytes]) -> bytes:
    """The same for the words of a run of 2^k pages."""
    height = min(split.depth, PAGE_DEPTH)
    while len(words) > 1 << height and height < split.depth:
        height += 1
    return _check_run(split, first_page, height, words, siblings)


def _check_run(
    split: Split, first_page: int, height: int, words: Sequence[bytes], siblings: Sequence[bytes]
) -> bytes:
    """The same for a run whose node stands `height` levels above the leaves."""
    split_id = split.id
    if first_page >= split.pages:
        raise Revert("Splits_PageOutOfRange", first_page, split.pages)
    if len(words) != 1 << height:
        raise Revert("Splits_WrongWordCount", len(words), 1 << height)
    expected = 2 * (split.depth - height)
    if len(siblings) != expected:
        raise Revert("Splits_WrongProofLength", len(siblings), expected)
    position, before = divmod(first_page * PAGE_SIZE, len(words))
    if before:
        raise Revert("Splits_RunMisplaced", first_page, len(words) // PAGE_SIZE)
    top = _levels_of(b"".join(words), height)[-1]
    node, total = (top, _units(top)) if height == 0 else (top[:32], int.from_bytes(top[32:], "big"))
    node, total = _climb(position, node, total, split.total, siblings)
    if node != split.root or total != split.total:
        raise Revert("Splits_ProofMismatch", split_id)
    return split_id


def check_words(words: Sequence[bytes], splits_address: str | None = None) -> None:
    """Checks that each word has both payee and units or neither: what publication demands besides the proof.

    `splits_address` is the paying contract, which no leaf may name; None skips that check.
    """
    itself = bytes.fromhex(splits_address[2:]) if splits_address else None
    for index, word in enumerate(words):
        if word[:20] == itself:
            raise Revert("Splits_PayeeIsSplits", index)
        if (word[:20] == bytes(20)) != (_units(word) == 0):
            raise Revert("Splits_BadLeaf", word)


def used_words(words: Sequence[bytes]) -> list[bytes]:
    """The words up to the last that is not padding: what PagePublished tells."""
    used = len(words)
    while used and words[used - 1] == ZERO32:
        used -= 1
    return list(words[:used])


def padded_words(words: Sequence[bytes], depth: int) -> list[bytes]:
    """The words of PagePublished with their padding again."""
    size = min(PAGE_SIZE, 1 << depth)
    return [*words, *([ZERO32] * (size - len(words)))]
