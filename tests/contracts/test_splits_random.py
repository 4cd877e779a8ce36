"""Thousands of random steps on contract and model: entries, errors and states agree, the promises hold."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from _mini import Contract
from _splits import OWNER, STRANGER, Ledger, Reverted, leaf_of, payees, tree_of

from ledger.domain.conservation import conservation
from ledger.domain.merkle_sum import PAGE_SIZE, MerkleSumTree
from ledger.domain.split_types import Leaf

SALTS = [bytes([n]) * 32 for n in range(3)]
CONTROLLERS = [OWNER, STRANGER]
AMOUNTS = [1, 2, 7, 999, 1_000_003, 10**18, 2**100]


class World:
    """Three splits that share payees, two tokens of which one blocks, and all that can be done."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.ledger = Ledger()
        sizes = [rng.choice([1, 2, 3]), rng.choice([5, 8, 13]), rng.choice([129, 140])]
        self.trees = [
            self.ledger.published(tree_of(rng.choice([1, 2, 3, 10**6, 2**95]) for _ in range(size)))
            for size in sizes
        ]
        self.tokens = [self.ledger.token("TestDollar"), self.ledger.token("BlocklistDollar")]
        self.payees = payees(140)
        self.granted: dict[tuple[bytes, str, int], int] = {}

    def leaf(self, tree: MerkleSumTree, token: Contract, payee: str | None = None) -> Leaf:
        index = self.rng.randrange(tree.leaves) if payee is None else tree.index_of(payee)
        return leaf_of(tree, token.address, index)

    def step(self) -> str:
        """One random call; returns what it was, or the error."""
        rng, ledger = self.rng, self.ledger
        tree, token = rng.choice(self.trees[:2] * 3 + self.trees[2:]), rng.choice(self.tokens)
        payee = self.payees[rng.randrange(min(tree.leaves, 6))]
        calls: dict[str, Callable[[], None]] = {
            "credit": lambda: ledger.credit(tree, token, rng.choice(AMOUNTS)),
            "fund": lambda: ledger.fund(
                rng.choice(CONTROLLERS), rng.choice(SALTS), token, rng.choice(AMOUNTS)
            ),
            "move": lambda: ledger.move_account(
                rng.choice(CONTROLLERS), rng.choice(SALTS), token, tree, rng.choice(AMOUNTS)
            ),
            "pay": lambda: ledger.pay(
                tree,
                token,
                [rng.randrange(tree.pages) for _ in range(rng.choice([1, 1, 2]))],
                rng.choice([0, 0, 2**128 - 1, rng.getrandbits(128)]),
            ),
            "claim": lambda: ledger.claim(
                [
                    self.leaf(rng.choice(self.trees), rng.choice(self.tokens))
                    for _ in range(rng.choice([1, 2, 5]))
                ],
                rng.choice(self.payees),
            ),
            "claim_to": lambda: ledger.claim_to(
                [self.leaf(tree, rng.choice(self.tokens), payee) for _ in range(rng.choice([1, 2]))],
                rng.choice(self.payees),
                payee,
            ),
            "place": lambda: ledger.place([self.leaf(tree, token, payee)], rng.random() < 0.6, payee),
            "stand": lambda: ledger.stand(payee, rng.choice([*self.payees[:3], "0x" + "00" * 20])),
            "block": lambda: self.block(payee),
            "donate": lambda: token.mint(ledger.address, rng.choice(AMOUNTS)),
            "publish": lambda: ledger.publish(tree, [rng.randrange(tree.pages)]),
        }
        weights = [14, 3, 3, 22, 12, 10, 8, 3, 8, 2, 1]
        name = rng.choices(list(calls), weights)[0]
        try:
            calls[name]()
        except Reverted as caught:
            return caught.name
        if rng.random() < 0.2:
            ledger.chain.move(rng.randrange(1, 100), rng.choice([1, 1, 7]))
        return name

    def block(self, payee: str) -> None:
        """Blocks a payee, or sets it free, in the second token; the model is told by way of the transfer."""
        blocked = payee not in self.ledger.blocked
        (self.ledger.blocked.add if blocked else self.ledger.blocked.discard)(payee)
        for token in self.tokens[1:]:
            token.setBlocked(payee, blocked)

    def promises(self) -> None:
        """P-01, P-02, P-04 over every split and token, from the model that agrees with the contract."""
        book = self.ledger.book
        for token in self.tokens:
            liable = sum(amount for (_, name), amount in book.accounts.items() if name == token.address)
            for tree in self.trees:
                sums = conservation(book, tree.id, token.address)
                assert sums.holds, sums
                liable += sums.owed
                for index in range(tree.leaves):
                    key = (tree.id, token.address, index)
                    paid = book.paid_to(*key)
                    assert self.granted.get(key, 0) <= paid <= book.entitled(*key)
                    self.granted[key] = paid
            assert self.ledger.held(token) >= liable

    def settle(self) -> None:
        """Frees everybody, puts every leaf back and pays every page, with everybody named for a retry."""
        for payee in sorted(self.ledger.blocked):
            self.block(payee)
        for tree in self.trees:
            for token in self.tokens:
                for index in range(tree.leaves):
                    kind, _ = self.ledger.book.checkpoint(tree.id, token.address, index)
                    if kind == 3:
                        leaf = leaf_of(tree, token.address, index)
                        self.ledger.place([leaf], False, "0x" + leaf.leaf[:20].hex())
                if any(self.ledger.book.owed(tree.id, token.address, index) for index in range(tree.leaves)):
                    self.ledger.pay(tree, token, range(tree.pages), 2**128 - 1)


