"""The contracts of both builds, their tokens, splits and catalogues, from which licence histories start."""

from __future__ import annotations

from random import Random
from typing import Any

from _forest import honest_tree
from _grants import HEIR, POOR
from _pair import Answer, Pair, entry_log, raw
from strategies import ARBITER, BUYER, GENESIS, LICENSEE, LICENSOR, STRANGER, all_pages

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import Settings
from ledger.domain.journal import Entry
from ledger.domain.model import Ledger
from ledger.domain.replay import Replay
from ledger.domain.reverts import Revert


class Town:
    """Contracts, tokens, published splits and catalogues that all histories of a chunk start from."""

    def __init__(self, rng: Random) -> None:
        self.pair = pair = Pair(GENESIS - 400 * DAY)
        self.contracts = {"Splits": pair.deploy("Splits")}
        self.splits = self.contracts["Splits"]
        self.catalogues = self.contracts["Catalogues"] = pair.deploy("Catalogues", self.splits.address)
        self.licences = self.contracts["Licences"] = pair.deploy(
            "Licences", self.splits.address, self.catalogues.address
        )
        self.views = pair.deploy("LicenceViews", self.licences.address)
        fee = rng.choice((1, 10_000, rng.randrange(1, 500_000)))
        tokens = [("TestDollar", ()), ("FeeToken", (6, fee)), ("FeeToken", (6, 10**6))]
        self.fees: dict[str, int] = {}
        for (name, args), taken in zip(tokens, (0, fee, 10**6), strict=True):
            token = pair.deploy(name, *args)
            self.fees[token.address] = taken
            for holder in (LICENSOR, HEIR, LICENSEE, ARBITER, STRANGER, BUYER, POOR):
                token.do("mint", holder, 2**200)
                if holder != POOR:
                    token.do("approve", self.licences.address, 2**256 - 1, sender=holder)
        self.ledger = self.new_ledger()
        self.replay = self._new_replay()
        self._found(rng)

    def new_ledger(self) -> Ledger:
        """An empty model of these contracts."""
        ledger = Ledger(splits=self.splits.address, licences=self.licences.address, chain_id=1)

        def arrives(payer: str, token: str, amount: int) -> int:
            if payer == POOR:
                raise Revert("ERC20InsufficientAllowance", self.licences.address, 0, amount)
            return amount - amount * self.fees[token] // 10**6

        ledger.arrives = arrives
        return ledger

    def _new_replay(self) -> Replay:
        return Replay(splits=self.splits.address, licences=self.licences.address, chain_id=1)

    def _found(self, rng: Random) -> None:
        """Publishes splits and creates catalogues, one of them without a split."""
        trees = [honest_tree(rng, rng.randrange(1, 6)) for _ in range(6)]
        self.homeless = trees.pop().id
        self.split_ids = [tree.id for tree in trees]
        for tree in trees:
            entries = self.ledger.splits.publish(LICENSOR, tree.split, all_pages(tree))
            pages = [(one.first_page, one.words, one.siblings) for one in all_pages(tree)]
            split = (tree.split.root, tree.split.total, tree.split.depth)
            self._keep("Splits", entries, self.splits.do("publish", split, pages, sender=LICENSOR))
        self.pair.at(GENESIS - 300 * DAY)
        for number in range(1, 8):
            settings = Settings(
                rng.randbytes(32),
                rng.randbytes(32),
                rng.choice((ARBITER, ARBITER, ARBITER, ZERO_ADDRESS)),
                notice=rng.choice((0, 1, 30 * DAY)),
                dispute_window=rng.choice((3600, 20 * DAY, 60 * DAY)),
                arbiter_window=rng.choice((3600, 30 * DAY)),
            )
            created = self.ledger.catalogues.create(LICENSOR, settings)
            answer = self.catalogues.do("create", settings_args(settings), sender=LICENSOR)
            self._keep("Catalogues", created, answer)
            if number < 7:
                split_id = rng.choice(self.split_ids)
                made = self.ledger.catalogues.announce(LICENSOR, number, split_id, self.pair.time)
                answer = self.catalogues.do("announce", number, split_id, sender=LICENSOR)
                self._keep("Catalogues", made, answer)

    def _keep(self, contract: str, entries: list[Entry], answer: Answer) -> None:
        address = self.contracts[contract].address
        assert list(answer.logs) == [entry_log(contract, one, address) for one in entries]
        for log in answer.logs:
            self.replay.feed(contract, raw(log, self.pair.block, self.pair.time))

    def copies(self) -> tuple[Ledger, Replay]:
        """Model and replay as they are before a history; their values never change, so shallow copies do."""
        ledger, replay = self.new_ledger(), self._new_replay()
        for copy, book in ((ledger, self.ledger), (replay, self.replay)):
            copy.splits.publications.update(book.splits.publications)
            copy.catalogues.catalogues.update(book.catalogues.catalogues)
        replay.heads.update(self.replay.heads)
        replay.counts.update(self.replay.counts)
        return ledger, replay


def settings_args(one: Settings) -> tuple[Any, ...]:
    """ICatalogues.Settings."""
    windows = (one.notice, one.dispute_window, one.arbiter_window)
    return (one.works_root, one.file_hash, one.arbiter, *windows, one.uri)
