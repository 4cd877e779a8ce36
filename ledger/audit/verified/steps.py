"""Going on from a checkpoint: what changed since is proved, and that nothing else did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from ledger.audit.engine import Audit
from ledger.audit.history import History
from ledger.audit.prover import Tally
from ledger.audit.verified.codec import MAPS, items_of
from ledger.audit.verified.store import Checkpoint, Draft, Store, StoreTampered, digest_of
from ledger.audit.verified.trie import Compared, differences
from ledger.audit.verified.words import Changes, sample, touched
from ledger.audit.words import ALL, Word
from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.rlp import Malformed
from ledger.domain.trie import Node, decode_node

#: Words of each kind that are proved again although nothing touched them.
_SAMPLED = 12


@dataclass
class Continuation:
    """What an audit goes on from; `draft` is what it would leave, once storage was proved."""

    store: Store
    checkpoint: Checkpoint
    history: History
    draft: Draft | None = None
    #: Keys of the words that were proved, by contract, as hexadecimal digits.
    _proved: dict[str, set[str]] = field(default_factory=dict)

    @property
    def block(self) -> int:
        """The checkpoint's."""
        return self.checkpoint.block

    @property
    def entries(self) -> int:
        """Those up to the checkpoint."""
        return self.checkpoint.entries

    def prove(self, audit: Audit) -> None:
        """Proves the words that the model changed, compares the tries, proves what the comparison leaves open."""
        self.draft = self.store.draft(self.history, self.checkpoint)
        scope = touched(self.changes(self.draft), self.history)
        tallies: dict[str, Tally] = {}
        # Each journal's head was proved before.
        self._proved = {name: {keccak256(ZERO32).hex()} for name in audit.addresses}
        words = audit.words(scope or ALL)
        some: list[Word] = []
        if scope is not None:
            # All in one, since nodes work out whole tries for each request.
            some = list(audit.words(sample(self.history, _SAMPLED)))
            words = self._once(chain(words, some))
        audit.prove(self._noted(words), tallies)
        seen, again = Compared(), 0
        if scope is not None:
            open_ = {name: list(self._open(audit, name, seen)) for name in audit.addresses}
            if any(open_.values()):
                beside = [one for one in audit.words(ALL) if self._is_below(one, open_[one.contract])]
                again = len(beside)
                audit.prove(self._noted(beside), tallies)
            detail = (
                f"{seen.same:,} subtrees of the contracts' storage hash to what they did at block {self.block}, so all "
                f"words in them are those proved then; {again:,} words beside changes and {len(some):,} at random "
                "were proved too"
            )
            audit.verdict.step("storage since", True, seen.same, detail=detail)
        audit.tell_words(tallies)

    def changes(self, draft: Draft) -> Changes:
        """How the history differs from the checkpoint, item by item."""
        changed: dict[str, dict[Any, tuple[Any, ...]]] = {}
        for name in MAPS:
            before = self.checkpoint.parts.get(name, [])
            after = draft.digests.get(name, [])
            gone = [at for at, digest in enumerate(before) if after[at : at + 1] != [digest]]
            made = [
                draft.data[name, at] for at, digest in enumerate(after) if before[at : at + 1] != [digest]
            ]
            if not gone and not made:
                continue
            old = items_of(name, (self._part(name, at, before[at]) for at in gone))
            new = items_of(name, made)
            found: dict[Any, tuple[Any, ...]] = {
                key: (old[key],) if key in old else ()
                for key in new
                if key not in old or old[key] != new[key]
            }
            found |= {key: (old[key],) for key in old.keys() - new.keys()}
            if found:
                changed[name] = found
        return changed

    def _part(self, name: str, number: int, digest: str) -> bytes:
        data = self.store.part((name, number))
        if digest_of(data) != digest:
            raise StoreTampered("The store was changed while it was read.", str(self.store.path))
        return data

    def _noted(self, words: Iterator[Word] | list[Word]) -> Iterator[Word]:
        for word in words:
            self._proved[word.contract].add(keccak256(word.slot).hex())
            yield word

    def _once(self, words: Iterator[Word]) -> Iterator[Word]:
        """The same without what was there before."""
        seen: set[tuple[str, bytes]] = set()
        for word in words:
            if (word.contract, word.slot) not in seen:
                seen.add((word.contract, word.slot))
                yield word

    def _is_below(self, word: Word, prefixes: list[str]) -> bool:
        key = keccak256(word.slot).hex()
        return key not in self._proved[word.contract] and key.startswith(tuple(prefixes))

    def _open(self, audit: Audit, name: str, seen: Compared) -> Iterator[str]:
        """Prefixes of a contract's keys that the tries at hand do not settle."""
        new_root = audit.prover.account(audit.addresses[name]).storage_root
        old, new = partial(_kept, self.store), audit.prover.nodes.get
        for prefix in differences(self.checkpoint.roots[name], new_root, old, new, seen):
            if prefix not in self._proved[name]:
                yield prefix


def _kept(store: Store, digest: bytes) -> Node | None:
    """A node of the store; None where it is not there, or is not the one that the hash names."""
    raw = store.node(digest)
    if raw is None or keccak256(raw) != digest:
        return None
    try:
        return decode_node(raw)
    except Malformed:
        return None
