"""Ledgers with many reports: what the benches of the audit and of the page are built from."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.gas.licences import HYBRID
from ledger.chain.answers import hex_bytes
from ledger.chain.contracts import Ledger
from ledger.chain.deploy import deploy, plan
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Run

GENESIS = 946_684_800  # 1 January 2000
#: Reports in one transaction.
AT_ONCE = 150


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


def terms_of(catalogue: int) -> ChainTerms:
    """The terms of every licence of a catalogue. May 2199 is the last month that is over before the year 2200."""
    return replace(
        HYBRID,
        catalogue=catalogue,
        token=plan(["TestDollar"])["TestDollar"].address,
        start=GENESIS + 86_400,
        end=0,
        upfront_fee=0,
        advance=False,
        licensee="0x" + "00" * 20,
    )


def figures_of(period: int) -> Figures:
    """What is reported of a month."""
    return Figures(period, 10**12 + 123_457 * period, 10**10, report_hash=period.to_bytes(32, "big"))


def opened(node: LocalNode) -> tuple[Chain, Ledger]:
    """The ledger on a new chain; account 1, the licensee of all, has money and lets Licences take it."""
    chain = Chain(node.rpc)
    with tempfile.TemporaryDirectory() as folder, Sender(node.rpc, dev_signer(9), Path(folder)) as sender:
        planned, _ = deploy(sender, ["TestDollar"])
    ledger = Ledger(node.rpc)
    dollar = ledger.token(planned["TestDollar"].address)
    mint = dollar.mint(chain.accounts[1], 10**30)
    chain.send([(1, mint), (1, dollar.approve(ledger.licences.address, 10**30))])
    return chain, ledger


def add_catalogue(chain: Chain, ledger: Ledger, number: int, tree: MerkleSumTree) -> None:
    """Catalogue `number`, the next one, of account 0, with its split published and in force."""
    settings = {
        "worksRoot": b"\1" * 32,
        "fileHash": b"\2" * 32,
        "arbiter": chain.accounts[0],
        "notice": 0,
        "disputeWindow": 3600,
        "arbiterWindow": 3600,
        "uri": "",
    }
    chain.send([(0, ledger.catalogues.request("create", settings, note="create a catalogue"))])
    pages = [Run(page, tree.page_words(page), tree.page_proof(page)) for page in range(tree.split.pages)]
    chain.send([(0, ledger.catalogues.publish_and_announce(number, tree.split, pages))])


def add_licence(chain: Chain, ledger: Ledger, nonce: int, encoded: bytes) -> None:
    """The next licence, offered on chain and accepted by account 1."""
    offer = Offer(nonce, 2**40 - 1, "")
    chain.send([(0, ledger.licences.offer(encoded, offer))])
    chain.send([(1, ledger.licences.accept(encoded, offer))])


def report(chain: Chain, ledger: Ledger, licence: int, encoded: bytes, months: Sequence[int]) -> None:
    """Reports and pays months of a licence that are over, many in one transaction."""
    batches = [months[first : first + AT_ONCE] for first in range(0, len(months), AT_ONCE)]
    calls = [
        ledger.licences.report_many(licence, encoded, list(map(figures_of, one)), pay_now=True)
        for one in batches
    ]
    chain.send([(1, one) for one in calls])
