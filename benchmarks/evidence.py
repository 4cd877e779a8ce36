"""The evidence of an audit: entries read, decoded and folded, beside web3.py; roots of receipts, beside py-trie.

Both read the same logs from the same node in the same run. web3.py reads by `get_logs` and decodes each log by
`process_log` of its event; it folds nothing. Ours runs before it and after it, and the mean counts, since other work on
the machine comes and goes. Processor time is the reader's and the node's. Both roots are of the same encoded receipts.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import rlp  # type: ignore[import-untyped]
from trie import HexaryTrie  # type: ignore[import-untyped]

from benchmarks.audit import build
from benchmarks.machine import cpu_of, keep, own_cpu
from benchmarks.reported import AT_ONCE, GENESIS
from ledger.chain.artefacts import load
from ledger.chain.deploy import plan
from ledger.chain.node import LocalNode
from ledger.chain.reader import Reader
from ledger.chain.rpc import Rpc
from ledger.domain.canonical import ZERO32
from ledger.domain.journal import decode_entry, fold, is_entry
from ledger.domain.receipts import Log, Receipt, receipts_root
from ledger.domain.replay import CONTRACTS

#: Reports that leave 200,000 entries, 1.46 each.
REPORTS = 136_500
#: Blocks of one request of web3.py: a block holds thousands of entries.
SPAN = 2
#: Blocks, and receipts in each.
BLOCKS, RECEIPTS = 40, 200
GOALS = {"events_ratio": 20.0, "roots_ratio": 8.0}


def ours(url: str, addresses: dict[str, str]) -> tuple[int, float]:
    """Entries read, decoded and folded, and the seconds."""
    names = {address: name for name, address in addresses.items()}
    heads, many, started = dict.fromkeys(addresses, ZERO32), 0, time.perf_counter()
    with Rpc(url) as rpc:
        last = int(rpc.call("eth_blockNumber"), 16)
        for log in Reader(rpc, first_span=SPAN).logs(list(names), 0, last):
            name = names[log.address]
            if is_entry(name, log.topics):
                raw = log.raw()
                decode_entry(name, raw)
                heads[name] = fold(heads[name], raw)
                many += 1
    return many, time.perf_counter() - started


def theirs(url: str, addresses: dict[str, str]) -> tuple[int, float]:
    """Logs read and decoded by web3.py, and the seconds."""
    from eth_utils.abi import event_abi_to_log_topic
    from web3 import Web3

    web3 = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": 600}))
    events: dict[tuple[str, bytes], Any] = {}
    for name, address in addresses.items():
        contract = web3.eth.contract(address=Web3.to_checksum_address(address), abi=load(name).abi_entries)
        for one in load(name).abi_entries:
            if one["type"] == "event":
                topic = event_abi_to_log_topic(one)  # type: ignore[arg-type]
                events[contract.address, topic] = contract.events[one["name"]]()
    many, started = 0, time.perf_counter()
    last = web3.eth.block_number
    for first in range(0, last + 1, SPAN):
        where: Any = {
            "address": [Web3.to_checksum_address(one) for one in addresses.values()],
            "fromBlock": first,
            "toBlock": min(last, first + SPAN - 1),
        }
        for log in web3.eth.get_logs(where):
            events[log["address"], bytes(log["topics"][0])].process_log(log)
            many += 1
    return many, time.perf_counter() - started


def blocks() -> Iterator[list[bytes]]:
    """Encoded receipts of blocks as they are: a transfer or three in each, one in ten with more logs."""
    draw = random.Random(7)
    for _ in range(BLOCKS):
        gas, held = 0, []
        for number in range(RECEIPTS):
            gas += draw.randrange(21_000, 400_000)
            many = draw.randrange(4, 12) if number % 10 == 0 else draw.randrange(1, 4)
            logs = tuple(
                Log(
                    "0x" + draw.randbytes(20).hex(),
                    tuple(draw.randbytes(32) for _ in range(3)),
                    draw.randbytes(32),
                )
                for _ in range(many)
            )
            held.append(Receipt(2, b"\1", gas, logs).encoded())
        yield held


def roots() -> dict[str, object]:
    """Both roots of all blocks; they have to be the same."""
    encoded = list(blocks())
    started = time.perf_counter()
    found = [receipts_root(one) for one in encoded]
    own = time.perf_counter() - started
    started = time.perf_counter()
    for one, root in zip(encoded, found, strict=True):
        held = HexaryTrie({})
        for number, receipt in enumerate(one):
            held[rlp.encode(number)] = receipt
        if held.root_hash != root:
            raise SystemExit("py-trie finds another root")
    other = time.perf_counter() - started
    return {
        "receipts": BLOCKS * RECEIPTS,
        "roots_seconds": round(own, 3),
        "py_trie_seconds": round(other, 3),
        "roots_ratio": round(other / own, 1),
    }


def main(reports: int = REPORTS, name: str = "evidence") -> None:
    """Measures and keeps the figures."""
    planned = plan()
    addresses = {one: planned[one].address for one in CONTRACTS}
    with LocalNode.start(genesis_time=GENESIS) as node:
        build(node, reports)
        marks = [(0.0, own_cpu() + cpu_of(node.pid))]

        def noted(made: tuple[int, float]) -> int:
            marks.append((made[1], own_cpu() + cpu_of(node.pid)))
            return made[0]

        many = noted(ours(node.url, addresses))
        logs = noted(theirs(node.url, addresses))
        noted(ours(node.url, addresses))
    (before, loop, after) = (seconds for seconds, _ in marks[1:])
    cpu = [now - then for (_, then), (_, now) in pairwise(marks)]
    seconds, own = (before + after) / 2, (cpu[0] + cpu[2]) / 2
    print(f"{many:,} entries, {logs:,} logs, {AT_ONCE} reports a transaction", file=sys.stderr)
    figures = {
        "events": many,
        "seconds": round(seconds, 2),
        "web3_logs": logs,
        "web3_seconds": round(loop, 2),
        "events_ratio": round(loop / seconds * many / logs, 1),
        "cpu_seconds": round(own, 2),
        "web3_cpu_seconds": round(cpu[1], 2),
        "events_ratio_cpu": round(cpu[1] / own * many / logs, 1),
        **roots(),
    }
    keep(name, figures, GOALS, "web3", "trie", "httpx")


if __name__ == "__main__":
    main()
