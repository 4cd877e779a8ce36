"""The storage of Attributions: one word, its journal's head. Records and roots are in the journal and nowhere else."""

from __future__ import annotations

from ledger.domain import rlp
from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.trie import root_of


def attribution_storage(head: bytes) -> bytes:
    """The storage root of Attributions with this head in slot 0 and nothing else: every other slot is zero.

    A trie of one pair, keccak256(slot) and the word without its leading zeros; before the first entry it is empty.
    """
    if head == ZERO32:
        return root_of([])
    return root_of([(keccak256(ZERO32), rlp.encode_bytes(head.lstrip(b"\0")))])
