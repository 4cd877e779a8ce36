"""`report import` of 5,000 reports, beside a web3.py loop over the same transactions, each on a fresh chain."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.gas.chain import GENESIS_TIME, Chain
from benchmarks.gas.licences import HYBRID, Grants
from benchmarks.gas.splits import CATALOGUE, UNLIMITED, Ledger, content, pages, split_of
from benchmarks.machine import keep
from ledger.chain.artefacts import load
from ledger.chain.deploy import addresses
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.sender import Sender
from ledger.chain.signing import Signer
from ledger.domain.calendar import month_start
from ledger.domain.canonical import keccak256
from ledger.operations.report_files import read_reports
from ledger.operations.report_plans import Rules
from ledger.operations.reports import TOGETHER, import_reports, plan_reports, report_requests
from ledger.operations.session import Session, Settings

REPORTS = 5_000
LICENCES = 50
GOALS = {"ratio": 20.0}
#: January 2026, counted as ledger.domain.calendar counts months.
FIRST_MONTH = 2026 * 12
RULES = Rules(pay_now=True, confirmed=True)


class Workload:
    """A fresh chain on which one licensee holds all licences, and the CSV of all that it has to report."""

    def __init__(self, chain: Chain, home: Path, reports: int) -> None:
        self.chain = chain
        self.key = keccak256(b"benchmark licensee")
        self.signer = Signer(self.key)
        self.home = home
        ledger = Ledger.on(chain)
        self._grant(ledger)
        periods = -(-reports // LICENCES)
        lines = ["ChainId,LicenceId,PeriodStart,PeriodEnd,CurrencyOfReporting,GrossRevenue"]
        days = [
            time.strftime("%Y-%m-%d", time.gmtime(month_start(FIRST_MONTH + k))) for k in range(periods + 1)
        ]
        ends = [
            time.strftime("%Y-%m-%d", time.gmtime(month_start(FIRST_MONTH + k + 1) - 1))
            for k in range(periods)
        ]
        for licence in range(1, LICENCES + 1):
            for k in range(periods):
                gross = f"{1_200_000 + 1_234 * licence + 57 * k}.25"
                lines.append(f"{chain.rpc.chain_id},{licence},{days[k]},{ends[k]},BENCH,{gross}")
        self.csv = "\n".join(lines[: reports + 1]).encode()
        chain.advance_to(month_start(FIRST_MONTH + periods))

    def _grant(self, ledger: Ledger) -> None:
        chain = self.chain
        grants = Grants(chain, ledger, chain.signer("licensor"))
        chain.signer("licensee")
        tree = split_of("catalogue", 100)
        chain.gas(ledger.catalogues.create(CATALOGUE), grants.licensor.address)
        announce = ledger.catalogues.publishAndAnnounce(1, content(tree), pages(tree))
        chain.gas(announce, grants.licensor.address)
        chain.gas(ledger.token.transfer(self.signer.address, 10**24))
        chain.gas(ledger.token.approve(grants.licences.address, UNLIMITED), self.signer.address)
        # Years of months can be reported together where nothing is due before their end.
        terms = replace(
            HYBRID, token=ledger.token.address, end=0, cap=0, days_to_report=60_000, days_to_pay=60_000
        )
        for _ in range(LICENCES):
            grants.accept(terms, self.signer, permit=False)

    def session(self) -> Session:
        """What the commands work in."""
        return Session(Settings(home=self.home, rpc=self.chain.rpc.url))

    def requests(self, together: int) -> list[Request]:
        """The transactions that the import would send."""
        rows, findings = read_reports(self.csv)
        with self.session() as session:
            plan = plan_reports(session, rows, sender=self.signer.address, rules=RULES, findings=findings)
            return report_requests(session, plan, pay_now=True, together=together)

    def check(self, reports: int) -> None:
        """Ends the run unless the chain has booked every report."""
        view = load("Licences").abi.function("stateOf")
        address = addresses()["Licences"]
        booked = 0
        for licence in range(1, LICENCES + 1):
            booked += view.decode(self.chain.rpc.eth_call(address, view.encode(licence))).nextPeriod
        if booked != reports:
            raise SystemExit(f"{booked} of {reports} reports are on the chain")


@contextmanager
def workload(reports: int) -> Iterator[Workload]:
    """The chain is a local one as the ledger starts it."""
    with tempfile.TemporaryDirectory() as home, LocalNode.start(genesis_time=GENESIS_TIME) as node:
        yield Workload(Chain(node.rpc), Path(home), reports)


def imported(reports: int, together: int) -> float:
    """Seconds of the whole import: file read and checked, history read, lines worked out, sent, mined."""
    with workload(reports) as work:
        started = time.perf_counter()
        rows, findings = read_reports(work.csv)
        with work.session() as session, Sender(session.rpc, work.signer, work.home) as sender:
            import_reports(session, sender, rows, rules=RULES, findings=findings, together=together)
        taken = time.perf_counter() - started
        work.check(reports)
    return taken


def looped(reports: int, together: int) -> tuple[float, int]:
    """Seconds of what people write, and its transactions: build, sign, send, wait, one after the other."""
    from web3 import HTTPProvider, Web3

    with workload(reports) as work:
        requests = work.requests(together)
        web3 = Web3(HTTPProvider(work.chain.rpc.url))
        account = web3.eth.account.from_key(work.key)
        started = time.perf_counter()
        for one in requests:
            transaction: Any = {
                "from": account.address,
                "to": Web3.to_checksum_address(one.to or ""),
                "data": "0x" + one.data.hex(),
                "nonce": web3.eth.get_transaction_count(account.address),
                "chainId": web3.eth.chain_id,
                "maxFeePerGas": 2 * web3.eth.get_block("latest")["baseFeePerGas"] + 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
            transaction["gas"] = web3.eth.estimate_gas(transaction) * 14 // 10
            signed = account.sign_transaction(transaction)
            digest = web3.eth.send_raw_transaction(signed.raw_transaction)
            receipt = web3.eth.wait_for_transaction_receipt(digest, poll_latency=0.01)
            if receipt["status"] != 1:
                raise SystemExit("a transaction of the loop reverted")
        taken = time.perf_counter() - started
        work.check(reports)
    return taken, len(requests)


def main(reports: int = REPORTS) -> None:
    """Measures one report a transaction, and the grouping that the command uses, each beside its loop.

    The imports run before and after the loops and the mean counts, since other work on the machine comes and goes.
    """
    load = os.getloadavg()[0]
    before = imported(reports, 1), imported(reports, TOGETHER)
    (single_loop, _), (grouped_loop, count) = looped(reports, 1), looped(reports, TOGETHER)
    after = imported(reports, 1), imported(reports, TOGETHER)
    single, grouped = (mean(pair) for pair in zip(before, after, strict=True))
    found = {
        "what": f"`report import` of {reports:,} reports",
        "reports": reports,
        "licences": LICENCES,
        "single_runs": [round(one[0], 2) for one in (before, after)],
        "single_seconds": round(single, 2),
        "single_loop_seconds": round(single_loop, 2),
        "single_ratio": round(single_loop / single, 1),
        "grouped_transactions": count,
        "grouped_runs": [round(one[1], 2) for one in (before, after)],
        "grouped_seconds": round(grouped, 2),
        "grouped_loop_seconds": round(grouped_loop, 2),
        "grouped_ratio": round(grouped_loop / grouped, 1),
        "ratio": round(single_loop / grouped, 1),
        "load_before": round(load, 1),
    }
    keep("send", found, GOALS, "web3", "coincurve")
