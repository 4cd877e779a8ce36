"""How long a full audit takes, against the time that its node needs to serve the same data; and the one after it.

The audit keeps what it verified in a store. The node's time is taken apart: what the audit asked is asked once more,
one request after the other, and the answers are thrown away. Then 1,000 blocks with a report each are mined, and the
second audit goes on from the store. Memory is the most that the process, one of its own, held until the first ended.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.compiler import ROOT
from benchmarks.gas.splits import split_of
from benchmarks.machine import cpu_of, keep, own_cpu, own_peak_bytes
from benchmarks.reported import (
    GENESIS,
    Chain,
    add_catalogue,
    add_licence,
    figures_of,
    opened,
    report,
    terms_of,
)
from ledger.audit.findings import Verdict
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.audit.verified.run import StoredAudit
from ledger.audit.verified.store import Identity, Store
from ledger.chain.answers import hex_bytes
from ledger.chain.contracts import Ledger
from ledger.chain.deploy import plan
from ledger.chain.node import LocalNode
from ledger.chain.rpc import Rpc
from ledger.domain.replay import CONTRACTS

REPORTS, SPLITS, PAYEES = 100_000, 20, 50
#: Blocks between the first audit and the second.
BLOCKS = 1_000
GOALS = {"times_node": 2.0, "peak_mb": 500, "second_of_first": 0.05}
#: Seconds for the blocks: a node with much state mines a few of them a second.
_PATIENCE = 3_600
#: Months of each licence.
MONTHS = 2_000


def build(node: LocalNode, reports: int) -> None:
    """A ledger of 20 splits with 50 payees each, and so many reports, all paid."""
    chain, ledger = opened(node)
    for number in range(1, SPLITS + 1):
        add_catalogue(chain, ledger, number, split_of(f"audit {number - 1}", PAYEES))
    terms = [encoded_terms(number) for number in range(-(-reports // MONTHS))]
    for number, encoded in enumerate(terms):
        add_licence(chain, ledger, number, encoded)
    node.advance_to(GENESIS + 201 * 365 * 86_400)
    left = reports
    for licence, encoded in enumerate(terms, 1):
        months = min(MONTHS, left)
        left -= months
        report(chain, ledger, licence, encoded, range(months))
        print(f"\r{reports - left:,} reports", end="", file=sys.stderr)
    print(file=sys.stderr)


def encoded_terms(number: int) -> bytes:
    """The terms of the licence with this number, counted from 0: the catalogues take turns."""
    return terms_of(number % SPLITS + 1).encode()


def more(node: LocalNode, reports: int, blocks: int) -> None:
    """So many blocks more, with a report of one period each, after `reports`."""
    chain, ledger = Chain(node.rpc), Ledger(node.rpc)
    licence = -(-(reports + 1) // MONTHS)
    first = reports - (licence - 1) * MONTHS
    if first + blocks > MONTHS:
        raise SystemExit("the last licence has too few months left for the second audit")
    encoded = encoded_terms(licence - 1)
    if first == 0:
        node.rpc.call("evm_setAutomine", True)
        add_licence(chain, ledger, licence - 1, encoded)
    goal = int(node.rpc.call("eth_blockNumber"), 16) + blocks
    sent: list[str] = []
    for period in range(first, first + blocks):
        one = ledger.licences.report_many(licence, encoded, [figures_of(period)], pay_now=True)
        told = {
            "from": chain.accounts[1],
            "to": one.to,
            "data": "0x" + one.data.hex(),
            "gas": hex(16_777_216),
        }
        sent.append(node.rpc.call("eth_sendTransaction", told))
    if chain.rpc.await_receipt(hex_bytes(sent[-1]), _PATIENCE)["status"] != "0x1":
        raise SystemExit("a report of the benchmark failed")
    # Two of them may have come into one block.
    node.rpc.call("anvil_mine", hex(goal - int(node.rpc.call("eth_blockNumber"), 16)))


@dataclass(frozen=True)
class Taken:
    """An audit and what it took, in seconds: by the clock, of it waiting for answers; CPU, of it the node's."""

    verdict: Verdict
    seconds: float
    waited: float
    own_cpu: float
    node_cpu: float


