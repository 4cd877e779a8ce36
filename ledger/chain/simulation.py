"""Trying transactions without sending them, and finding out why one was refused."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.chain.answers import hex_bytes, hex_int
from ledger.chain.requests import GAS_CAP, Request
from ledger.chain.rpc import Rpc, RpcError, call_object
from ledger.domain.errors import ExitCode, LedgerError
from ledger.domain.reverts import UnknownRevert, decode_revert

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """What a request would do now: gas, result, or the contract's refusal."""

    gas: int
    result: bytes
    error: LedgerError | None


def try_in_order(rpc: Rpc, sender: str, requests: Sequence[Request]) -> list[Trial]:
    """What the requests would do one after another, each seeing those before it (eth_simulateV1).

    Where a node cannot do that each is tried alone. Then only the first refusal can be believed, and only of
    the first request: the others may need those before them, so they count as possible, without a gas figure.
    """
    try:
        return _simulate(rpc, sender, requests)
    except RpcError as error:
        if error.reverted:
            raise
    calls = [call_object(one.to, one.data, sender=sender, value=one.value) for one in requests]
    trials = []
    for place, answer in enumerate(rpc.batch([("eth_estimateGas", (call,)) for call in calls])):
        if not isinstance(answer, RpcError):
            trials.append(Trial(hex_int(answer), b"", None))
        else:
            trials.append(Trial(0, b"", answer.reason() if place == 0 else None))
    return trials


def _simulate(rpc: Rpc, sender: str, requests: Sequence[Request]) -> list[Trial]:
    calls = [call_object(one.to, one.data, sender=sender, value=one.value) for one in requests]
    # One block for each hundred calls: a block has a gas limit.
    blocks: list[dict[str, Any]] = [
        {"calls": calls[start : start + _AT_ONCE]} for start in range(0, len(calls), _AT_ONCE)
    ]
    if rpc.is_local:
        now = chain_time(rpc)
        for number, block in enumerate(blocks):
            block["blockOverrides"] = {"time": hex(now + number), "gasLimit": hex(GAS_CAP * _AT_ONCE)}
    held = rpc.call("eth_simulateV1", {"blockStateCalls": blocks, "validation": False}, "latest")
    trials = []
    for one in (call for block in held for call in block["calls"]):
        data = hex_bytes(one["returnData"])
        error = None
        if one["status"] != "0x1":
            answer = one.get("error", {}).get("data")
            error = decode_revert(hex_bytes(answer) if isinstance(answer, str) else data)
        trials.append(Trial(hex_int(one["gasUsed"]), data, error))
    return trials


def chain_time(rpc: Rpc) -> int:
    """The time that the next block will have, about: the local chain's clock, else the wall's."""
    if rpc.is_local:
        return int(time.time()) + int(rpc.call("evm_increaseTime", 0))
    return int(time.time())


def why_reverted(rpc: Rpc, sender: str, request: Request, receipt: dict[str, Any]) -> LedgerError:
    """Why a mined transaction was refused: its trace where the node gives one, else the call played again."""
    data = _traced(rpc, receipt["transactionHash"])
    if data is None:
        data = _played_again(rpc, sender, request, hex_int(receipt["blockNumber"]))
    if not data and request.gas is not None and hex_int(receipt["gasUsed"]) >= request.gas * 63 // 64:
        return LedgerError(
            "The transaction ran out of gas.",
            request.note,
            f"It was given {request.gas:,}.",
            f"Run it again with a higher gas limit (at most {GAS_CAP:,}).",
            ExitCode.REVERTED,
        )
    return decode_revert(data) if data else UnknownRevert(b"")


def _traced(rpc: Rpc, transaction: str) -> bytes | None:
    settings = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
    try:
        held = rpc.call("debug_traceTransaction", transaction, settings)
        return hex_bytes(held.get("output") or "0x")
    except (LedgerError, AttributeError, ValueError):
        return None


def _played_again(rpc: Rpc, sender: str, request: Request, block: int) -> bytes:
    # First as its block began, then as it ended: within the block others may have come before it.
    held = call_object(request.to, request.data, sender=sender, value=request.value, gas=request.gas or 0)
    for number in (block - 1, block):
        try:
            rpc.call("eth_call", held, hex(number))
        except RpcError as error:
            if error.data:
                return error.data
    return b""
