"""Random split trees of every shape, honest or not, and proofs with one thing wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from strategies import EDGE_SIZES

from ledger.domain.canonical import keccak256, uint_word
from ledger.domain.merkle_sum import (
    MAX_DEPTH,
    PAGE_DEPTH,
    PAGE_SIZE,
    TOTAL_LIMIT,
    UNITS_LIMIT,
    MerkleSumTree,
    Split,
    _levels_of,
    depth_for,
)

WORD = 2**256
#: Sizes around which pages and depths change.
EDGES = (1, 2, 127, 128, 129, 130, 255, 256, 257, 383, 384, 385, 511, 512, 513)


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A leaf and how it is proved."""

    split: Split
    index: int
    word: bytes
    siblings: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PageProof:
    """A page, or a run of pages from `page` on, and how it is proved."""

    split: Split
    page: int
    words: Sequence[bytes]
    siblings: Sequence[bytes]


class Tree:
    """A tree of which whole pages are known; `known` are their numbers, those of one run: all unless it is sparse."""

    def __init__(self, kind: str, split: Split, known: list[int]) -> None:
        self.kind, self.split, self.known = kind, split, known
        self._pages: dict[int, PageProof] = {}
        self._below: dict[int, MerkleSumTree] = {}

    def add(self, page: int, words: Sequence[bytes], siblings: Sequence[bytes]) -> None:
        """Makes a page known."""
        self._pages[page] = PageProof(self.split, page, words, siblings)
        self._below[page] = raw_tree(words, min(self.split.depth, PAGE_DEPTH))

    @property
    def id(self) -> bytes:
        """The split id."""
        return self.split.id

    @property
    def whole(self) -> bool:
        """Whether every page is known."""
        return len(self.known) == self.split.pages

    def page(self, number: int) -> PageProof:
        """A known page."""
        return self._pages[number]

    def run(self, first: int, pages: int) -> PageProof:
        """A run of so many known pages."""
        words = [word for page in range(first, first + pages) for word in self._pages[page].words]
        siblings = self._pages[first].siblings[2 * (pages.bit_length() - 1) :]
        return PageProof(self.split, first, words, siblings)

    def some_run(self, rng: Random) -> PageProof:
        """Any run of known pages."""
        pages = 1 << rng.randrange(len(self.known).bit_length())
        return self.run(rng.choice(self.known[::pages]), pages)

    def all_runs(self, rng: Random) -> list[PageProof]:
        """Runs that make up the known pages, in any order."""

        def parts(at: int, pages: int) -> list[PageProof]:
            if pages == 1 or rng.random() < 0.4:
                return [self.run(self.known[at], pages)]
            half = pages // 2
            return [*parts(at, half), *parts(at + half, half)]

        found = parts(0, len(self.known))
        return rng.sample(found, len(found))

    def leaf(self, index: int) -> LeafProof:
        """A leaf of a known page."""
        page, place = divmod(index, PAGE_SIZE)
        below = self._below[page]
        siblings = [*below.leaf_proof(place), *self._pages[page].siblings]
        return LeafProof(self.split, index, below.leaf(place), siblings)

    def filled(self) -> list[int]:
        """Indices of the known leaves that have a payee and units."""
        return [
            page * PAGE_SIZE + place
            for page in self.known
            for place, word in enumerate(self._pages[page].words)
            if any(word[:20]) and any(word[20:])
        ]


def raw_tree(words: Sequence[bytes], depth: int) -> MerkleSumTree:
    """A tree over any words at all, in their order."""
    tree: MerkleSumTree = object.__new__(MerkleSumTree)
    joined = b"".join(words)
    tree.leaves, tree.depth, tree.levels = len(words), depth, _levels_of(joined, depth)
    top = tree.levels[-1]
    root, total = (top[:32], int.from_bytes(top[32:64], "big")) if depth else (joined, _units(joined))
    tree.split = Split(root, total, depth)
    return tree


def _units(word: bytes) -> int:
    return int.from_bytes(word[20:], "big")


def word_of(payee: str, units: int) -> bytes:
    """A leaf word."""
    return bytes.fromhex(payee[2:]) + units.to_bytes(12, "big")


def random_size(rng: Random) -> int:
    """Small trees most of the time, edges often, up to 600 leaves."""
    return rng.choices(
        (
            rng.randrange(1, 17),
            rng.randrange(17, 127),
            rng.choice((*EDGES, *EDGE_SIZES)),
            rng.randrange(131, 601),
        ),
        (58, 20, 18, 4),
    )[0]


