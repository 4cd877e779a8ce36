"""How long a full audit takes, against the time that its node needs to serve the same data; and the one after it.

The first audit keeps what it verified in a store; then 1,000 blocks with a report each are mined, and the second audit
goes on from there. Memory is that of the first audit without a store, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.compiler import ROOT
from benchmarks.gas.splits import split_of
from benchmarks.machine import keep, own_peak_bytes
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
from ledger.audit.engine import run
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
    if chain.rpc.await_receipt(hex_bytes(sent[-1]))["status"] != "0x1":
        raise SystemExit("a report of the benchmark failed")
    # Two of them may have come into one block.
    node.rpc.call("anvil_mine", hex(goal - int(node.rpc.call("eth_blockNumber"), 16)))


def audit(node: LocalNode, store: Path | None) -> tuple[Verdict, float, float]:
    """An anchored audit, upon a store if one is named: verdict, seconds, and the seconds of them that the node took."""
    anchor = bytes.fromhex(node.rpc.call("eth_getBlockByNumber", "latest", False)["hash"][2:])
    with Rpc(node.url) as rpc:
        served = 0.0
        post = rpc._post

        def timed(*given: Any, **named: Any) -> Any:
            nonlocal served
            start = time.perf_counter()
            try:
                return post(*given, **named)
            finally:
                served += time.perf_counter() - start

        rpc._post = timed  # type: ignore[method-assign]
        planned, wanted = plan(), Wanted(anchor=anchor)
        started = time.perf_counter()
        if store is None:
            verdict = run(NodeSource(rpc), planned, wanted)
        else:
            contracts = {name: planned[name].address for name in CONTRACTS}
            with Store(store, bytes(32), Identity(rpc.chain_id, rpc.genesis, contracts)) as kept:
                verdict = StoredAudit(kept, NodeSource(rpc), planned).run(wanted)
        total = time.perf_counter() - started
    print(f"{verdict.words}: {total:.1f} s, of them {served:.1f} s the node", file=sys.stderr)
    if verdict.findings:
        raise SystemExit(f"{len(verdict.findings)} findings in a ledger that has none: {verdict.findings[0]}")
    return verdict, total, served


def measure(reports: int) -> dict[str, object]:
    """Builds the chain and audits it. Raises SystemExit unless the verdict is that all agrees."""
    with LocalNode.start(genesis_time=GENESIS) as node, tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        build(node, reports)
        print(f"built in {time.perf_counter() - started:.1f} s", file=sys.stderr)
        verdict, total, served = audit(node, None)
        peak = own_peak_bytes()
        store = Path(folder) / "history.store"
        _, first, _ = audit(node, store)
        more(node, reports, BLOCKS)
        again, second, second_served = audit(node, store)
        size = store.stat().st_size
    return {
        "reports": reports,
        "splits": SPLITS,
        "payees": SPLITS * PAYEES,
        "entries": verdict.entries,
        "words": sum(one.compared for one in verdict.steps if one.expected),
        "seconds": round(total, 2),
        "node_seconds": round(served, 2),
        "times_node": round(total / served, 2),
        "peak_mb": round(peak / 1e6),
        "first_kept_seconds": round(first, 2),
        "store_mb": round(size / 1e6, 1),
        "new_blocks": BLOCKS,
        "new_entries": again.entries - verdict.entries,
        "second_seconds": round(second, 2),
        "second_node_seconds": round(second_served, 2),
        "second_of_first": round(second / total, 3),
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
