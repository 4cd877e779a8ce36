"""Call data of Splits.publish out of a tree's bytes, page by page, and the gas that such a call is given.

A split of a million payees has 8,192 pages of 150 words: a value for each word would cost more than the chain takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.chain.artefacts import load
from ledger.chain.requests import Request
from ledger.domain.canonical import keccak256, uint_word
from ledger.domain.merkle_sum import MerkleSumTree

#: The most gas that a call is given, so that it fits wherever a transaction of EIP-7825 does.
CALL_GAS = 16_000_000
#: Gas of a page beside its call data (hashes, log, bitmap), and of a call (slots written for the first time): bounds.
_GAS_PAGE, _GAS_CALL = 90_000, 100_000
#: A transaction, a token of its call data, the same where the call does little else (EIP-2028, EIP-7623).
_GAS_BASE, _GAS_TOKEN, _GAS_TOKEN_FLOOR = 21_000, 4, 10


def page_data(tree: MerkleSumTree, page: int) -> bytes:
    """ISplits.Page as the ABI encodes it."""
    words = tree.page_bytes(page)
    siblings = tree.page_proof_bytes(page)
    head = (page, 96, 128 + len(words), len(words) // 32)
    return b"".join((*map(uint_word, head), words, uint_word(len(siblings) // 32), siblings))


def publish_data(tree: MerkleSumTree, pages: Sequence[bytes]) -> bytes:
    """The call data of `publish` for pages of `page_data`."""
    split = tree.split
    head = (split.total, split.depth, 128, len(pages))
    selector = load("Splits").abi.function("publish").selector
    parts = [selector, split.root, *map(uint_word, head)]
    at = 32 * len(pages)
    for page in pages:
        parts.append(uint_word(at))
        at += len(page)
    return b"".join((*parts, *pages))


def tokens(data: bytes) -> int:
    """Tokens of call data by EIP-7623: one a zero byte, four any other."""
    return 4 * len(data) - 3 * data.count(0)


def publish_gas(size: int, pages: int) -> int:
    """A gas limit for a call with so many tokens and pages: a bound, not an estimate."""
    least = _GAS_BASE + _GAS_TOKEN_FLOOR * size
    return max(least, _GAS_BASE + _GAS_TOKEN * size + _GAS_CALL + _GAS_PAGE * pages)


def publish_requests(tree: MerkleSumTree, numbers: Sequence[int], to: str) -> Iterator[Request]:
    """Publishes pages in as few calls as their gas allows, each with its gas limit; `to` is the address of Splits."""
    # Offsets, root and the like of a call are at most so many tokens.
    fixed, each = 4 * 164, 4 * 32
    held: list[bytes] = []
    size = fixed
    for number in numbers:
        page = page_data(tree, number)
        more = tokens(page) + each
        if held and publish_gas(size + more, len(held) + 1) > CALL_GAS:
            yield _request(tree, held, to, publish_gas(size, len(held)))
            held, size = [], fixed
        held.append(page)
        size += more
    if held:
        yield _request(tree, held, to, publish_gas(size, len(held)))


def _request(tree: MerkleSumTree, pages: Sequence[bytes], to: str, gas: int) -> Request:
    data = publish_data(tree, pages)
    # The same key that Contract.request gives the same call.
    content = keccak256(bytes.fromhex(to[2:]) + data).hex()
    note = f"publish {len(pages)} pages of split 0x{tree.id.hex()[:8]}"
    return Request(f"Splits.publish/{content[:40]}", to, data, gas=gas, note=note)
