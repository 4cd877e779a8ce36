"""What the tests of verified history share: audits upon a store, and a look into its file."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ledger.audit.findings import Verdict
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.audit.verified.run import StoredAudit
from ledger.audit.verified.store import Identity, Store, digest_of
from ledger.chain.deploy import plan
from ledger.chain.rpc import Rpc
from ledger.domain.chain_terms import SCOPES, Offer
from ledger.domain.licence_types import Figures
from ledger.domain.replay import CONTRACTS
from ledger.domain.split_types import PagePayout

KEY = bytes(range(32))


def identity(rpc: Rpc) -> Identity:
    """The ledger behind a connection."""
    planned = plan()
    return Identity(rpc.chain_id, rpc.genesis, {name: planned[name].address for name in CONTRACTS})


class Shelf:
    """A store's file, audits upon it through one connection, and ways to change it."""

    def __init__(self, path: Path, rpc: Rpc) -> None:
        self.path, self.rpc = path, rpc

    def store(self, key: bytes = KEY) -> Store:
        return Store(self.path, key, identity(self.rpc))

    def audit(self, rpc: Rpc | None = None, **wanted: Any) -> Verdict:
        """An audit at the newest block, unless another anchor is named."""
        if "anchor" not in wanted:
            wanted["anchor"] = bytes.fromhex(
                self.rpc.call("eth_getBlockByNumber", "latest", False)["hash"][2:]
            )
        with self.store() as store:
            return StoredAudit(store, NodeSource(rpc or self.rpc), plan()).run(Wanted(**wanted))

    def sql(self, text: str, *values: object) -> list[Any]:
        base = sqlite3.connect(self.path)
        with base:
            found = base.execute(text, values).fetchall()
        base.close()
        return found

    def part(self, name: str, number: int = 0) -> bytes:
        ((data,),) = self.sql("select data from part where name = ? and number = ?", name, number)
        return bytes(data)

    def put(self, name: str, data: bytes, *, sealed: bool) -> None:
        """Writes a part; `sealed`: as one who has the key would."""
        self.sql("update part set data = ? where name = ? and number = 0", data, name)
        if sealed:
            body = self.body()
            body["parts"][name][0] = digest_of(data)
            self.seal(body)

    def body(self) -> dict[str, Any]:
        ((text,),) = self.sql("select body from checkpoint order by id desc limit 1")
        return dict(json.loads(text))

    def seal(self, body: dict[str, Any], key: bytes = KEY) -> None:
        text = json.dumps(body)
        seal = blake2b(text.encode(), key=key, digest_size=32).digest()
        self.sql("update checkpoint set body = ?, seal = ? where id = ?", text, seal, body["id"])


def step(verdict: Verdict, name: str) -> Any:
    """The step of a name."""
    return next(one for one in verdict.steps if one.name == name)


# ---- what happens on the chain, without the outbox of the command line: after a chain was set back that would settle
# what it had sent


def send(scene: Any, who: int, request: Any) -> None:
    """One transaction of one of anvil's own accounts."""
    told = {
        "from": scene.rpc.call("eth_accounts")[who],
        "to": request.to,
        "data": "0x" + request.data.hex(),
        "gas": hex(16_000_000),
    }
    digest = scene.rpc.call("eth_sendTransaction", told)
    assert scene.rpc.await_receipt(bytes.fromhex(digest[2:]))["status"] == "0x1", request.note


def report(scene: Any, gross: int) -> int:
    """The next period of the licence is reported and paid; its number."""
    book = scene.books().licences
    terms, period = book.grants[scene.licence].terms, book.states[scene.licence].next_period
    licences = scene.ledger.licences
    send(scene, 1, scene.dollar.approve(licences.address, 10**12))
    figures = [Figures(period, gross, report_hash=b"\7" * 32)]
    send(scene, 1, licences.report_many(scene.licence, terms.encode(), figures, pay_now=True))
    return period


def go_on(scene: Any) -> None:
    """Something of most kinds: a report, an objection to it, a page paid, a standing address, a licence more."""
    scene.after("2024-07-02")
    period = report(scene, 700_000_000)
    ledger, book = scene.ledger, scene.books().licences
    terms = book.grants[scene.licence].terms
    lower = Figures(period, 1_000_000, version=1, report_hash=b"\7" * 32)
    send(scene, 1, ledger.licences.object(scene.licence, terms.encode(), lower))
    tree = scene.wide
    first = PagePayout(0, 0, tree.page_words(0), tree.page_proof(0))
    send(scene, 2, ledger.splits.pay_pages(tree.split, scene.dollar.address, [first], occasion="first page"))
    send(scene, 3, ledger.splits.set_standing_address("0x" + "99" * 20, occasion="y"))
    another = replace(terms, scope=1 << len(SCOPES) - 1, exclusive=0).encode()
    offer = Offer(77, 2**40 - 1, "")
    send(scene, 0, ledger.licences.offer(another, offer))
    send(scene, 1, ledger.licences.accept(another, offer))
