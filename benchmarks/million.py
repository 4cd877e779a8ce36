"""A usage-weighted period divided among a million payees: published, posted, settled, paid by page, claimed.

`python -m benchmarks.million [PAYEES]`. The publication goes the way of `distribution publish`: pages read off the
tree, signed, kept, sent, mined. Every payee that is paid is asked for its balance: it has to be exactly its units.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.gas.chain import GENESIS_TIME, Chain
from benchmarks.gas.distributions import Periods, divided
from benchmarks.gas.licences import DAY, URI
from benchmarks.gas.splits import MILLION
from benchmarks.machine import cpu_of, keep, own_cpu, own_peak_bytes
from ledger.chain.node import LocalNode
from ledger.chain.requests import GAS_CAP, Outcome, Request, raise_failures
from ledger.chain.sender import Sender
from ledger.domain.canonical import keccak256
from ledger.domain.distribution_types import Distribution, Posting
from ledger.domain.merkle_sum import PAGE_SIZE, MerkleSumTree, Split, read_leaf
from ledger.domain.split_types import Leaf, PagePayout
from ledger.operations.distribution_plans import plan_publish, publish
from ledger.operations.session import Session, Settings

PAGES_PAID, CLAIMS = 20, 200
HELD = 12_345
#: Pages of one payout: 128 transfers to new holders take 3.4 million gas.
PAGES_TOGETHER = 4
GOALS = {"publish_payees_per_second": 20_000, "costliest_call_gas": GAS_CAP - 1}


@dataclass
class Work:
    """A chain with one paid usage-weighted period, and the session that the commands would work in."""

    periods: Periods
    session: Session
    sender: Sender
    gas: list[int]

    def send(self, *requests: Request) -> list[Outcome]:
        """Does all of them and keeps what they cost. Raises LedgerError."""
        outcomes = self.sender.send(requests)
        raise_failures(outcomes)
        self.gas += [one.gas_used for one in outcomes]
        return outcomes

    def balances(self, payees: list[str]) -> list[int]:
        """What each payee has of the token."""
        token = self.periods.ledger.token
        view = token.artefact.abi.function("balanceOf")
        calls = [
            ("eth_call", ({"to": token.address, "data": "0x" + view.encode(one).hex()}, "latest"))
            for one in payees
        ]
        return [int(answer, 16) for answer in self.session.rpc.batch(calls)]

    def check(self, tree: MerkleSumTree, indices: list[int]) -> None:
        """Ends the run unless each of these payees, who had nothing before, has exactly its units."""
        leaves = [read_leaf(tree.leaf(index)) for index in indices]
        for (payee, units), held in zip(leaves, self.balances([payee for payee, _ in leaves]), strict=True):
            if held != units:
                raise SystemExit(f"{payee} has {held} base units instead of {units}")


def measure(payees: int, pages_paid: int, claims: int) -> dict[str, object]:
    """All of it on a fresh local chain. Raises SystemExit where a payee has not its units."""
    with TemporaryDirectory() as home, LocalNode.start(genesis_time=GENESIS_TIME) as node:
        periods = Periods.on(Chain(node.rpc), 1)
        settings = Settings(home=Path(home), rpc=node.url, account=periods.grants.licensor.address)
        with (
            Session(settings) as session,
            Sender(session.rpc, periods.grants.licensor, Path(home)) as sender,
        ):
            return _measure(Work(periods, session, sender, []), payees, pages_paid, claims, node.pid)


def _measure(work: Work, payees: int, pages_paid: int, claims: int, pid: int) -> dict[str, object]:
    periods, session = work.periods, work.session
    amount = periods.waits(1)
    started = time.perf_counter()
    tree = divided(payees, amount - HELD)
    figures: dict[str, object] = {"payees": tree.leaves, "pages": tree.pages}
    figures["tree_seconds"] = round(time.perf_counter() - started, 2)

    load = os.getloadavg()[0]
    started, own, node = time.perf_counter(), own_cpu(), cpu_of(pid)
    _, missing = plan_publish(session, tree)
    published = publish(session, work.sender, tree, missing)
    seconds = time.perf_counter() - started
    work.gas += [one.gas_used for one in published]
    figures |= {
        "publish_calls": len(published),
        "publish_seconds": round(seconds, 2),
        "publish_payees_per_second": round(payees / seconds),
        "publish_own_cpu_seconds": round(own_cpu() - own, 2),
        "publish_node_cpu_seconds": round(cpu_of(pid) - node, 2),
        "publish_gas_per_payee": round(sum(work.gas) / payees, 1),
        "publish_load": round(load, 1),
    }

    posting = Posting(
        tree.split, amount, keccak256(b"usage"), keccak256(b"manifest"), keccak256(b"rule"), URI
    )
    contract, terms = session.ledger.distributions, periods.grants.terms[1]
    (posted,) = work.send(contract.post(1, terms, 0, [], posting))
    periods.chain.advance_to(periods.chain.now() + 30 * DAY + 1)
    what = Distribution(periods.ledger.token.address, tree.id, tree.split.total, amount)
    (settled,) = work.send(contract.settle(1, 0, [what]))
    figures |= {"post_gas": posted.gas_used, "settle_gas": settled.gas_used}
    return figures | _paid(work, tree, pages_paid, claims)


def _paid(work: Work, tree: MerkleSumTree, pages_paid: int, claims: int) -> dict[str, object]:
    """Random pages paid, then claims of random payees of other pages."""
    draw = Random(tree.leaves)
    full = range(-(-tree.leaves // PAGE_SIZE))
    chosen = draw.sample(full, pages_paid)
    token, splits = work.periods.ledger.token.address, work.session.ledger.splits
    requests = [
        splits.pay_pages(
            tree.split, token, [_payout(tree, page) for page in chosen[at : at + PAGES_TOGETHER]], occasion=""
        )
        for at in range(0, pages_paid, PAGES_TOGETHER)
    ]
    started = time.perf_counter()
    outcomes = work.send(*requests)
    figures: dict[str, object] = {"pages_paid": pages_paid, "pay_calls": len(requests)}
    in_pages = [
        index
        for page in chosen
        for index in range(page * PAGE_SIZE, min((page + 1) * PAGE_SIZE, tree.leaves))
    ]
    work.check(tree, in_pages)
    figures["payees_paid"] = len(in_pages)
    figures["pay_gas_per_payee"] = round(sum(one.gas_used for one in outcomes) / len(in_pages), 1)
    paid = set(chosen)
    rest: list[int] = []
    while len(rest) < claims:
        index = draw.randrange(tree.leaves)
        if index // PAGE_SIZE not in paid and index not in rest:
            rest.append(index)
    claimed = work.send(
        *(splits.claim([_leaf(tree.split, tree, token, index)], occasion="") for index in rest)
    )
    work.check(tree, rest)
    return figures | {
        "claims": claims,
        "claim_gas_most": max(one.gas_used for one in claimed),
        "pay_and_claim_seconds": round(time.perf_counter() - started, 2),
        "costliest_call_gas": max(work.gas),
        "peak_gb": round(own_peak_bytes() / 1e9, 2),
    }


def _payout(tree: MerkleSumTree, page: int) -> PagePayout:
    return PagePayout(page, 0, tree.page_words(page), tree.page_proof(page))


def _leaf(split: Split, tree: MerkleSumTree, token: str, index: int) -> Leaf:
    return Leaf(split, token, index, tree.leaf(index), tree.leaf_proof(index))


def main(payees: int = MILLION) -> None:
    """Measures and keeps the figures."""
    keep("million", measure(payees, PAGES_PAID, CLAIMS), GOALS, "coincurve", "numpy")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