def audit(node: LocalNode, store: Path, asked: IO[bytes] | None = None) -> Taken:
    """An anchored audit upon a store; `asked` is given what the node was asked, a line each."""
    anchor = bytes.fromhex(node.rpc.call("eth_getBlockByNumber", "latest", False)["hash"][2:])
    with Rpc(node.url) as rpc:
        waited = 0.0
        post = rpc._post

        def timed(content: bytes) -> Any:
            nonlocal waited
            if asked is not None:
                asked.write(content + b"\n")
            start = time.perf_counter()
            try:
                return post(content)
            finally:
                waited += time.perf_counter() - start

        rpc._post = timed  # type: ignore[method-assign]
        planned = plan()
        started, own, of_node = time.perf_counter(), own_cpu(), cpu_of(node.pid)
        contracts = {name: planned[name].address for name in CONTRACTS}
        with Store(store, bytes(32), Identity(rpc.chain_id, rpc.genesis, contracts)) as kept:
            verdict = StoredAudit(kept, NodeSource(rpc), planned).run(Wanted(anchor=anchor))
        taken = Taken(
            verdict,
            time.perf_counter() - started,
            waited,
            own_cpu() - own,
            cpu_of(node.pid) - of_node,
        )
    print(f"{verdict.words}: {taken.seconds:.1f} s, CPU {taken.own_cpu:.1f} s", file=sys.stderr)
    if verdict.findings:
        raise SystemExit(f"{len(verdict.findings)} findings in a ledger that has none: {verdict.findings[0]}")
    return taken


def served_again(node: LocalNode, asked: IO[bytes]) -> float:
    """The seconds that the node needs for the same requests when nothing else is done beside."""
    asked.seek(0)
    seconds = 0.0
    with Rpc(node.url) as rpc:
        for line in asked:
            started = time.perf_counter()
            rpc._post(line.rstrip(b"\n"))
            seconds += time.perf_counter() - started
    return seconds


def measure(reports: int) -> dict[str, object]:
    """Builds the chain and audits it. Raises SystemExit unless the verdict is that all agrees."""
    with (
        LocalNode.start(genesis_time=GENESIS) as node,
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as asked,
    ):
        started = time.perf_counter()
        build(node, reports)
        print(f"built in {time.perf_counter() - started:.1f} s", file=sys.stderr)
        store = Path(folder) / "history.store"
        first = audit(node, store, asked)
        peak = own_peak_bytes()
        served = served_again(node, asked)
        print(f"the same data served in {served:.1f} s", file=sys.stderr)
        more(node, reports, BLOCKS)
        second = audit(node, store)
        size = store.stat().st_size
    return {
        "reports": reports,
        "splits": SPLITS,
        "payees": SPLITS * PAYEES,
        "entries": first.verdict.entries,
        "words": sum(one.compared for one in first.verdict.steps if one.expected),
        "seconds": round(first.seconds, 2),
        "node_seconds": round(served, 2),
        "times_node": round(first.seconds / served, 2),
        "cpu_seconds": round(first.own_cpu, 2),
        "node_cpu_seconds": round(first.node_cpu, 2),
        "peak_mb": round(peak / 1e6),
        "store_mb": round(size / 1e6, 1),
        "new_blocks": BLOCKS,
        "new_entries": second.verdict.entries - first.verdict.entries,
        "second_seconds": round(second.seconds, 2),
        "second_node_seconds": round(second.waited, 2),
        "second_cpu_seconds": round(second.own_cpu, 2),
        "second_node_cpu_seconds": round(second.node_cpu, 2),
        "second_of_first": round(second.seconds / first.seconds, 3),
    }


def alone(reports: int) -> dict[str, object]:
    """The same in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "benchmarks.audit", "--reports", str(reports)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main(reports: int = REPORTS, name: str = "audit") -> None:
    """Measures and keeps the figures."""
    keep(name, alone(reports), GOALS, "httpx")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=REPORTS)
    print(json.dumps(measure(parser.parse_args().reports)))