@pytest.mark.parametrize("seed", range(6))
def test_p02_p04_p14_random_steps_agree_with_the_model(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(seed)
    # The token that does not block moves for everybody.
    monkeypatch.setattr(
        world.ledger,
        "_moves",
        lambda token, to, amount: token != world.tokens[1].address or to.lower() not in world.ledger.blocked,
    )
    seen: set[str] = set()
    for step in range(1_000):
        seen.add(world.step())
        if step % 100 == 99:
            world.promises()
        if step % 500 == 499:
            for tree in world.trees:
                for token in world.tokens:
                    world.ledger.same_state(tree, token.address)
    assert seen >= {"credit", "pay", "claim", "claim_to", "place", "move", "Splits_NothingPaid"}
    world.settle()
    world.promises()
    for tree in world.trees:
        for token in world.tokens:
            world.ledger.same_state(tree, token.address)
            owed = [world.ledger.owed(tree, token, index) for index in range(tree.leaves)]
            assert not any(owed)


@pytest.mark.parametrize("seed", range(12))
def test_p03_any_order_and_chunking_pays_everybody_the_same(seed: int) -> None:
    """The same money in any pieces, by pages, claims and placings in any order, as by one payout."""
    rng = random.Random(1_000 + seed)
    units = [rng.choice([1, 2, 3, 97, 10**9]) for _ in range(rng.choice([1, 2, 7, 30, 128, 131]))]
    ledger = Ledger()
    tree, token = ledger.published(tree_of(units)), ledger.token("TestDollar")
    total = rng.choice([1, 10, 999_983, 10**15 + 37])
    left, out = total, set[int]()
    for _ in range(120):
        index = rng.randrange(tree.leaves)
        leaf, payee = leaf_of(tree, token.address, index), payees(len(units))[index]
        choice = rng.randrange(5)
        try:
            if choice == 0 and left:
                part = min(left, rng.randrange(1, total // 9 + 2))
                ledger.credit(tree, token, part)
                left -= part
            elif choice == 1:
                ledger.pay(tree, token, [rng.randrange(tree.pages)], rng.getrandbits(128))
            elif choice == 2:
                ledger.claim([leaf])
            elif choice == 3:
                ledger.claim_to([leaf], payee, payee)
            else:
                ledger.place([leaf], index not in out, payee)
                out ^= {index}
        except Reverted as caught:
            assert caught.name == "Splits_NothingPaid", caught  # noqa: PT017
    if left:
        ledger.credit(tree, token, left)
    for index in sorted(out):
        ledger.place([leaf_of(tree, token.address, index)], False, payees(len(units))[index])
    if any(ledger.owed(tree, token, index) for index in range(tree.leaves)):
        ledger.pay(tree, token, range(tree.pages))
    assert [token.balanceOf(payee) for payee in payees(len(units))] == [
        total * unit // sum(units) for unit in units
    ]
    ledger.same_state(tree, token.address)
    assert ledger.held(token) < tree.leaves <= tree.pages * PAGE_SIZE
