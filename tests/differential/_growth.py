"""One random tree with the money that goes through it, in random order, on both builds and on the model."""

from __future__ import annotations

from collections import Counter
from random import Random

from _grove import ALL, AMOUNTS, CLAIM_TO, KEYED, SALTS, Beside, Grove, leaf_args, of_token
from _pair import DEPLOYER
from coincurve import PrivateKey
from strategies import STRANGER

from ledger.domain.canonical import ZERO_ADDRESS, address_word, keccak256, uint_word
from ledger.domain.chain_terms import domain_separator
from ledger.domain.merkle_sum import read_leaf
from ledger.domain.royalty import entitled_down
from ledger.domain.split_types import Leaf, leaves_hash


def run_one(grove: Grove, rng: Random, tally: Counter[tuple[str, str]]) -> None:
    """One random tree; raises AssertionError where a build and the model differ."""
    mark = grove.pair.mark()
    growth = Growth(grove, rng, tally)
    try:
        growth.run()
    except Exception as error:
        told = "\n".join(growth.told)
        raise AssertionError(f"{error!s:.3000}\n{growth.tree.kind}, {growth.tree.split}\n{told}") from error
    grove.pair.back(mark)


class Growth(Beside):
    """The life of one tree."""

    def run(self) -> None:
        """Publishes, proves and pays, and compares every state in the end."""
        tree, rng = self.tree, self.rng
        self.tally["tree", tree.kind] += 1
        self.tally[
            "leaves", f"up to {1 << (len(self.filled) - 1).bit_length()}" if self.filled else "none"
        ] += 1
        self._split_id()
        self._publish()
        # A split that is out of range, or of which no leaf can be claimed, earns nothing.
        if 0 < tree.split.total < 2**128 and self.filled:
            if rng.random() < 0.7:
                self._credit()
            for _ in range(rng.randrange(5, 12)):
                self._step()
            self._same_states()
            if tree.kind == "in order" and tree.whole and len(self.filled) <= 60 and rng.random() < 0.4:
                self._settle_all()
        self._prove()
        self._same_replay()

    def _step(self) -> None:
        rng = self.rng
        if rng.random() < 0.3:
            self.pair.at(self.pair.time + rng.randrange(1, 10**6))
        chosen = rng.choices(
            (
                self._credit,
                self._pay_pages,
                self._claim_some,
                self._claim_to,
                self._claim_signed,
                self._place,
                self._stand,
                self._block,
                self._account,
                self._cancel,
            ),
            (30, 26, 16, 8, 6, 9, 4, 8, 5, 1),
        )[0]
        chosen()

    def _arrived(self, amount: int) -> int:
        fee = {self.grove.fee.address: 20_000, self.grove.void.address: 10**6}.get(self.token, 0)
        return amount - amount * fee // 10**6

    def _credit(self) -> None:
        tree, amount = self.tree, self.rng.choice(AMOUNTS)
        arrived = self._arrived(amount)
        if (tree.whole and self.rng.random() < 0.7) or self.rng.random() < 0.1:
            self.both(
                "credit",
                lambda: self.book.credit(DEPLOYER, tree.id, self.token, arrived),
                lambda: self._returned(self.splits.call("credit", tree.id, self.token, amount), arrived),
            )
            return
        payer = self.grove.payer
        self.both(
            "callback",
            lambda: self.book.credit_by_callback(payer.address, tree.id, self.token, arrived),
            lambda: self._returned(payer.call("credit", tree.id, self.token, amount, b""), arrived),
        )

    def _pay_pages(self) -> None:
        rng, tree = self.rng, self.tree
        count = rng.choice((1, 1, 1, 2, len(tree.known)))
        pages = [tree.page(number) for number in rng.choices(tree.known, k=count)]
        self._pay(pages, "page", rng.choice((0, 0, ALL, rng.getrandbits(128), 2**256 - 1)))

    def _pick(self, count: int, own: str | None = None) -> list[Leaf]:
        """Leaves, of one payee where `own` is given and has some."""
        rng, filled = self.rng, self.filled
        if own:
            filled = [index for index in filled[:40] if self._payee(index) == own] or filled
        elif self.blocked and rng.random() < 0.4:
            filled = [index for index in filled[:40] if self._payee(index) in self.blocked] or filled
        picked = [rng.choice(filled) for _ in range(count)]
        self.touched.update(picked)
        return [of_token(self.tree.leaf(index), self.token) for index in picked]

    def _someone(self) -> str:
        """A payee whose key we have, or any other; Splits, which a leaf may name, calls nobody."""
        payee = self._payee(self.rng.choice(self.filled))
        return self.rng.choice((*KEYED, payee if payee != self.grove.address else STRANGER))

    def _claim_some(self) -> None:
        self._claim(self._pick(self.rng.choice((0, 1, 1, 2, 5))))

    def _recipient(self) -> str:
        return self.rng.choice((*KEYED, STRANGER, STRANGER, ZERO_ADDRESS, self.grove.address))

    def _claim_to(self) -> None:
        caller, to = self._someone(), self._recipient()
        leaves = self._pick(self.rng.choice((1, 1, 2)), caller)
        self.redirected.add(caller)
        self._claimed(
            "claim to",
            lambda: self.book.claim_to(caller, leaves, to, self._moves),
            lambda: self.splits.call("claimTo", [leaf_args(one) for one in leaves], to, sender=caller),
        )

    def _claim_signed(self) -> None:
        rng, payee, to = self.rng, self.rng.choice(list(KEYED)), self._recipient()
        leaves = self._pick(rng.choice((1, 1, 2)), payee)
        self.redirected.add(payee)
        nonce = self.book.nonces.get(payee, 0) + (rng.random() < 0.1)
        deadline = self.pair.time + rng.choice((0, 0, 1, 10, -1))
        valid = rng.random() < 0.9
        domain = domain_separator("Splits", 1, self.grove.address)
        told = (CLAIM_TO, leaves_hash(leaves), address_word(to), uint_word(nonce), uint_word(deadline))
        digest = keccak256(b"\x19\x01" + domain + keccak256(b"".join(told)))
        made = PrivateKey(KEYED[payee]).sign_recoverable(digest if valid else bytes(32), hasher=None)
        given = [[leaf_args(one) for one in leaves], payee, to, nonce, deadline]
        self._claimed(
            "claim signed",
            lambda: self.book.claim_by_signature(
                STRANGER,
                leaves,
                payee=payee,
                to=to,
                nonce=nonce,
                deadline=deadline,
                now=self.pair.time,
                valid=valid,
                transfer=self._moves,
            ),
            lambda: self.splits.call(
                "claimBySignature", *given, made[:64] + bytes([made[64] + 27]), sender=STRANGER
            ),
        )

    def _cancel(self) -> None:
        caller = self.rng.choice(list(KEYED))
        self.both(
            "cancel",
            lambda: self.book.cancel_claim_nonce(caller),
            lambda: self.splits.call("cancelClaimNonce", sender=caller),
        )
        self.splits.shows("claimNonce", [caller], ["uint256"], [self.book.nonces[caller]])

    def _place(self) -> None:
        caller, out = self._someone(), self.rng.random() < 0.6
        leaves = self._pick(self.rng.choice((1, 1, 2)), caller)
        self.both(
            "place",
            lambda: self.book.place_leaves(caller, leaves, out),
            lambda: self.splits.call("placeLeaves", [leaf_args(one) for one in leaves], out, sender=caller),
        )

    def _stand(self) -> None:
        caller, to = self._someone(), self._recipient()
        self.redirected.add(caller)
        self.both(
            "stand",
            lambda: self.book.set_standing_address(caller, to),
            lambda: self.splits.call("setStandingAddress", to, sender=caller),
        )
        standing = self.book.standing.get(caller, ZERO_ADDRESS)
        self.splits.shows("standingAddress", [caller], ["address"], [standing])

    def _block(self) -> None:
        payee = self._someone()
        blocked = payee not in self.blocked
        (self.blocked.add if blocked else self.blocked.discard)(payee)
        self.grove.blocking.do("setBlocked", payee, blocked)

    def _account(self) -> None:
        rng, payer, salt = self.rng, self.grove.payer, self.rng.choice(SALTS)
        amount, arrived = (given := rng.choice(AMOUNTS)), self._arrived(given)
        if rng.random() < 0.7:
            self.both(
                "fund",
                lambda: self.book.fund_account(payer.address, DEPLOYER, salt, self.token, arrived),
                lambda: self._returned(payer.call("fund", DEPLOYER, salt, self.token, amount, b""), arrived),
            )
        part = rng.choice((amount, arrived, arrived // 2))
        self.both(
            "move",
            lambda: self.book.move_account(DEPLOYER, salt, self.token, self.tree.id, part),
            lambda: self.splits.call("moveAccount", salt, self.token, self.tree.id, part),
        )

    def _settle_all(self) -> None:
        """Frees everybody, puts every leaf back, pays every page: each gets the floor of its part (P-03)."""
        for payee in sorted(self.blocked):
            self.grove.blocking.do("setBlocked", payee, False)
        self.blocked.clear()
        tree, book = self.tree, self.book
        for index in self.filled:
            if book.checkpoint(tree.id, self.token, index)[0] == 3:
                payee, leaf = self._payee(index), of_token(tree.leaf(index), self.token)
                self.both(
                    "place",
                    lambda payee=payee, leaf=leaf: book.place_leaves(payee, [leaf], False),
                    lambda payee=payee, leaf=leaf: self.splits.call(
                        "placeLeaves", [leaf_args(leaf)], False, sender=payee
                    ),
                )
        self._pay([tree.page(number) for number in tree.known], "page", ALL, 100_000)
        up_to, received = book.cumulative(tree.id, self.token), 0
        for index in self.filled:
            payee, units = read_leaf(tree.leaf(index).word)
            entitled = entitled_down(up_to, units, tree.split.total)
            received += entitled
            assert book.paid_to(tree.id, self.token, index) == entitled
            if payee not in self.redirected and payee not in KEYED:
                assert self.balances[payee] == entitled
        assert sum(self.balances.values()) == received
        self.tally["settled", "ok"] += 1
