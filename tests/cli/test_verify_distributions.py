"""Distributions on a chain: the bindings act and read; verify compares rounds, dates, accounts (P-02, P-14, P-17)."""

from __future__ import annotations

from typing import Any

import pytest
from _lying import LyingNode
from _reporting import session_of
from test_verify import changed

from ledger.chain.keys import dev_signer
from ledger.chain.rpc import Rpc
from ledger.chain.simulation import chain_time
from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ChainTerms, Offer, offer_id
from ledger.domain.distribution_types import (
    NO_DISTRIBUTION,
    NO_SPLIT,
    Distribution,
    Posting,
    Protest,
    bond_of,
)
from ledger.domain.distribution_views import deadlines_of, outlook_of, standing_split
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.royalty import NO_LIMIT, PPM, Tier
from ledger.domain.split_types import Leaf, Run
from ledger.operations import books, verify
from ledger.operations.session import Session
from ledger.operations.verify_distributions import distribution_figures

LICENSOR, LICENSEE, ARBITER, ANN, BEN, STRANGER = range(1, 7)
WINDOW = 2 * DAY


class Scene:
    """A weighted licence on the tests' chain, whose period 0 is distributed in two rounds."""

    def __init__(self, node: Any, ledger: Any, dollar: Any, sender_of: Any) -> None:
        self.node, self.ledger, self.dollar, self.sender_of = node, ledger, dollar, sender_of
        self.contract = ledger.distributions
        self.standing = MerkleSumTree.build([(self.who(ANN), 1), (self.who(BEN), 1)])
        settings = {
            "worksRoot": b"\1" * 32,
            "fileHash": b"\2" * 32,
            "arbiter": self.who(ARBITER),
            "notice": 0,
            "disputeWindow": WINDOW,
            "arbiterWindow": WINDOW,
            "uri": "",
        }
        created = sender_of(LICENSOR).send_one(ledger.catalogues.create(settings, occasion="1"))
        catalogue = ledger.catalogues.created(created.logs)
        pages = [Run(0, self.standing.page_words(0), [])]
        sender_of(LICENSOR).send_one(
            ledger.catalogues.publish_and_announce(catalogue, self.standing.split, pages)
        )
        self.terms = self._terms(catalogue)
        self.encoded = self.terms.encode()
        self.licence = self._accept()
        for payer, spender in ((LICENSEE, ledger.licences), (ANN, self.contract), (BEN, self.contract)):
            sender = sender_of(payer)
            sender.send_all(
                [dollar.mint(sender.address, 10**9), dollar.approve(spender.address, 10**9)], preflight=False
            )
        self.rounds: dict[int, list[Distribution]] = {}

    @staticmethod
    def who(number: int) -> str:
        return dev_signer(number).address

    def _terms(self, catalogue: int) -> ChainTerms:
        return ChainTerms(
            document=b"\3" * 32,
            works_root=b"\1" * 32,
            catalogue=catalogue,
            licensee=ZERO_ADDRESS,
            token=self.dollar.address,
            scope=1,
            exclusive=0,
            start=chain_time(self.ledger.rpc),
            end=0,
            transferable=False,
            upfront_fee=0,
            advance=False,
            tiers_over_life=False,
            deduction_cap_ppm=0,
            guarantee=0,
            cap=0,
            late_rate_ppm=0,
            grace_days=0,
            period_months=1,
            days_to_report=10,
            days_to_pay=20,
            cure_days=5,
            attribution_duty=0,
            distributions=self.contract.address,
            model=bytes(32),
            attributor=ZERO_ADDRESS,
            tiers=(Tier(NO_LIMIT, PPM),),
        )

    def _accept(self) -> int:
        offer = Offer(1, chain_time(self.ledger.rpc) + DAY)
        digest = offer_id(self.terms, offer, chain_id=31337, licences=self.ledger.licences.address)
        signature = dev_signer(LICENSOR).sign_digest(digest)
        accept = self.ledger.licences.accept(self.encoded, offer, signature=signature)
        return int(self.ledger.licences.accepted(self.sender_of(LICENSEE).send_one(accept).logs))

    def act(self, number: int, request: Any) -> Any:
        return self.sender_of(number).send_one(request)

    def pay(self, period: int, amount: int) -> None:
        """Reports and pays a period, some days after its end."""
        self.node.advance(35 * DAY)
        figures = Figures(period, amount)
        self.act(LICENSEE, self.ledger.licences.report(self.licence, self.encoded, figures, pay_now=True))

    def tree(self, units: dict[int, int]) -> MerkleSumTree:
        tree = MerkleSumTree.build([(self.who(number), one) for number, one in units.items()])
        pages = [Run(0, tree.page_words(0), [])]
        self.act(STRANGER, self.ledger.splits.publish(tree.split, pages))
        return tree

    def post(self, period: int, units: dict[int, int], amount: int) -> MerkleSumTree:
        tree = self.tree(units)
        settled = self.rounds.setdefault(period, [])
        posting = Posting(tree.split, amount, uri="ipfs://usage")
        self.act(LICENSOR, self.contract.post(self.licence, self.encoded, period, settled, posting))
        self.rounds[period] = [*settled, Distribution(self.dollar.address, tree.id, tree.split.total, amount)]
        return tree

    def object(self, period: int, tree: MerkleSumTree, number: int, counter: MerkleSumTree | None) -> None:
        index = tree.index_of(self.who(number))
        leaf = Leaf(tree.split, self.dollar.address, index, tree.leaf(index), tree.leaf_proof(index))
        rounds = self.rounds[period]
        found, last = self.contract.last_stood(self.licence, period)
        known = self.rounds[last][0] if found else NO_DISTRIBUTION
        wanted = counter.split if counter else NO_SPLIT
        protest = Protest(leaf, wanted, known, bond_of(rounds[-1].amount))
        self.act(number, self.contract.object(self.licence, self.encoded, period, rounds, protest))

    def settle(self, period: int) -> None:
        self.node.advance(WINDOW + 1)
        self.act(STRANGER, self.contract.settle(self.licence, period, self.rounds[period]))


