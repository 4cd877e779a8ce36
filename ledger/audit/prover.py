"""Proves words of storage under a header: what is expected held against what the state root commits to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ledger.audit.source import Source, batched
from ledger.audit.words import Word
from ledger.domain.canonical import keccak256
from ledger.domain.headers import Header
from ledger.domain.rlp import Malformed
from ledger.domain.trie import Account, NodeReader

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

    def __init__(self, source: Source, header: Header, addresses: dict[str, str]) -> None:
        self.source = source
        self.header = header
        self.addresses = addresses
        self._reader = NodeReader()
        self._accounts: dict[str, Account] = {}

    def account(self, address: str) -> Account:
        """An account at the block. Raises Malformed."""
        if address not in self._accounts:
            self.slots(address, [])
        return self._accounts[address]

    def slots(self, address: str, slots: list[bytes]) -> list[bytes | Malformed]:
        """The words of an account's slots; where a slot's proof is refused, why. Raises Malformed."""
        proof = self.source.proofs(address, slots, self.header.number)
        account = self._reader.account(self.header.state_root, address, proof.account)
        self._accounts[address] = account
        found: list[bytes | Malformed] = []
        for slot, nodes in zip(slots, proof.slots, strict=True):
            try:
                found.append(self._reader.word(account.storage_root, slot, nodes))
            except Malformed as error:
                found.append(error)
        return found

    def words(self, words: Iterable[Word]) -> Iterator[tuple[Word, bytes | Malformed]]:
        """Each word with what was proved of it. Raises Malformed where an account cannot be proved."""
        for part in batched(words, _WORDS_AT_ONCE):
            by_contract: dict[str, list[Word]] = {}
            for one in part:
                by_contract.setdefault(one.contract, []).append(one)
            for contract, group in by_contract.items():
                held = self.slots(self.addresses[contract], [one.slot for one in group])
                yield from zip(group, held, strict=True)
