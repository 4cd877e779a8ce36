"""The form of a bundle's lines: what has any other is refused before it is used. See docs/reference/bundle.md.

`verifier/src/bundle.js` has the same rules; `tests/verifier/test_bundle_form.py` holds them against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ledger.domain.journal import is_entry
from ledger.domain.replay import CONTRACTS

FORMAT = "licence-ledger bundle"
VERSION = 1
#: All entries; one holder's leaves alone; or both, as a page carries them.
FULL, HOLDER, PAGE = "full", "holder", "page"
#: The lines of a kind between the first and the last, in their order.
LINES: Mapping[str, tuple[str, ...]] = {
    FULL: ("entry", "node", "balance"),
    HOLDER: ("leaf", "token", "terms", "node"),
    PAGE: ("entry", "leaf", "token", "terms", "node"),
}
#: The contracts that the first line names.
NAMED: Mapping[str, tuple[str, ...]] = {FULL: CONTRACTS, HOLDER: ("Splits", "Licences"), PAGE: CONTRACTS}
#: What the last line calls the numbers of lines.
COUNTED = {"entry": "entries", "node": "nodes", "balance": "balances"}
#: Bytes of a line: no transaction emits as much as a quarter of it.
LONGEST = 16 << 20

_ABOUT = frozenset(
    ("format", "version", "kind", "chain_id", "anchor", "header", "contracts", "holder", "licence")
)
_LEAF = frozenset(("split", "root", "total", "depth", "index", "leaf", "siblings"))
_LARGEST = 2**53 - 1
_BYTES = re.compile(r"0x(?:[0-9a-f]{2})*")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


def demand(holds: bool, what: str) -> None:
    """Raises ValueError unless it holds."""
    if not holds:
        raise ValueError(what)


def is_whole(value: object, least: int = 0) -> bool:
    """Whether it is an integer that every JSON reader keeps."""
    return type(value) is int and least <= value <= _LARGEST


def is_hex(value: object, size: int) -> bool:
    """Whether it is 0x and so many bytes in lower-case digits."""
    return isinstance(value, str) and len(value) == 2 + 2 * size and _BYTES.fullmatch(value) is not None


def bytes_of(told: object) -> bytes:
    """The bytes of 0x and lower-case digits. Raises ValueError."""
    if not isinstance(told, str) or _BYTES.fullmatch(told) is None:
        raise ValueError("hexadecimal data was expected")
    return bytes.fromhex(told[2:])


def check_first(about: Mapping[str, Any]) -> None:
    """The first line of a kind that is known. Raises ValueError."""
    demand(about.keys() == _ABOUT, "the first line lacks fields or has others")
    kind, contracts = about["kind"], about["contracts"]
    demand(is_whole(about["chain_id"]), "the chain id is no number")
    demand(is_hex(about["anchor"], 32), "the anchor is no block hash")
    demand(isinstance(contracts, dict) and contracts.keys() == set(NAMED[kind]), "it names other contracts")
    demand(all(is_hex(one, 20) for one in contracts.values()), "a contract has no address")
    holder, licence = about["holder"], about["licence"]
    demand(is_hex(holder, 20) or (holder is None and kind != HOLDER), "it does not say whom it is about")
    demand(holder is None or kind != FULL, "a full bundle is about no holder")
    demand(licence is None or (is_whole(licence, 1) and kind == FULL), "the licence is no number")


def _entry(told: Any) -> tuple[int, int]:
    """Block and time."""
    demand(isinstance(told, list) and len(told) == 6, "an entry has other fields")
    name, block, time, topic, number, data = told
    demand(name in CONTRACTS, "an entry names a contract without a journal")
    demand(is_whole(block) and is_whole(time), "a block or a time is no number")
    demand(is_hex(topic, 32) and is_hex(number, 32), "a topic is no word")
    demand(is_entry(name, (bytes_of(topic), bytes_of(number))), f"a log is no entry of {name}'s journal")
    bytes_of(data)
    return block, time


def _leaf(told: Any) -> tuple[str, int]:
    demand(isinstance(told, dict) and told.keys() == _LEAF, "a leaf has other fields")
    words = [told["split"], told["root"], told["leaf"], *told["siblings"]]
    demand(isinstance(told["siblings"], list) and all(is_hex(one, 32) for one in words), "a word is none")
    demand(is_decimal(told["total"]), "the total is no number")
    demand(is_whole(told["depth"]) and is_whole(told["index"]), "depth or index is no number")
    return told["split"], told["index"]


def _token(told: Any) -> tuple[str, str]:
    demand(isinstance(told, list) and len(told) == 2, "a token has other fields")
    demand(is_hex(told[0], 32) and is_hex(told[1], 20), "a split or a token is none")
    return told[0], told[1]


def _terms(told: Any) -> tuple[int]:
    demand(isinstance(told, list) and len(told) == 2 and is_whole(told[0], 1), "terms have other fields")
    bytes_of(told[1])
    return (told[0],)


def _balance(told: Any) -> tuple[str]:
    demand(isinstance(told, list) and len(told) == 2, "a balance has other fields")
    demand(is_hex(told[0], 20) and is_decimal(told[1]), "a token or its balance is none")
    return (told[0],)


def is_decimal(value: object) -> bool:
    """Whether it is an amount in its shortest form, of no more digits than a word has."""
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


#: Checks a line, and gives what the lines of its kind are ordered by: strictly, those of entries by block and time.
KEYS: Mapping[str, Callable[[Any], tuple[Any, ...]]] = {
    "entry": _entry,
    "leaf": _leaf,
    "token": _token,
    "terms": _terms,
    "balance": _balance,
}


def check_order(kind: str, before: tuple[Any, ...] | None, key: tuple[Any, ...]) -> None:
    """A line's place among those of its kind. Raises ValueError."""
    if before is None:
        return
    if kind == "entry":
        same = key[0] == before[0] and key[1] == before[1]
        demand(same or (key[0] > before[0] and key[1] >= before[1]), "entries are not in the chain's order")
    else:
        demand(key > before, f"lines of the kind {kind} are not in their order, or one stands twice")
