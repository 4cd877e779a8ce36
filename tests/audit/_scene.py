"""A ledger with something of everything, played once by the command line on a chain of its own."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ledger.chain.contracts import Ledger
from ledger.chain.deploy import deploy, plan
from ledger.chain.distributions import Distributions
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.cli import main
from ledger.domain.distribution_types import Distribution, Posting, Protest
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Leaf, PagePayout, Run, account_id
from ledger.operations.books import Books, read
from ledger.operations.session import Session, Settings
from ledger.operations.times import parse_time

GENESIS = 1_704_067_200  # 2024-01-01 00:00:00 UTC
LICENSOR, LICENSEE, STRANGER, HOLDER = "dev:0", "dev:1", "dev:2", "dev:3"
ANN, BOB = "0x" + "11" * 20, "0x" + "22" * 20

MANIFEST = """\
work,title,holder,payee,share,right,isrc
song-1,First,Ann,0x1111111111111111111111111111111111111111,1/3,recording,GBAYE0601498
song-1,First,Bob,0x2222222222222222222222222222222222222222,2/3,recording,GBAYE0601498
song-2,Second,Cy,,1000000,recording,
song-3,Third,Dee,{holder},1000000,recording,
"""


class Scene:
    """The chain, the ledger on it, and what the tests want to know of it."""

    def __init__(self, node: LocalNode, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self.rpc: Rpc = node.rpc
        with Sender(node.rpc, dev_signer(9), folder / "senders") as sender:
            deploy(sender, ["TestDollar"])
        self.ledger = Ledger(node.rpc)
        self.dollar = self.ledger.token(plan(["TestDollar"])["TestDollar"].address)
        self.holder = dev_signer(3).address.lower()
        self._play()

    def run(self, *arguments: object, account: str = "", rpc: str = "") -> tuple[int, dict[str, Any]]:
        """A command with --json: exit code and its envelope."""
        line = [str(one) for one in arguments]
        line += ["--rpc", rpc or self.node.url, "--home", str(self.folder / "home"), "--json"]
        if account:
            line += ["--from", account]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main(line)
        return code, json.loads(out.getvalue())

    def do(self, *arguments: object, account: str = "") -> dict[str, Any]:
        """A command that has to succeed; its data."""
        code, envelope = self.run(*arguments, account=account)
        assert code == 0, envelope
        return envelope["data"]

    def after(self, when: str) -> None:
        """Sets the clock."""
        self.node.advance_to(parse_time(when))

    def anchor(self) -> str:
        """The hash of the newest block."""
        return str(self.rpc.call("eth_getBlockByNumber", "latest", False)["hash"])

    def _terms(self, catalogue: dict[str, Any], **changes: Any) -> Path:
        terms = {
            "terms": "1",
            "title": "Songs for Muse",
            "catalogue": catalogue["catalogue"],
            "licensor": dev_signer(0).address,
            "works_root": catalogue["works_root"],
            "model": {"name": "Muse", "version": "1"},
            "scope": ["TRAIN", "INFER"],
            "reach": {"start": "2024-01-01", "end": "2025-01-01"},
            "money": {
                "token": self.dollar.address,
                "symbol": self.dollar.symbol,
                "decimals": 6,
                "upfront_fee": "100",
                "advance": True,
                "tiers": [{"up_to": "1000", "rate_ppm": 100_000}, {"rate_ppm": 80_000}],
                "deduction_cap_ppm": 150_000,
                "guarantee": "10",
                "late_rate_ppm": 80_000,
            },
            "duties": {
                "reporting_period": "MONTH",
                "days_to_report": 10,
                "days_to_pay": 20,
                "attribution": "SOURCE_LIST",
            },
            "control": {"cure_days": 30, "governing_law": "England"},
        }
        for name, value in changes.items():
            terms[name] = terms[name] | value if name == "money" else value
        path = self.folder / "terms.json"
        path.write_text(json.dumps(terms))
        return path

    def _play(self) -> None:
        do, after = self.do, self.after
        manifest = self.folder / "manifest.csv"
        manifest.write_text(MANIFEST.format(holder=self.holder))
        catalogue = do("catalogue", "create", manifest, "--title", "Songs", account=LICENSOR)
        do("token", "mint", "100000", account=LICENSEE)
        offer = self.folder / "offer.json"
        do("licence", "offer", self._terms(catalogue), "--out", offer, account=LICENSOR)
        self.licence = do("licence", "accept", offer, account=LICENSEE)["licence"]
        offer.unlink()
        weighted = self._terms(
            catalogue,
            money={"upfront_fee": "0", "advance": False},
            scope=["EVALUATE"],
            pool={
                "weighted": True,
                "distributions": self.ledger.addresses["Distributions"],
                "allocation": "USAGE",
            },
        )
        do("licence", "offer", weighted, "--out", offer, account=LICENSOR)
        self.weighted = do("licence", "accept", offer, account=LICENSEE)["licence"]
        do("licence", "offer", self._terms(catalogue, scope=["INDEX"]), "--on-chain", account=LICENSOR)
        after("2024-02-05")
        for number in (self.licence, self.weighted):
            do("report", "submit", number, "1500", "--pay", account=LICENSEE)
        self._post(0)
        after("2024-04-02")
        self._settle(0)
        # Two months at once, of which the first is late.
        for number in (self.licence, self.weighted):
            for gross in ("1600", "1700"):
                do("report", "submit", number, gross, "--pay", account=LICENSEE)
        self._object(self._post(1))
        do("payout", "run", account=STRANGER)
        # Settled down: set-off; then an open dispute, whose deadline passes.
        do("report", "dispute", self.licence, 2, "1000", account=LICENSEE)
        do("report", "settle", self.licence, 2, "--accept", account=LICENSOR)
        do("report", "dispute", self.licence, 1, "1000", account=LICENSEE)
        after("2024-05-05")
        # Left open: set-off is used up, the rest becomes overdue.
        do("report", "submit", self.licence, "9000", account=LICENSEE)
        do("report", "submit", self.weighted, "500", "--pay", account=LICENSEE)
        after("2024-06-15")
        do("report", "book-missing", self.licence, account=STRANGER)
        do("report", "pay", self.licence, 3, "--amount", "200", account=LICENSEE)
        do("payout", "claim", ANN, account=STRANGER)
        tree = MerkleSumTree.build([(self.holder, 1), (BOB, 2)])
        pages = [Run(0, tree.page_words(0), tree.page_proof(0))]
        with Sender(self.rpc, dev_signer(0), self.folder / "senders") as sender:
            sender.send_one(self.ledger.catalogues.publish_and_announce(1, tree.split, pages))
            sender.send_one(
                self.ledger.catalogues.request("offerOwnership", 1, "0x" + "77" * 20, note="hand over")
            )
            sender.send_one(self.ledger.splits.set_standing_address("0x" + "88" * 20, occasion="x"))
            sender.send_one(self.ledger.splits.request("cancelClaimNonce", note="cancel", occasion="x"))
            self._wide_split(sender)
        do("licence", "terminate", self.weighted, account=LICENSOR)
        self.rpc.call("anvil_mine", "0x3", "0x0")

    # ---- distributions of the weighted licence

    def _sender(self, number: int) -> Sender:
        return Sender(self.rpc, dev_signer(number), self.folder / "senders")

    def _distributions(self) -> tuple[Distributions, bytes]:
        contract = Distributions("Distributions", self.ledger.addresses["Distributions"], self.ledger.reader)
        return contract, self.books().licences.grants[self.weighted].terms.encode()

    def books(self) -> Books:
        """The books of the moment."""
        return read(Session(Settings(home=self.folder / "home"), rpc=self.rpc))

    def _post(self, period: int) -> MerkleSumTree:
        """Posts a distribution of all but 40 base units of what a period has."""
        contract, terms = self._distributions()
        salt = self.books().licences.salt_of(self.weighted, period)
        held = self.ledger.splits.view(
            "accountBalance", account_id(contract.address, salt), self.dollar.address
        )
        tree = MerkleSumTree.build([(self.holder, held // 4), (BOB, held - held // 4 - 40)])
        page = Run(0, tree.page_words(0), tree.page_proof(0))
        with self._sender(0) as sender:
            sender.send_one(self.ledger.splits.publish(tree.split, [page]))
            posting = Posting(tree.split, held, b"\1" * 32, b"\2" * 32, b"\3" * 32, "ipfs://usage")
            sender.send_one(contract.post(self.weighted, terms, period, [], posting))
        self.posted = Distribution(self.dollar.address, tree.split.id, tree.split.total, held)
        return tree

    def _settle(self, period: int) -> None:
        contract, _ = self._distributions()
        with self._sender(2) as sender:
            sender.send_one(contract.settle(self.weighted, period, [self.posted]))
        self._settled = self.posted[1:]

    def _object(self, tree: MerkleSumTree) -> None:
        """The holder objects, with a bond."""
        contract, terms = self._distributions()
        index = next(at for at, word in enumerate(tree.page_words(0)) if word[:20].hex() == self.holder[2:])
        leaf = Leaf(tree.split, self.dollar.address, index, tree.page_words(0)[index], tree.leaf_proof(index))
        with self._sender(3) as sender:
            sender.send_one(self.dollar.mint(dev_signer(3).address, 10**9))
            sender.send_one(self.dollar.approve(contract.address, 10**9))
            settled = Distribution(self.dollar.address, *self._settled)
            protest = Protest(leaf, last=settled, pay=10**9)
            sender.send_one(contract.object(self.weighted, terms, 1, [self.posted], protest))

    def _wide_split(self, sender: Sender) -> None:
        """A split of two pages, credited by hand, of which only the second is paid; one payee refuses nothing."""
        tree = MerkleSumTree.build([(f"0x{number:040x}", number) for number in range(1, 200)])
        pages = [Run(page, tree.page_words(page), tree.page_proof(page)) for page in (0, 1)]
        splits = self.ledger.splits
        sender.send_one(splits.publish(tree.split, pages))
        sender.send_one(self.dollar.mint(dev_signer(0).address, 2 * 10**9))
        sender.send_one(self.dollar.approve(splits.address, 2 * 10**9))
        sender.send_one(splits.credit(tree.split.id, self.dollar.address, 10**9, occasion="x"))
        paid = [PagePayout(1, 0, pages[1].words, pages[1].siblings)]
        sender.send_one(splits.pay_pages(tree.split, self.dollar.address, paid, occasion="x"))
        self.wide = tree
        small = MerkleSumTree.build([(self.holder, 1), (BOB, 2)])
        sender.send_one(splits.credit(small.split.id, self.dollar.address, 3_001, occasion="small"))
        paid = [PagePayout(0, 0, small.page_words(0), small.page_proof(0))]
        sender.send_one(splits.pay_pages(small.split, self.dollar.address, paid, occasion="small"))


Played = TypeVar("Played", bound=Scene)


@contextlib.contextmanager
def playing(folder: Path, kind: type[Played]) -> Iterator[Played]:
    """A scene on a chain of its own, its home in the folder while it lasts."""
    with pytest.MonkeyPatch.context() as patch, LocalNode.start(genesis_time=GENESIS) as node:
        patch.setenv("LICENCE_LEDGER_HOME", str(folder / "home"))
        patch.delenv("LICENCE_LEDGER_KEYS", raising=False)
        yield kind(node, folder)