def random_units(rng: Random) -> int:
    """Units of any size, the smallest and the largest among them."""
    return rng.choice(
        (1, 2, rng.randrange(1, 100), rng.randrange(1, 2**64), UNITS_LIMIT - 1, UNITS_LIMIT // 2)
    )


def grow(rng: Random, itself: str, keyed: Sequence[str]) -> Tree:
    """A random tree: in order, in disorder, or sparse; `itself` is Splits, `keyed` are payees whose keys we have."""
    roll = rng.random()
    if roll < 0.6:
        return _in_order(rng, keyed)
    return _in_disorder(rng, itself, keyed) if roll < 0.8 else _sparse(rng, itself, keyed)


def honest_tree(rng: Random, size: int, payees: Sequence[str] = ()) -> MerkleSumTree:
    """A tree as the ledger builds it, of these payees and of others up to its size."""
    style = rng.randrange(4)
    units = (lambda: 1, lambda: rng.randrange(1, 10), lambda: rng.randrange(1, UNITS_LIMIT), None)[style]
    others = [f"0x{rng.randbytes(20).hex()}" for _ in range(size - len(payees))]
    return MerkleSumTree.build([(one, units() if units else random_units(rng)) for one in [*payees, *others]])


def _in_order(rng: Random, keyed: Sequence[str]) -> Tree:
    size = random_size(rng)
    return _known("in order", honest_tree(rng, size, keyed[: min(size, rng.randrange(1, len(keyed) + 1))]))


def _known(kind: str, made: MerkleSumTree) -> Tree:
    tree = Tree(kind, made.split, list(range(made.pages)))
    for page in tree.known:
        tree.add(page, made.page_words(page), made.page_proof(page))
    return tree


def _word(rng: Random, keyed: Sequence[str], itself: str, wrong: float) -> bytes:
    """A word as others may put it into a tree: padding, repeated payees, and wrong ones by chance."""
    if rng.random() < wrong:
        choice = (
            word_of(itself, 1),
            bytes(20) + b"\x01" * 12,
            rng.randbytes(20) + bytes(12),
            bytes(31) + b"\x01",
        )
        return rng.choice(choice)
    payee = rng.choices(("0x" + rng.randbytes(20).hex(), rng.choice(keyed)), (9, 2))[0]
    return rng.choices((word_of(payee, random_units(rng)), bytes(32)), (8, 1))[0]


def _in_disorder(rng: Random, itself: str, keyed: Sequence[str]) -> Tree:
    """Words in any order, with padding between them and more levels than needed."""
    size = rng.choice((1, 2, 3, 5, 8, 33, 128, 129, 140))
    wrong = rng.choice((0, 0, 1 / size))
    words = [_word(rng, keyed, itself, wrong) for _ in range(size)]
    return _known("in disorder", raw_tree(words, depth_for(size) + rng.choice((0, 0, 1, 3))))


def _sparse(rng: Random, itself: str, keyed: Sequence[str]) -> Tree:
    """One run of a tree of any depth; the rest of the tree is made up, so that its total may be anything."""
    depth = rng.choice((0, 1, 6, 7, 8, 9, 20, 31, 32))
    height = min(depth, PAGE_DEPTH + rng.choice((0, 0, 0, 1, 2)))
    pages = 1 << max(0, height - PAGE_DEPTH)
    place = rng.choice((0, 1, 2 ** (depth - height) - 1, rng.getrandbits(32))) % 2 ** (depth - height)
    words = [_word(rng, keyed, itself, 0.01 / pages) for _ in range(1 << height)]
    below = raw_tree(words, height)
    node, total = below.split.root, below.split.total
    wanted = rng.choice((TOTAL_LIMIT - 1, TOTAL_LIMIT, TOTAL_LIMIT - 2, 2**100, rng.getrandbits(128)))
    siblings: list[bytes] = []
    for level in range(depth - height):
        last = level == depth - height - 1
        part = rng.choice((0, rng.randrange(2**90)))
        other = max(0, wanted - total) if last else part
        sibling = rng.randbytes(32)
        siblings += [sibling, uint_word(other)]
        mine, theirs = node + uint_word(total), sibling + uint_word(other)
        node = keccak256(theirs + mine if place >> level & 1 else mine + theirs)
        total += other
    known = range(place * pages, (place + 1) * pages)
    tree = Tree("sparse", Split(node, total, depth), list(known))
    for number, page in enumerate(known):
        tree.add(page, below.page_words(number), [*below.page_proof(number), *siblings])
    return tree


# One thing wrong


def _flip(rng: Random, word: bytes) -> bytes:
    return (int.from_bytes(word, "big") ^ 1 << rng.randrange(256)).to_bytes(32, "big")


def _wrong_split(rng: Random, split: Split) -> Split:
    root, total, depth = split.root, split.total, split.depth
    totals = (0, 1, max(total - 1, 0), total + 1, 2 * total, TOTAL_LIMIT - 1, TOTAL_LIMIT, WORD - 1)
    depths = (0, 1, depth + 1, max(0, depth - 1), MAX_DEPTH, MAX_DEPTH + 1, 2**255, WORD - 1)
    return rng.choice(
        (
            Split(_flip(rng, root), total, depth),
            Split(root, rng.choice(totals), depth),
            Split(root, total, rng.choice(depths)),
        )
    )


def _wrong_siblings(rng: Random, split: Split, given: Sequence[bytes], sums: range) -> list[bytes]:
    """A proof that is longer, shorter, or has one word changed; `sums` are the places of sums."""
    proof = list(given)
    if not proof or rng.random() < 0.3:
        return rng.choice(
            (proof[:-1], proof[:-2], [*proof, bytes(32)], [*proof, *[bytes(32)] * 2], [bytes(32), *proof])
        )
    if sums and rng.random() < 0.5:
        at = rng.choice(sums)
        was = int.from_bytes(proof[at], "big")
        # Sums that wrap, sums above the total, and money moved between siblings.
        chosen = (WORD - was, WORD - 1, WORD - split.total, split.total + 1, split.total, was + 1, 0)
        proof[at] = uint_word(rng.choice(chosen) % WORD)
        if len(sums) > 1 and rng.random() < 0.3:
            other = rng.choice([place for place in sums if place != at])
            moved = int.from_bytes(proof[other], "big") + was - int.from_bytes(proof[at], "big")
            proof[other] = uint_word(moved % WORD)
        return proof
    at = rng.randrange(len(proof))
    proof[at] = rng.choice((_flip(rng, proof[at]), bytes(32), b"\xff" * 32))
    if len(proof) > 1 and rng.random() < 0.3:
        other = rng.randrange(len(proof))
        proof[at], proof[other] = proof[other], proof[at]
    return proof


def _wrong_word(rng: Random, word: bytes) -> bytes:
    units = _units(word)
    raised = word[:20] + min(units + 1, UNITS_LIMIT - 1).to_bytes(12, "big")
    other = rng.randbytes(20) + word[20:]
    return rng.choice(
        (_flip(rng, word), raised, other, word[:20] + bytes(12), bytes(20) + word[20:], bytes(32))
    )


def wrong_leaf(rng: Random, good: LeafProof) -> LeafProof:
    """A leaf's proof with one thing wrong, each of the known exploits among them."""
    split, depth = good.split, good.split.depth
    match rng.randrange(5):
        case 0:
            return replace(good, split=_wrong_split(rng, split))
        case 1:
            # The same leaf at another index, above all past the end, where the low bits are the same.
            wide = good.index + (rng.choice((1, 2, 2**31)) << depth)
            return replace(
                good, index=rng.choice((good.index ^ 1, wide, wide, good.index | 1 << 255, WORD - 1))
            )
        case 2:
            return replace(good, word=_wrong_word(rng, good.word))
        case 3 if depth > 1:
            # An inner node in the place of a leaf, one level up.
            pair = (good.word, good.siblings[0])
            node = keccak256(b"".join(pair if good.index & 1 == 0 else pair[::-1]))
            up = replace(split, depth=depth - 1)
            return LeafProof(up, good.index >> 1, node, [good.siblings[1], *good.siblings[3:]])
        case _:
            sums = range(2, len(good.siblings), 2)
            return replace(good, siblings=_wrong_siblings(rng, split, good.siblings, sums))


def misplaced(rng: Random, good: PageProof) -> PageProof:
    """A run of two pages or more that begins at another of its pages."""
    return replace(good, page=good.page + rng.randrange(1, len(good.words) // PAGE_SIZE))


def wrong_page(rng: Random, good: PageProof) -> PageProof:
    """The proof of a page or a run with one thing wrong, each of the known exploits among them."""
    split, words = good.split, list(good.words)
    pages = -(-len(words) // PAGE_SIZE)
    match rng.randrange(4):
        case 0:
            return replace(good, split=_wrong_split(rng, split))
        case 1:
            past = (split.pages, good.page + split.pages, good.page | 1 << 255, WORD - 1)
            # Past the end, misaligned, or in the place of its neighbour.
            near = (good.page ^ 1, good.page + 1, good.page + pages // 2, good.page ^ pages)
            return replace(good, page=rng.choice((*near, *past)))
        case 2:
            at = rng.randrange(len(words))
            changed = [*words[:at], _wrong_word(rng, words[at]), *words[at + 1 :]]
            # More words than are hashed, or fewer.
            halves = (words[: len(words) // 2], words[: -PAGE_SIZE or None], [*words, *words])
            lengths = (words[:-1], [*words, bytes(32)], [], [*words[1:], words[0]])
            return replace(good, words=rng.choice((changed, changed, *lengths, *halves)))
        case _ if pages > 1 and rng.random() < 0.3:
            # Words of a run with the proof of one of its pages.
            return replace(good, siblings=[*[bytes(32)] * 2, *good.siblings])
        case _:
            sums = range(1, len(good.siblings), 2)
            return replace(good, siblings=_wrong_siblings(rng, split, good.siblings, sums))
