"""Reports sent by the ledger's sender, beside a web3.py loop over the same transactions, each on a fresh chain."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gas.chain import GENESIS_TIME, Call, Chain
from benchmarks.gas.licences import HYBRID, Grants, figures
from benchmarks.gas.splits import CATALOGUE, UNLIMITED, Ledger, content, pages, split_of
from benchmarks.machine import keep
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.sender import Sender
from ledger.chain.signing import Signer
from ledger.domain.calendar import month_start
from ledger.domain.canonical import keccak256

REPORTS = 5_000
LICENCES = 50
GOALS = {"ratio": 20.0}
#: January 2026, counted as ledger.domain.calendar counts months.
FIRST_MONTH = 2026 * 12


class Workload:
    """A fresh chain on which one licensee holds all licences and has all periods still to report."""

    def __init__(self, chain: Chain, reports: int) -> None:
        self.chain = chain
        self.key = keccak256(b"benchmark licensee")
        self.licensee = Signer(self.key)
        ledger = Ledger.on(chain)
        grants = Grants(chain, ledger, chain.signer("licensor"))
        licensee = chain.signer("licensee")
        tree = split_of("catalogue", 100)
        chain.gas(ledger.catalogues.create(CATALOGUE), grants.licensor.address)
        announce = ledger.catalogues.publishAndAnnounce(1, content(tree), pages(tree))
        chain.gas(announce, grants.licensor.address)
        chain.gas(ledger.token.transfer(licensee.address, 10**24))
        chain.gas(ledger.token.approve(grants.licences.address, UNLIMITED), licensee.address)
        # Years of months can be reported together where nothing is due before their end.
        terms = replace(HYBRID, token=ledger.token.address, end=0, cap=0, days_to_report=60_000, days_to_pay=60_000)
        for _ in range(min(LICENCES, reports)):
            grants.accept(terms, licensee, permit=False)
        self.calls: list[Call] = []
        periods = -(-reports // LICENCES)
        for licence, held in grants.terms.items():
            self.calls += [grants.licences.report(licence, held, figures(k), True) for k in range(periods)]
        del self.calls[reports:]
        chain.advance_to(month_start(FIRST_MONTH + periods))
        self.address = grants.licences.address

    def reported(self) -> int:
        """Transactions of the licensee that the chain has, all of them successful."""
        count = int(self.chain.rpc.call("eth_getTransactionCount", self.licensee.address, "latest"), 16)
        return count - 1 - LICENCES if count > LICENCES else 0


@contextmanager
def workload(reports: int) -> Iterator[Workload]:
    """The chain is a local one as the ledger starts it."""
    with LocalNode.start(genesis_time=GENESIS_TIME) as node:
        yield Workload(Chain(node.rpc), reports)


def by_sender(work: Workload) -> None:
    """All are tried first, then signed ahead, kept, and sent in batches."""
    requests = [
        Request(key=f"report/{number}", to=call.to, data=call.data, note=f"report {number}")
        for number, call in enumerate(work.calls)
    ]
    with tempfile.TemporaryDirectory() as folder, Sender(work.chain.rpc, work.licensee, Path(folder)) as sender:
        sender.send_all(requests)


def by_loop(work: Workload) -> None:
    """What people write: build, sign, send, wait, one after the other."""
    from web3 import HTTPProvider, Web3

    web3 = Web3(HTTPProvider(work.chain.rpc.url))
    account = web3.eth.account.from_key(work.key)
    for call in work.calls:
        transaction: Any = {
            "from": account.address,
            "to": Web3.to_checksum_address(call.to or ""),
            "data": "0x" + call.data.hex(),
            "nonce": web3.eth.get_transaction_count(account.address),
            "chainId": web3.eth.chain_id,
            "maxFeePerGas": 2 * (web3.eth.get_block("latest")["baseFeePerGas"]) + 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
        transaction["gas"] = web3.eth.estimate_gas(transaction)
        signed = account.sign_transaction(transaction)
        receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(signed.raw_transaction), poll_latency=0.01)
        if receipt["status"] != 1:
            raise SystemExit("a report of the loop reverted")


def seconds_of(send: Callable[[Workload], None], reports: int) -> float:
    """Wall-clock seconds of sending, the chain's preparation left out."""
    with workload(reports) as work:
        started = time.perf_counter()
        send(work)
        taken = time.perf_counter() - started
        if work.reported() != reports:
            raise SystemExit(f"{work.reported()} of {reports} reports are on the chain")
    return taken


def main(reports: int = REPORTS) -> None:
    """Measures both and keeps the rates."""
    ours = seconds_of(by_sender, reports)
    loop = seconds_of(by_loop, reports)
    found = {
        "what": f"{reports:,} reports sent",
        "reports": reports,
        "ours_seconds": round(ours, 2),
        "loop_seconds": round(loop, 2),
        "ours_per_second": round(reports / ours, 1),
        "loop_per_second": round(reports / loop, 1),
        "ratio": round(loop / ours, 1),
    }
    keep("send", found, GOALS, "web3", "coincurve")


__all__: Sequence[str] = ("main",)
