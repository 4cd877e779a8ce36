"""Attribution leaves and trees: which works trained a model, and which works an output owes credit to.

Hashes are as contracts/interfaces/IAttributions.sol tells. The order of a file's lines does not matter: the tree
sorts its leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from ledger.domain.canonical import ZERO32, keccak256, uint_word
from ledger.domain.errors import ValueRefused
from ledger.domain.manifest import Manifest, Work
from ledger.domain.merkle_proof import SortedPairTree, leaf_hash, verify
from ledger.domain.royalty import PPM

BPS = 10_000
MAX_LEAVES = 2**32
MAX_DEPTH = 32
#: Bits of the scope that a run is recorded under, and any of which a batch needs: inference, retrieval, commercial.
TRAIN, FINE_TUNE = 1 << 0, 1 << 1
OUTPUT_SCOPE = 1 << 2 | 1 << 3 | 1 << 6
#: From so many leaves on the compiled path is faster than it takes to load.
_MANY = 20_000


class Tree(Protocol):
    """A tree with sorted pairs, of either implementation."""

    @property
    def root(self) -> bytes:
        """The top hash."""

    def proof(self, leaf: bytes) -> list[bytes]:
        """Siblings from a leaf to the root."""


def model_text(name: str, version: str) -> str:
    """How a record names a model: id, line feed, version. Its keccak256 is the terms' `model`."""
    return f"{name}\n{version}"


def id_hash(text: str) -> bytes:
    """The word that stands for an output's or a work's id: keccak256 of its UTF-8; zero for no work."""
    return keccak256(text.encode()) if text else ZERO32


# ---- credits


@dataclass(frozen=True, slots=True)
class Credit:
    """The credit that an output owes a work; no work: the part that does not belong to the catalogue.

    `content_hash` is zero where it is not known. Weight in parts per million, confidence in basis points.
    """

    output: str
    work: str
    weight_ppm: int
    confidence_bps: int = BPS
    content_hash: bytes = ZERO32

    @property
    def words(self) -> tuple[bytes, bytes, bytes, int, int]:
        """IAttributions.Credit."""
        return (
            id_hash(self.output),
            self.content_hash,
            id_hash(self.work),
            self.weight_ppm,
            self.confidence_bps,
        )

    @property
    def leaf(self) -> bytes:
        """Hash of the leaf."""
        return credit_leaf(self.words)


def credit_leaf(words: tuple[bytes, bytes, bytes, int, int]) -> bytes:
    """The leaf of IAttributions.Credit."""
    output, content_hash, work, weight, confidence = words
    return leaf_hash(output + content_hash + work + uint_word(weight) + uint_word(confidence))


def proves_credit(root: bytes, words: tuple[bytes, bytes, bytes, int, int], proof: Sequence[bytes]) -> bool:
    """IAttributions.provesCredit."""
    _, _, _, weight, confidence = words
    if not 0 < weight <= PPM or confidence > BPS or len(proof) > MAX_DEPTH:
        return False
    return verify(root, credit_leaf(words), proof)


def proves_use(root: bytes, words: tuple[bytes, bytes, bytes, bytes], proof: Sequence[bytes]) -> bool:
    """IAttributions.provesUse."""
    return len(proof) <= MAX_DEPTH and verify(root, leaf_hash(b"".join(words)), proof)


@dataclass(frozen=True)
class Credits:
    """The lines of a batch, column by column, in the order of its file; all of one length, at least one."""

    outputs: Sequence[str]
    content_hashes: Sequence[bytes]
    works: Sequence[str]
    weights: Sequence[int]
    confidences: Sequence[int]

    @classmethod
    def of(cls, lines: Sequence[Credit]) -> Credits:
        """A batch of single credits."""
        return cls(
            [one.output for one in lines],
            [one.content_hash for one in lines],
            [one.work for one in lines],
            [one.weight_ppm for one in lines],
            [one.confidence_bps for one in lines],
        )

    def __len__(self) -> int:
        return len(self.outputs)

    def __iter__(self) -> Iterator[Credit]:
        return (self.line(place) for place in range(len(self)))

    def line(self, place: int) -> Credit:
        """One line, from 0."""
        return Credit(
            self.outputs[place],
            self.works[place],
            self.weights[place],
            self.confidences[place],
            self.content_hashes[place],
        )

    @cached_property
    def output_count(self) -> int:
        """How many outputs there are."""
        return len(set(self.outputs))

    @cached_property
    def tree(self) -> Tree:
        """Tree of the leaves."""
        if len(self) < _MANY:
            return SortedPairTree([one.leaf for one in self])
        from ledger.domain.merkle_pairs import PairTree, leaf_hashes

        return PairTree(leaf_hashes(self._preimages()))

    @property
    def root(self) -> bytes:
        """The root that is recorded."""
        return self.tree.root

    def prove(self, output: str, work: str) -> tuple[Credit, list[bytes]]:
        """A line and the proof that the batch holds it. Raises ValueRefused."""
        for place, found in enumerate(self.outputs):
            if found == output and self.works[place] == work:
                credit = self.line(place)
                return credit, self.tree.proof(credit.leaf)
        raise ValueRefused(
            f"The batch credits {work!r} nothing of the output {output!r}.",
            remedy="See the lines of the batch's file.",
        )

    def credits_of(self, output: str = "", work: str = "") -> list[Credit]:
        """The lines of an output, of a work, or of both."""
        return [
            self.line(place)
            for place, found in enumerate(self.outputs)
            if (not output or found == output) and (not work or self.works[place] == work)
        ]

    def _preimages(self) -> Any:
        import numpy as np

        rows = np.zeros((len(self), 160), dtype=np.uint8)
        rows[:, :32] = _id_words(self.outputs)
        rows[:, 32:64] = _words(self.content_hashes)
        rows[:, 64:96] = _id_words(self.works)
        for column, values in ((96, self.weights), (128, self.confidences)):
            figures = np.asarray(values, dtype=">u8")
            rows[:, column + 24 : column + 32] = figures.view(np.uint8).reshape(-1, 8)
        return rows


def _id_words(texts: Sequence[str]) -> Any:
    known = {text: id_hash(text) for text in set(texts)}
    return _words([known[text] for text in texts])


def _words(values: Sequence[bytes]) -> Any:
    import numpy as np

    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, 32)


# ---- works used


@dataclass(frozen=True)
class WorksUsed:
    """The works of a manifest that a training run used: their leaves are those of the manifest."""

    manifest: Manifest
    ids: tuple[str, ...]
    _works: dict[str, Work] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {work.id: work for work in self.manifest.works}
        unknown = [one for one in self.ids if one not in known]
        if unknown or not self.ids:
            what = (
                f"{len(unknown):,} of the works used are not in the manifest, such as {unknown[0]!r}."
                if unknown
                else "No work was used."
            )
            raise ValueRefused(what, remedy="Compare the ids with the licensed manifest.")
        object.__setattr__(self, "_works", {one: known[one] for one in self.ids})

    def __len__(self) -> int:
        return len(self._works)

    @cached_property
    def tree(self) -> SortedPairTree:
        """Tree of the leaves, each work once."""
        return SortedPairTree([work.leaf for work in self._works.values()])

    @property
    def root(self) -> bytes:
        """The root that is recorded."""
        return self.tree.root

    def prove(self, work_id: str) -> tuple[Work, list[bytes]]:
        """A work and the proof that the run used it. Raises ValueRefused."""
        if work_id not in self._works:
            raise ValueRefused(
                f"The run did not use the work {work_id!r}.", remedy="See the works of the run's file."
            )
        work = self._works[work_id]
        return work, self.tree.proof(work.leaf)
