"""Call data of Splits.publish out of a tree's bytes, run by run, and the gas that such a call is given.

A split of a million payees has 8,192 pages of 128 words: a value for each word would cost more than the chain takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ledger.chain.artefacts import load
from ledger.chain.requests import Request
from ledger.domain.canonical import keccak256, uint_word
from ledger.domain.merkle_sum import MerkleSumTree

#: The most gas that a call is given, so that it fits wherever a transaction of EIP-7825 does.
CALL_GAS = 16_000_000
#: The most bytes of call data for nodes of others: public ones refuse a transaction of more than 128 KiB.
CALL_BYTES = 130_000
#: Gas of a page beside its call data (hashes, log, bitmap), and of a call (slots written for the first time): bounds.
_GAS_PAGE, _GAS_CALL = 75_000, 100_000
#: A transaction, a token of its call data, the same where the call does little else (EIP-2028, EIP-7623).
_GAS_BASE, _GAS_TOKEN, _GAS_TOKEN_FLOOR = 21_000, 4, 10
#: Bytes of a call beside its runs; and of a run beside its words and proof, its place in the list included.
_CALL_BYTES, _RUN_BYTES = 164, 160


def run_data(tree: MerkleSumTree, first_page: int, pages: int) -> bytes:
    """ISplits.Run as the ABI encodes it."""
    words = tree.page_bytes(first_page, pages)
    siblings = tree.page_proof_bytes(first_page, pages)
    head = (first_page, 96, 128 + len(words), len(words) // 32)
    return b"".join((*map(uint_word, head), words, uint_word(len(siblings) // 32), siblings))


def publish_data(tree: MerkleSumTree, runs: Sequence[bytes]) -> bytes:
    """The call data of `publish` for runs of `run_data`."""
    split = tree.split
    head = (split.total, split.depth, 128, len(runs))
    selector = load("Splits").abi.function("publish").selector
    parts = [selector, split.root, *map(uint_word, head)]
    at = 32 * len(runs)
    for run in runs:
        parts.append(uint_word(at))
        at += len(run)
    return b"".join((*parts, *runs))


def tokens(data: bytes) -> int:
    """Tokens of call data by EIP-7623: one a zero byte, four any other."""
    return 4 * len(data) - 3 * data.count(0)


def publish_gas(size: int, pages: int) -> int:
    """A gas limit for a call with so many tokens and pages: a bound, not an estimate."""
    least = _GAS_BASE + _GAS_TOKEN_FLOOR * size
    return max(least, _GAS_BASE + _GAS_TOKEN * size + _GAS_CALL + _GAS_PAGE * pages)


@dataclass
class _Call:
    """The runs of one call: tokens (a bound), bytes, pages."""

    size: int = 4 * _CALL_BYTES
    length: int = _CALL_BYTES
    pages: int = 0
    largest: int = 0
    runs: list[bytes] = field(default_factory=list)

    def takes(self, words: int, proof: bytes, pages: int, most_bytes: int | None) -> bool:
        """Whether a run whose words have so many tokens fits into it."""
        if most_bytes is not None:
            width = 32 * 128 * pages
            return self.length + width + len(proof) + _RUN_BYTES <= most_bytes
        size = self.size + words + tokens(proof) + 4 * _RUN_BYTES
        return publish_gas(size, self.pages + pages) <= CALL_GAS

    def add(self, run: bytes, pages: int) -> None:
        """Takes a run in."""
        self.size += tokens(run) + 4 * 32
        self.length += len(run) + 32
        self.pages += pages
        self.largest = max(self.largest, pages)
        self.runs.append(run)


def publish_requests(
    tree: MerkleSumTree, numbers: Sequence[int], to: str, most_bytes: int | None = None
) -> Iterator[Request]:
    """Publishes pages, in ascending order, in as few and as large runs as their calls take.

    `to` is the address of Splits. A call has at most `most_bytes` and no gas limit of its own; without that number at
    most CALL_GAS, which it is given.
    """
    sizes = [0, *accumulate(tokens(tree.page_bytes(number)) for number in numbers)]
    call, at = _Call(), 0
    while at < len(numbers):
        whole = pages = _neighbours(numbers, at)
        while pages and not call.takes(
            sizes[at + pages] - sizes[at], tree.page_proof_bytes(numbers[at], pages), pages, most_bytes
        ):
            pages //= 2
        # A run much smaller than it might be has a proof for little: it waits for the next call.
        if call.runs and (pages == 0 or (pages < whole and 2 * pages < call.largest)):
            yield _request(tree, call, to, most_bytes)
            call = _Call()
            continue
        pages = max(1, pages)
        call.add(run_data(tree, numbers[at], pages), pages)
        at += pages
    if call.runs:
        yield _request(tree, call, to, most_bytes)


def _neighbours(numbers: Sequence[int], at: int) -> int:
    """Pages of the largest run that begins with the page at `at` and has no page but those named."""
    first, pages = numbers[at], 1
    while (
        first % (2 * pages) == 0
        and at + 2 * pages <= len(numbers)
        and numbers[at + 2 * pages - 1] == first + 2 * pages - 1
    ):
        pages *= 2
    return pages


def _request(tree: MerkleSumTree, call: _Call, to: str, most_bytes: int | None) -> Request:
    data = publish_data(tree, call.runs)
    gas = publish_gas(call.size, call.pages) if most_bytes is None else None
    # The same key that Contract.request gives the same call.
    content = keccak256(bytes.fromhex(to[2:]) + data).hex()
    note = f"publish {call.pages} pages of split 0x{tree.id.hex()[:8]}"
    return Request(f"Splits.publish/{content[:40]}", to, data, gas=gas, note=note)
