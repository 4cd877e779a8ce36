"""How long a full audit takes, against the time that its node needs to serve the same data."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.compiler import ROOT
from benchmarks.gas.licences import HYBRID
from benchmarks.gas.splits import split_of
from benchmarks.machine import keep, own_peak_bytes
from ledger.audit.engine import run
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.chain.contracts import Ledger
from ledger.chain.deploy import deploy, plan
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.rpc import Rpc, hex_bytes
from ledger.chain.sender import Sender
from ledger.domain.chain_terms import Offer
from ledger.domain.licence_types import Figures
from ledger.domain.split_types import Page

GENESIS = 946_684_800  # 1 January 2000
REPORTS, SPLITS, PAYEES = 100_000, 20, 50
GOALS = {"times_node": 2.0, "peak_mb": 500}
#: Months of each licence, and reports in one transaction.
MONTHS, AT_ONCE = 2_400, 150


class Chain:
    """Sends from anvil's own accounts, many transactions at a time."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self.accounts = rpc.call("eth_accounts")

    def send(self, requests: list[tuple[int, Request]]) -> None:
        """Sends them in order and checks that all succeeded; (account, request)."""
        calls = [
            (
                "eth_sendTransaction",
                (
                    {
                        "from": self.accounts[who],
                        "to": one.to,
                        "data": "0x" + one.data.hex(),
                        "gas": hex(16_777_216),
                    },
                ),
            )
            for who, one in requests
        ]
        hashes = self.rpc.batch(calls)
        for digest in hashes:
            if isinstance(digest, Exception):
                raise digest
        for (_, request), digest in zip(requests, hashes, strict=True):
            if self.rpc.await_receipt(hex_bytes(digest))["status"] != "0x1":
                raise SystemExit(f"a transaction of the benchmark failed: {request.note}")


def build(node: LocalNode, reports: int) -> None:
    """A ledger of 20 splits with 50 payees each, and so many reports, all paid."""
    chain = Chain(node.rpc)
    with tempfile.TemporaryDirectory() as folder, Sender(node.rpc, dev_signer(9), Path(folder)) as sender:
        planned, _ = deploy(sender, ["TestDollar"])
    ledger = Ledger(node.rpc)
    dollar = ledger.token(planned["TestDollar"].address)
    licensor, licensee = chain.accounts[:2]
    chain.send([(1, dollar.mint(licensee, 10**30)), (1, dollar.approve(ledger.licences.address, 10**30))])
    licences = -(-reports // MONTHS)
    terms = []
    for number in range(SPLITS):
        tree = split_of(f"audit {number}", PAYEES)
        pages = [Page(page, tree.page_words(page), tree.page_proof(page)) for page in range(tree.split.pages)]
        settings = {
            "worksRoot": b"\1" * 32,
            "fileHash": b"\2" * 32,
            "arbiter": licensor,
            "notice": 0,
            "disputeWindow": 3600,
            "arbiterWindow": 3600,
            "uri": "",
        }
        create = ledger.catalogues.request("create", settings, note="create a catalogue")
        chain.send([(0, create)])
        chain.send([(0, ledger.catalogues.publish_and_announce(number + 1, tree.split, pages))])
    for number in range(licences):
        # May 2199 is the last month that is over before the year 2200.
        what = replace(
            HYBRID,
            catalogue=number % SPLITS + 1,
            token=dollar.address,
            start=GENESIS + 86_400,
            end=0,
            upfront_fee=0,
            advance=False,
            licensee="0x" + "00" * 20,
        )
        offer = Offer(number, 2**40 - 1, "")
        encoded = what.encode()
        terms.append(encoded)
        chain.send([(0, ledger.licences.offer(encoded, offer))])
        chain.send([(1, ledger.licences.accept(encoded, offer))])
    node.advance_to(GENESIS + 201 * 365 * 86_400)
    left = reports
    for licence, encoded in enumerate(terms, 1):
        months = min(MONTHS, left)
        left -= months
        waiting = []
        for first in range(0, months, AT_ONCE):
            figures = [
                Figures(period, 10**12 + 123_457 * period, 10**10, report_hash=period.to_bytes(32, "big"))
                for period in range(first, min(months, first + AT_ONCE))
            ]
            waiting.append((1, ledger.licences.report_many(licence, encoded, figures, pay_now=True)))
        chain.send(waiting)
        print(f"\r{reports - left:,} reports", end="", file=sys.stderr)
    print(file=sys.stderr)


def measure(reports: int) -> dict[str, object]:
    """Builds the chain and audits it. Raises SystemExit unless the verdict is that all agrees."""
    with LocalNode.start(genesis_time=GENESIS) as node:
        started = time.perf_counter()
        build(node, reports)
        print(f"built in {time.perf_counter() - started:.1f} s", file=sys.stderr)
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
            started = time.perf_counter()
            verdict = run(NodeSource(rpc), plan(), Wanted(anchor=anchor))
            total = time.perf_counter() - started
    print(verdict.words, file=sys.stderr)
    if verdict.findings:
        raise SystemExit(f"{len(verdict.findings)} findings in a ledger that has none")
    return {
        "reports": reports,
        "splits": SPLITS,
        "payees": SPLITS * PAYEES,
        "entries": verdict.entries,
        "words": sum(one.compared for one in verdict.steps if one.expected),
        "seconds": round(total, 2),
        "node_seconds": round(served, 2),
        "times_node": round(total / served, 2),
        "peak_mb": round(own_peak_bytes() / 1e6),
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
