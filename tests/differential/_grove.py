"""Splits of both builds beside its model: publications, proofs right and wrong, and every state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from _forest import LeafProof, PageProof, Tree, grow, misplaced, wrong_leaf, wrong_page
from _grants import address_of
from _pair import DEPLOYER, Answer, Log, Pair, entry_log, raw, same_refusal, words
from strategies import GENESIS, STRANGER

from ledger.domain.canonical import ZERO_ADDRESS, address_word, keccak256, uint_word
from ledger.domain.conservation import conservation
from ledger.domain.journal import Entry, decode_entry, fold
from ledger.domain.merkle_sum import PAGE_SIZE, check_leaf, read_leaf
from ledger.domain.reverts import Revert
from ledger.domain.royalty import entitled_down
from ledger.domain.split_book import SplitBook
from ledger.domain.split_replay import SplitReplay
from ledger.domain.split_types import Leaf, PagePayout, Run

KEYED = {address_of(key): key for key in (keccak256(b"payee" + bytes([number])) for number in range(3))}
CLAIM_TO = keccak256(b"ClaimTo(bytes32 leavesHash,address to,uint256 nonce,uint256 deadline)")
SALTS = (bytes(32), b"\x01" * 32)
ALL = 2**128 - 1
#: What is credited: dust, money, and as much as a split can count.
AMOUNTS = (0, 1, 2, 7, 999, 1_000_003, 10**18, 2**100, 2**127, ALL)


def split_args(split: Any) -> tuple[bytes, int, int]:
    """ISplits.Split."""
    return split.root, split.total, split.depth


def leaf_args(leaf: Leaf) -> tuple[Any, ...]:
    """ISplits.Leaf."""
    return split_args(leaf.split), leaf.token, leaf.index, leaf.leaf, leaf.siblings


def of_token(proof: LeafProof, token: str) -> Leaf:
    """The leaf in a token."""
    return Leaf(proof.split, token, proof.index, proof.word, proof.siblings)


class Grove:
    """Contracts and tokens that all trees of a chunk start from."""

    def __init__(self) -> None:
        self.pair = pair = Pair(GENESIS)
        self.splits = pair.deploy("Splits")
        self.address = self.splits.address
        self.payer = pair.deploy("TestPayer", self.address)
        self.dollar = pair.deploy("TestDollar")
        self.blocking = pair.deploy("BlocklistDollar")
        self.fee = pair.deploy("FeeToken", 6, 20_000)
        self.void = pair.deploy("FeeToken", 6, 10**6)
        self.tokens = {one.address: one for one in (self.dollar, self.blocking, self.fee, self.void)}
        for token in self.tokens.values():
            for holder in (DEPLOYER, self.payer.address):
                token.do("mint", holder, 2**200)
            token.do("approve", self.address, 2**256 - 1)


class Beside:
    """One tree on the contracts and on the model: publication, proofs, payouts, states."""

    def __init__(self, grove: Grove, rng: Random, tally: Counter[tuple[str, str]]) -> None:
        self.grove, self.rng, self.tally = grove, rng, tally
        self.pair, self.splits = grove.pair, grove.splits
        self.book = SplitBook(grove.address)
        self.tree: Tree = grow(rng, grove.address, list(KEYED))
        self.filled = self.tree.filled()
        self.token = rng.choices(list(grove.tokens), (50, 38, 10, 2))[0]
        self.blocked: set[str] = set()
        self.logs: list[tuple[Log, int, int]] = []
        self.head = bytes(32)
        self.touched: set[int] = set()
        self.told: list[str] = []
        #: What the model transfers in the call under way, and what each recipient got by earlier ones.
        self.moved: list[tuple[str, int]] = []
        self.balances: Counter[str] = Counter()
        #: Payees that named another address.
        self.redirected: set[str] = set()

    def both(self, name: str, model: Callable[[], list[Entry]], contract: Callable[[], Answer]) -> str:
        """Runs a call on both; returns `ok` or the name of the error."""
        self.moved.clear()
        try:
            entries: Any = model()
        except Revert as error:
            entries = error
        self.told.append(f"{name} at block {self.pair.block}: {entries!r:.300}")
        answer = contract()
        if isinstance(entries, Revert):
            self.tally[name, entries.name] += 1
            same_refusal(answer, entries, name)
            return entries.name
        self.tally[name, "ok"] += 1
        assert answer.ok, f"{name}: the contract refuses: {answer.error!r}"
        found = [log for log in answer.logs if log.address == self.grove.address]
        assert found == [entry_log("Splits", one, self.grove.address) for one in entries], (
            f"{name}: {entries}"
        )
        for log in found:
            self.head = fold(self.head, raw(log, self.pair.block, self.pair.time))
            self.logs.append((log, self.pair.block, self.pair.time))
        assert self.pair.head(self.splits) == self.head, f"{name}: the head"
        for to, amount in self.moved:
            self.balances[to] += amount
        return "ok"

    def _returned(self, answer: Answer, value: int) -> Answer:
        assert not answer.ok or answer.output == uint_word(value), (
            f"returned {words(answer.output)}, not {value}"
        )
        return answer

    def _split_id(self) -> None:
        split = self.tree.split
        try:
            self.splits.shows("splitId", [split_args(split)], ["bytes32"], [split.id])
        except Revert as error:
            same_refusal(self.splits.call("splitId", split_args(split)), error, "splitId")

    def _publish(self) -> None:
        rng, tree = self.rng, self.tree
        order = tree.all_runs(rng)
        if rng.random() < 0.2:
            # Pages of its own may be public before it.
            order.insert(rng.randrange(len(order) + 1), tree.some_run(rng))
        longest = max(-(-len(one.words) // PAGE_SIZE) for one in order)
        self.tally["longest run", f"{longest} pages"] += 1
        while order:
            count = rng.choice((1, 1, len(order)))
            runs, order = order[:count], order[count:]
            if len(runs[-1].words) > PAGE_SIZE and rng.random() < 0.5:
                self._publish_these([*runs[:-1], misplaced(rng, runs[-1])])
            if rng.random() < 0.5:
                wrong = wrong_page(rng, runs[-1])
                if self._publish_these([*runs[:-1], wrong]) == "ok":
                    self._runs_stand(wrong)
            self._publish_these(runs)
            if rng.random() < 0.05:
                self._publish_these(runs)
        if 0 < tree.split.total < 2**128:
            published = self.book.is_published(tree.id)
            self.splits.shows("isPublished", [tree.id], ["bool"], [published])
            known = self.book.publications.get(tree.id)
            shown = [len(known.pages), known.split.pages] if known else [0, 0]
            self.splits.shows("publication", [tree.id], ["uint256", "uint256"], shown)
            for page in rng.sample(tree.known, min(2, len(tree.known))):
                public = known is not None and page in known.pages
                self.splits.shows("isPagePublished", [tree.id, page], ["bool"], [public])

    def _publish_these(self, proofs: Sequence[PageProof]) -> str:
        """Runs of one split in one call: that of the last, which may be the wrong one."""
        split = proofs[-1].split
        runs = [Run(one.page, one.words, one.siblings) for one in proofs]
        given = [(one.page, one.words, one.siblings) for one in proofs]
        return self.both(
            "publish",
            lambda: self.book.publish(STRANGER, split, runs),
            lambda: self.splits.call("publish", split_args(split), given, sender=STRANGER),
        )

    def _prove(self) -> None:
        """Leaves right and wrong, as the view `owed` and a claim see them; a wrong page to be paid."""
        rng, tree = self.rng, self.tree
        for index in rng.sample(self.filled, min(2, len(self.filled))):
            self._owed(tree.leaf(index), "proof")
        any_place = [rng.choice(tree.known) * PAGE_SIZE + rng.randrange(len(tree.page(tree.known[0]).words))]
        for index in [*any_place, *(rng.choices(self.filled, k=5) if self.filled else [])]:
            wrong = wrong_leaf(rng, tree.leaf(index))
            if self._owed(wrong, "wrong proof"):
                self._stands(wrong, PAGE_SIZE, tree.leaf)
        if self.filled:
            wrong = wrong_leaf(rng, tree.leaf(rng.choice(self.filled)))
            if self._claim([of_token(wrong, self.token)], "wrong claim") in ("ok", "Splits_NothingPaid"):
                self._stands(wrong, PAGE_SIZE, tree.leaf)
        for _ in range(2):
            page = wrong_page(rng, rng.choice((tree.page(rng.choice(tree.known)), tree.some_run(rng))))
            if self._pay([page], "wrong page", 0) in ("ok", "Splits_NothingPaid"):
                self._stands(page, 1, tree.page)

    def _runs_stand(self, accepted: PageProof) -> None:
        """P-11, without the model: a run that was accepted is what stands at that place of the tree."""
        pages = range(accepted.page, accepted.page + -(-len(accepted.words) // PAGE_SIZE))
        assert accepted.split == self.tree.split, f"accepted {accepted}"
        assert set(pages) <= set(self.tree.known), f"accepted {accepted}"
        true = self.tree.run(accepted.page, len(pages))
        assert list(true.words) == list(accepted.words), f"accepted {accepted}"
        assert list(true.siblings) == list(accepted.siblings), f"accepted {accepted}"

    def _stands(self, accepted: Any, size: int, truth: Callable[[int], Any]) -> None:
        """P-11, without the model: what was accepted is what stands at that place of the tree."""
        number = accepted.index if size > 1 else accepted.page
        assert accepted.split == self.tree.split, f"accepted {accepted}"
        assert number // size in self.tree.known, f"accepted {accepted}"
        true = truth(number)
        content = ("word",) if size > 1 else ("words",)
        for name in (*content, "siblings"):
            ours, given = getattr(true, name), getattr(accepted, name)
            assert (ours == given) if name == "word" else (list(ours) == list(given)), f"accepted {accepted}"

    def _owed(self, proof: LeafProof, name: str) -> bool:
        """Whether the view takes the proof."""
        leaf = of_token(proof, self.token)
        answer = self.splits.call("owed", leaf_args(leaf))
        try:
            owed = self.owed_by_model(leaf)
        except Revert as error:
            self.tally[name, error.name] += 1
            same_refusal(answer, error, f"owed of {proof}")
            return False
        self.tally[name, "ok"] += 1
        assert (answer.ok, answer.output) == (True, uint_word(owed)), f"owed of {proof}: {answer}, not {owed}"
        return True

    def owed_by_model(self, leaf: Leaf) -> int:
        """What a claim would pay, of a split that need not be published."""
        split_id = check_leaf(leaf.split, leaf.index, leaf.leaf, leaf.siblings)
        units, total = read_leaf(leaf.leaf)[1], leaf.split.total
        _, start = self.book.checkpoint(split_id, leaf.token, leaf.index)
        up_to = self.book.cumulative(split_id, leaf.token)
        return entitled_down(up_to, units, total) - entitled_down(start, units, total)

    def _moves(self, token: str, to: str, amount: int) -> bool:
        if token == self.grove.blocking.address and to.lower() in self.blocked:
            return False
        if to != ZERO_ADDRESS:
            self.moved.append((to, amount))
        return to != ZERO_ADDRESS

    def _payee(self, index: int) -> str:
        return read_leaf(self.tree.leaf(index).word)[0]

    def _pay(self, proofs: Sequence[PageProof], name: str, retry: int, gas_each: int | None = None) -> str:
        gas = gas_each or self.rng.choices((100_000, 200_000, 99_999, 0), (80, 16, 2, 2))[0]
        split = proofs[-1].split
        pages = [PagePayout(one.page, retry, one.words, one.siblings) for one in proofs]
        given = [(one.page, retry, one.words, one.siblings) for one in proofs]
        paid: list[int] = []

        def model() -> list[Entry]:
            entries = self.book.pay_pages(
                STRANGER, split, self.token, pages, gas_each=gas, transfer=self._moves
            )
            paid.append(sum(one["paid"] for one in entries))
            return entries

        return self.both(
            name,
            model,
            lambda: self._returned(
                self.splits.call("payPages", split_args(split), self.token, gas, given, sender=STRANGER),
                sum(paid),
            ),
        )

    def _claimed(self, name: str, model: Callable[[], list[Entry]], contract: Callable[[], Answer]) -> str:
        paid: list[int] = []

        def told() -> list[Entry]:
            entries = model()
            paid.append(sum(one["paid"] for one in entries if one.name == "Claimed"))
            return entries

        return self.both(name, told, lambda: self._returned(contract(), sum(paid)))

    def _claim(self, leaves: list[Leaf], name: str = "claim") -> str:
        return self._claimed(
            name,
            lambda: self.book.claim(STRANGER, leaves, self._moves),
            lambda: self.splits.call("claim", [leaf_args(one) for one in leaves], sender=STRANGER),
        )

    def _same_states(self) -> None:
        tree, book, token, shows = self.tree, self.book, self.token, self.splits.shows
        shows("cumulative", [tree.id, token], ["uint256"], [book.cumulative(tree.id, token)])
        for page in tree.known:
            state = book.page_state(tree.id, token, page)
            shows("pageState", [tree.id, token, page], ["uint256"] * 2, [state.paid_up_to, state.exceptions])
        own = {index for split_id, name, index in book.checkpoints if (split_id, name) == (tree.id, token)}
        for index in {*self.touched, *self.rng.sample(sorted(own), min(8, len(own)))}:
            shows(
                "leafState", [tree.id, token, index], ["uint256"] * 2, book.leaf_state(tree.id, token, index)
            )
            self._owed(tree.leaf(index), "proof")
        for salt in SALTS:
            account = keccak256(address_word(DEPLOYER) + salt)
            shows("accountId", [DEPLOYER, salt], ["bytes32"], [account])
            held = book.account_balance(account, token)
            shows("accountBalance", [account, token], ["uint256"], [held])
        if book.is_published(tree.id):
            assert conservation(book, tree.id, token).holds
        # What a token takes for itself is not told by the model.
        if token in (self.grove.dollar.address, self.grove.blocking.address):
            for to in self.rng.sample(sorted(self.balances), min(5, len(self.balances))):
                if to != self.grove.address:
                    self.grove.tokens[token].shows("balanceOf", [to], ["uint256"], [self.balances[to]])

    def _same_replay(self) -> None:
        """The raw logs replay to the model's state."""
        replayed = SplitBook(self.grove.address)
        replay = SplitReplay(replayed)
        if self.filled and len(self.filled) <= 200:
            for log, block, time in self.logs:
                replay.apply(decode_entry("Splits", raw(log, block, time)))
            for name in ("cumulatives", "accounts", "standing", "nonces", "publications"):
                assert getattr(replayed, name) == getattr(self.book, name), f"replay: {name}"
            for key, state in self.book.page_states.items():
                assert replayed.page_states[key] == state, f"replay: page {key}"
            for split_id, token, index in self.book.checkpoints:
                ours = self.book.checkpoint(split_id, token, index)
                assert replayed.checkpoint(split_id, token, index) == ours, f"replay: leaf {index}"
