"""Proves words of storage under a header: what is expected held against what the state root commits to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ledger.audit.source import Proof, Source, batched
from ledger.audit.words import Word
from ledger.chain.ahead import one_ahead
from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.headers import Header
from ledger.domain.rlp import Malformed
from ledger.domain.trie import EMPTY_ROOT, Account, Leaf, Node, NodeReader

_WORDS_AT_ONCE = 3_000


@dataclass
class Tally:
    """The comparison of one kind of words; the hashes are over slot and word of each, in order."""

    compared: int = 0
    wrong: int = 0
    _expected: list[bytes] = field(default_factory=list)
    _held: list[bytes] = field(default_factory=list)
    _expected_hash: bytes = b""
    _held_hash: bytes = b""

    def add(self, word: Word, held: bytes) -> None:
        """Notes one word."""
        self.compared += 1
        self.wrong += held != word.expected
        self._expected.append(word.slot + word.expected)
        self._held.append(word.slot + held)
        if len(self._held) >= 1_024:
            self._chain()

    def _chain(self) -> None:
        self._expected_hash = keccak256(self._expected_hash + b"".join(self._expected))
        self._held_hash = keccak256(self._held_hash + b"".join(self._held))
        self._expected, self._held = [], []

    @property
    def hashes(self) -> tuple[str, str]:
        """Of what is expected, and of what was proved."""
        self._chain()
        return "0x" + self._expected_hash.hex(), "0x" + self._held_hash.hex()


class Prover:
    """Proofs at one block. Accounts are proved once, slots under the storage roots of these."""

    def __init__(
        self,
        source: Source,
        header: Header,
        addresses: dict[str, str],
        keep: Callable[[bytes, bytes], None] | None = None,
    ) -> None:
        """`keep` hears each node of the contracts' storage, hash and content, most of them once."""
        self.source = source
        self.header = header
        self.addresses = addresses
        #: Nodes that were heard, by their hashes, if `remember` is set.
        self.nodes: dict[bytes, Node] = {}
        self.remember = False
        self._keep = keep
        self._kept = set(addresses.values())
        self._seen: set[bytes] = set()
        self._reader = NodeReader()
        self._accounts: dict[str, Account] = {}
        self._heads: dict[str, bytes | Malformed] = {}

    def account(self, address: str) -> Account:
        """An account at the block. Raises Malformed."""
        if address not in self._accounts:
            if address in self._kept:
                # Nodes work out whole tries for each request, so the head comes along.
                (self._heads[address],) = self.slots(address, [ZERO32])
            else:
                self.slots(address, [])
        return self._accounts[address]

    def head(self, address: str) -> bytes:
        """The journal's head of a contract: its slot 0. Raises Malformed."""
        self.account(address)
        if address not in self._heads:
            (self._heads[address],) = self.slots(address, [ZERO32])
        held = self._heads[address]
        if isinstance(held, Malformed):
            raise held
        return held

    def slots(self, address: str, slots: list[bytes]) -> list[bytes | Malformed]:
        """The words of an account's slots; where a slot's proof is refused, why. Raises Malformed."""
        return self._checked(address, slots, self.source.proofs(address, slots, self.header.number))

    def _checked(self, address: str, slots: list[bytes], proof: Proof) -> list[bytes | Malformed]:
        account = self._reader.account(self.header.state_root, address, proof.account)
        self._accounts[address] = account
        found: list[bytes | Malformed] = []
        for slot, nodes in zip(slots, proof.slots, strict=True):
            try:
                found.append(self._reader.word(account.storage_root, slot, nodes))
            except Malformed as error:
                found.append(error)
                continue
            if self._keep is not None and address in self._kept:
                self._hear(nodes, self._keep)
        return found

    def _hear(self, nodes: Iterable[bytes], keep: Callable[[bytes, bytes], None]) -> None:
        for raw in nodes:
            if len(raw) < len(EMPTY_ROOT):
                continue  # it stands in its parent
            digest, node = self._reader.read(raw)
            if not isinstance(node, Leaf):
                # All words share them. Eight bytes are enough: what is left out by mistake is proved again later.
                if digest[:8] in self._seen:
                    continue
                self._seen.add(digest[:8])
            if self.remember:
                self.nodes[digest] = node
            keep(digest, raw)

    def words(self, words: Iterable[Word]) -> Iterator[tuple[Word, bytes | Malformed]]:
        """Each word with what was proved of it. Raises Malformed where an account cannot be proved, or where the
        books give something that no word holds.
        """
        for (address, group), proof in one_ahead(self._proof, self._groups(_fitting(words))):
            held = self._checked(address, [one.slot for one in group], proof)
            yield from zip(group, held, strict=True)

    def _groups(self, words: Iterable[Word]) -> Iterator[tuple[str, list[Word]]]:
        """Words of one contract each, as many as are asked for at once."""
        for part in batched(words, _WORDS_AT_ONCE):
            by_contract: dict[str, list[Word]] = {}
            for one in part:
                by_contract.setdefault(one.contract, []).append(one)
            for contract, group in by_contract.items():
                yield self.addresses[contract], group

    def _proof(self, of: tuple[str, list[Word]]) -> Proof:
        address, group = of
        return self.source.proofs(address, [one.slot for one in group], self.header.number)


def _fitting(words: Iterable[Word]) -> Iterator[Word]:
    """Entries that do not fold to the proved heads may give any figures, also such as no contract can keep."""
    try:
        yield from words
    except OverflowError as error:
        raise Malformed("What follows from the entries fits no word of storage.") from error
