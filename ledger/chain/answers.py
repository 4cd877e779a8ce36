"""What a node answers, checked before it is taken apart: a node's nonsense is told as such and is no fault of ours."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from ledger.domain.errors import UnreachableError

#: What the methods whose answers are taken apart give: the kind, and the fields that are always there.
_SHAPES: dict[str, tuple[type, Set[str]]] = {
    "eth_getBlockByNumber": (dict, {"number", "hash", "timestamp"}),
    "eth_getTransactionReceipt": (dict, {"status", "gasUsed"}),
    "eth_getLogs": (
        list,
        {"address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"},
    ),
    "eth_simulateV1": (list, {"calls"}),
}
#: Of these null says that there is none.
_MAY_BE_NULL = frozenset({"eth_getBlockByNumber", "eth_getTransactionReceipt"})


def hex_int(value: str) -> int:
    """A JSON-RPC quantity. Raises UnreachableError for what is none."""
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise senseless(f"Where a number belongs stands {value!s:.80}.") from None


def hex_bytes(value: str) -> bytes:
    """JSON-RPC data. Raises UnreachableError for what is none."""
    try:
        return bytes.fromhex(value[2:])
    except (TypeError, ValueError, KeyError):
        raise senseless(f"Where data belong stands {value!s:.80}.") from None


class SenselessAnswer(UnreachableError, ValueError):
    """An answer that is JSON-RPC and yet none that the method gives."""


def senseless(why: str, where: str = "") -> SenselessAnswer:
    """The error for such an answer."""
    return SenselessAnswer(
        "The node's answer makes no sense.",
        where,
        why,
        "Name another node (--rpc URL), then run the same command again: nothing is done twice.",
    )


def check_result(method: str, result: Any, where: str) -> None:
    """Raises UnreachableError where a result is not of its method's kind."""
    if method not in _SHAPES or (result is None and method in _MAY_BE_NULL):
        return
    kind, fields = _SHAPES[method]
    parts = result if isinstance(result, list) else [result]
    if not isinstance(result, kind) or not all(
        isinstance(part, dict) and part.keys() >= fields for part in parts
    ):
        raise senseless(f"{method} gave {result!s:.80}.", where)
