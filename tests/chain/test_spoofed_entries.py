"""Entries count only from our own addresses, whatever a node mixes in (P-14)."""

from __future__ import annotations

from typing import Any

from ledger.chain.reader import Reader
from ledger.domain.journal import Entry, encode_entry

OURS, SPOOF = "0x" + "a1" * 20, "0x" + "b2" * 20
PAYEE = "0x" + "c3" * 20


class MixingNode:
    """A node that serves the logs of a look-alike too, though it was asked for those of ours."""

    def __init__(self, logs: list[dict[str, Any]]) -> None:
        self.logs = logs

    def call(self, method: str, *_: Any) -> Any:
        assert method == "eth_getLogs"
        return list(self.logs)

    def batch(self, calls: list[Any]) -> list[Any]:
        assert not calls
        return []


def log(address: str, to: str, index: int) -> dict[str, Any]:
    made = encode_entry(
        "Splits",
        Entry("StandingAddressSet", bytes(12) + bytes.fromhex(PAYEE[2:]), PAYEE, {"to": to}),
        7,
        1_800_000_000,
    )
    return {
        "address": address,
        "blockNumber": "0x7",
        "blockTimestamp": hex(1_800_000_000),
        "blockHash": "0x" + "00" * 32,
        "transactionHash": "0x" + "00" * 32,
        "logIndex": hex(index),
        "topics": ["0x" + made.topic0.hex(), "0x" + made.topic1.hex()],
        "data": "0x" + made.data.hex(),
    }


def test_p14_an_entry_of_a_look_alike_is_no_entry_of_ours() -> None:
    honest, spoofed = log(OURS, PAYEE, 0), log(SPOOF, SPOOF, 1)
    reader = Reader(MixingNode([honest, spoofed]))  # type: ignore[arg-type]
    found = reader.journals({"Splits": OURS}, 0, 7)
    assert [one.address for one in found["Splits"]] == [OURS]