@pytest.fixture
def scene(node, ledger, dollar, sender_of) -> Scene:
    """Two rounds and late money in period 0, a concession in period 1, an open objection in period 2."""
    scene = Scene(node, ledger, dollar, sender_of)
    licence, encoded, contract = scene.licence, scene.encoded, scene.contract
    scene.pay(0, 1000)
    scene.post(0, {ANN: 700}, 1000)
    scene.settle(0)
    scene.post(0, {BEN: 100}, 300)
    scene.settle(0)
    more = Figures(0, 1500, version=1)
    scene.act(LICENSEE, ledger.licences.restate(licence, encoded, more))
    pay = ledger.licences.pay(licence, encoded, 0, version=2, believed_open=500, amount=500)
    scene.act(LICENSEE, pay)
    scene.act(STRANGER, contract.sweep(licence, 0, scene.rounds[0], occasion="1500"))
    scene.pay(1, 2000)
    tree = scene.post(1, {ANN: 1999, BEN: 1}, 2000)
    counter = scene.tree({ANN: 500, BEN: 1500})
    scene.object(1, tree, BEN, counter)
    books_now = books.read(session_of(node.rpc))
    objection = books_now.distributions.round_of(licence, 1, 0).objection
    assert objection is not None
    scene.act(LICENSOR, contract.concede(licence, encoded, 1, scene.rounds[1], objection))
    scene.rounds[1] = [scene.rounds[1][0]._replace(split_id=counter.id, total=2000)]
    scene.settle(1)
    scene.pay(2, 3000)
    tree = scene.post(2, {ANN: 3000}, 3000)
    scene.object(2, scene.standing, BEN, None)
    return scene


def test_P_14_the_books_know_what_distributions_shows(scene: Scene) -> None:
    read = books.read(session_of(scene.node.rpc))
    book, licence = read.distributions, scene.licence
    now = chain_time(scene.ledger.rpc)
    for period in range(3):
        settled = book.settled(licence, period)
        held = book.round_of(licence, period, len(settled))
        known = [*settled, held.what] if held.what else settled
        assert known == scene.rounds[period]
        assert scene.contract.deadlines(licence, scene.encoded, period) == deadlines_of(book, licence, period)
        assert scene.contract.standing_split(licence, scene.encoded, period) == standing_split(
            book, licence, period
        )
        assert scene.contract.last_stood(licence, period) == book.last_stood(licence, period)
        outlook = scene.contract.outlook(licence, scene.encoded, period, settled)
        assert outlook == outlook_of(book, licence, period, now=now)
    told = scene.contract.rounds(licence, 2, [0, 1])
    assert [one.stage for one in told] == [2, 0]
    assert told[0].objection == book.round_of(licence, 2, 0).objection_hash
    cumulative = read.splits.cumulative(scene.rounds[0][0].split_id, scene.dollar.address)
    assert cumulative == 1500 * 700 // 1000


def test_P_02_P_17_verify_passes_and_says_what_it_compared(on: Any, scene: Scene) -> None:
    ran = on("verify", json=True)
    assert (ran.code, ran.data["findings"]) == (0, [])
    compared = {one["name"]: one["compared"] for one in ran.data["checks"]}
    assert compared["distribution rounds"] > 12
    assert compared["distribution dates"] >= 8
    assert compared["account sums"] == 3
    verdict = verify.verify(session_of(scene.node.rpc))
    assert [(one.period, one.funded, one.waiting) for one in verdict.accounts] == [
        (0, 1500, 300),
        (1, 2000, 0),
        (2, 3000, 3000),
    ]


def test_every_figure_of_distributions_that_is_changed_is_found(scene: Scene) -> None:
    session = session_of(scene.node.rpc)
    read = books.read(session)
    tried = set()
    for figure in distribution_figures(read, session.ledger):
        if figure.function != "roundOf" or figure.arguments[1:] not in ((0, 0), (0, 1), (2, 0), (3, 0)):
            continue
        for _ in changed(scene.node.rpc, figure):
            found = verify.verify(session).findings
            assert any((one.check, one.where) == (figure.check, figure.where) for one in found), figure
            tried.add(figure.arguments[1:])
    assert tried == {(0, 0), (0, 1), (2, 0), (3, 0)}
    assert verify.verify(session).passed


def test_P_14_no_log_of_distributions_can_be_hidden_changed_or_repeated(scene: Scene) -> None:
    session = session_of(scene.node.rpc)
    events = books.read(session).events
    places = [at for at, one in enumerate(events) if one.contract == "Distributions"]
    assert len(places) >= 10
    with LyingNode(scene.node.url) as liar, Rpc.connect(liar.url) as rpc:
        lied = Session(session.settings, rpc=rpc)
        for lie in ("drop", "change", "repeat"):
            for place in places:
                liar.lie = (lie, place)
                found = verify.verify(lied).findings
                assert any(
                    one.check == "journal" and one.where.startswith("Distributions") for one in found
                ), (lie, events[place].name)


def test_a_changed_head_of_distributions_is_found(scene: Scene) -> None:
    address = scene.contract.address
    scene.node.rpc.call("anvil_setStorageAt", address, "0x" + "0" * 64, "0x" + "ab" * 32)
    found = verify.verify(session_of(scene.node.rpc)).findings
    assert [one.check for one in found] == ["journal"]
