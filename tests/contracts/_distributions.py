"""What the tests of Distributions share: a usage-weighted licence, published splits, postings, objections, money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from _licences import ARBITER, DAY, LICENSEE, LICENSOR, MAX, ZERO, World, figures
from _mini import Contract, account, fold, keccak
from _splits import leaf_args, leaf_of, run_args, run_of, split_args, tree_of
from eth_abi.abi import encode

from ledger.domain.merkle_sum import MerkleSumTree

NONE, OPEN, OBJECTED, STOOD, FELL = range(5)
UNOPPOSED, POSTED, COUNTER, FALLBACK, SILENT, NOTHING, RELEASED = range(1, 8)
HOLDER, OTHER_HOLDER = account(100), account(101)
NEW_HOLDER = account(200)
DISPUTE, ARBITRATION, HELD = 7 * DAY, 14 * DAY, 730 * DAY
Distribution = tuple[str, bytes, int, int]
NOTHING_LAST: Distribution = (ZERO, bytes(32), 0, 0)
STANDING_UNITS = (1, 2, 3)


def split_of(tree: MerkleSumTree) -> tuple[bytes, int, int]:
    """ISplits.Split of a tree."""
    return split_args(tree.split)


def word_of(what: Distribution, deadline: int, flags: int) -> int:
    """The word of a round, as IDistributions tells."""
    commitment = int.from_bytes(keccak(encode(["address", "bytes32", "uint256", "uint256"], what)), "big")
    return commitment >> 48 << 48 | deadline << 8 | flags


@dataclass
class Scene(World):
    """The contracts of World, Distributions, and one monthly usage-weighted licence of LICENSEE, paid in dollars."""

    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.distributions: Contract = self.chain.deploy("Distributions", self.licences.address)
        self.trees: dict[bytes, MerkleSumTree] = {}
        self.standing = self.publish(tree_of(STANDING_UNITS, 100))
        self.catalogue = self.create()
        self.catalogues.announce(self.catalogue, self.standing.id, sender=LICENSOR)
        self.token: Contract = self.dollar
        self.licence = self.weighted(**self.changes)
        self.payer: Contract = self.chain.deploy("TestPayer", self.splits.address)
        self.fund_holder(self.dollar, HOLDER, OTHER_HOLDER, NEW_HOLDER)
        self.dollar.mint(self.payer.address, 10**30)

    def weighted(self, **changes: Any) -> int:
        """A licence whose periods are distributed here; its period 0 is July 2025."""
        return self.grant(**{"distributions": self.distributions.address, **changes})

    def fund_holder(self, token: Contract, *holders: str) -> None:
        """Gives holders money for bonds, and Distributions its allowance."""
        for holder in holders:
            token.mint(holder, 10**30)
            token.approve(self.distributions.address, MAX, sender=holder)

    def publish(self, tree: MerkleSumTree) -> MerkleSumTree:
        """Publishes every page of a tree."""
        pages = [run_args(run_of(tree, number)) for number in range(tree.pages)]
        self.splits.publish(split_of(tree), pages)
        self.trees[tree.id] = tree
        return tree

    def tree(self, *units: int, first: int = 200) -> MerkleSumTree:
        """A published split of payees numbered from `first`."""
        return self.publish(tree_of(units, first))

    # Money in

    def earn(self, period: int, amount: int) -> None:
        """The licensee reports a period and pays exactly `amount` for it."""
        self.licences.report(
            self.licence, self.bytes[self.licence], figures(period, amount * 10), True, sender=LICENSEE
        )

    def donate(self, period: int, amount: int, round_: int | None = None, token: str | None = None) -> None:
        """A stranger puts money into a period's account, or into that of a bond."""
        salt = self.salt(period)
        if round_ is not None:
            salt = self.distributions.bondSaltOf(self.licence, period, round_)
        self.payer.fund(self.distributions.address, salt, token or self.token.address, amount, b"")

    # Calls

    def posting(self, tree: MerkleSumTree, amount: int | None = None, **more: Any) -> tuple[Any, ...]:
        """IDistributions.Posting for all units of a tree, or for more."""
        hashes = [more.get(name, keccak(name.encode())) for name in ("usage", "manifest", "rule")]
        return (split_of(tree), amount or tree.split.total, *hashes, more.get("uri", "ipfs://usage"))

    def post(
        self,
        period: int,
        tree: MerkleSumTree,
        amount: int | None = None,
        *,
        by: str = LICENSOR,
        settled: Sequence[Distribution] | None = None,
        replace: bool = False,
        licence: int | None = None,
    ) -> Distribution:
        """Posts, or replaces; the distribution posted."""
        number = licence or self.licence
        call = self.distributions.replace if replace else self.distributions.post
        call(
            number,
            self.bytes[number],
            period,
            list(self.settled(period) if settled is None else settled),
            self.posting(tree, amount),
            sender=by,
        )
        return (self.token.address, tree.id, tree.split.total, amount or tree.split.total)

    def protest(
        self,
        tree: MerkleSumTree,
        index: int = 0,
        counter: MerkleSumTree | None = None,
        last: Distribution = NOTHING_LAST,
        pay: int = 0,
    ) -> tuple[Any, ...]:
        """IDistributions.Protest."""
        wanted = split_of(counter) if counter else (bytes(32), 0, 0)
        return (leaf_args(leaf_of(tree, ZERO, index)), wanted, last, pay)

    def contest(
        self,
        period: int,
        counter: MerkleSumTree | None = None,
        *,
        by: str = HOLDER,
        tree: MerkleSumTree | None = None,
        index: int = 0,
        last: Distribution = NOTHING_LAST,
        pay: int | None = None,
        rounds: Sequence[Distribution] | None = None,
    ) -> tuple[Any, ...]:
        """Objects to what stands posted, with the least bond unless told; the Objection."""
        given = list(rounds or self.rounds(period))
        bond = int(self.distributions.bondOf(given[-1][3])) if pay is None else pay
        protest = self.protest(tree or self.standing, index, counter, last, bond)
        terms = self.bytes[self.licence]
        self.distributions.object(self.licence, terms, period, given, protest, sender=by)
        return self.objection(period)

    def choose(self, period: int, choice: int, by: str | None = None) -> None:
        """The arbiter chooses."""
        self._decide("choose", period, by, choice)

    def concede(self, period: int, by: str = LICENSOR) -> None:
        """The poster takes the counter-split."""
        self._decide("concede", period, by)

    def _decide(self, name: str, period: int, by: str | None, *more: int) -> None:
        getattr(self.distributions, name)(
            self.licence,
            self.bytes[self.licence],
            period,
            self.rounds(period),
            self.objection(period),
            *more,
            sender=by or ARBITER,
        )

    def close(self, period: int) -> None:
        """The fallback of an objection that the arbiter was silent about."""
        self.distributions.closeObjection(self.licence, period, self.rounds(period), self.objection(period))

    def finish(self, period: int) -> None:
        """Settles what nobody objected to."""
        self.distributions.settle(self.licence, period, self.rounds(period))

    def fall_back(self, period: int, last: Distribution = NOTHING_LAST) -> None:
        """The fallback of a period for which nothing was posted."""
        self.distributions.fallBack(self.licence, self.bytes[self.licence], period, last)

    def sweep(self, period: int) -> int:
        """Late money through all settled rounds."""
        return int(self.distributions.sweep(self.licence, period, self.settled(period)))

    def release(self, period: int) -> None:
        """What is held, into the split of round 0."""
        terms = self.bytes[self.licence]
        self.distributions.release(self.licence, terms, period, self.settled(period))

    def stand(self, period: int, tree: MerkleSumTree, amount: int | None = None) -> Distribution:
        """Posts a distribution and settles it."""
        made = self.post(period, tree, amount)
        self.chain.move(DISPUTE + 1)
        self.finish(period)
        return made

    # Reading

    def told(self, name: str, period: int | None = None) -> list[dict[str, Any]]:
        """The entries of this name, of this scene's licence, fields by name."""
        entry = next(e for e in self.distributions.abi if e["type"] == "event" and e["name"] == name)
        names = [part["name"] for part in entry["inputs"] if not part["indexed"]]
        number = self.licence.to_bytes(32, "big")
        found = [
            dict(zip(names, values, strict=True))
            for topic, values in self.distributions.events(name)
            if topic == number
        ]
        return [one for one in found if period is None or one["period"] == period]

    def settled(self, period: int) -> list[Distribution]:
        """The distributions of all settled rounds, out of the journal."""
        return [self._distribution(entry) for entry in self.told("Settled", period)]

    def rounds(self, period: int) -> list[Distribution]:
        """The settled distributions and the one that stands posted."""
        settled = self.settled(period)
        words = {
            word_of(what, 0, 0): what
            for name in ("Posted", "Conceded")
            for what in map(self._distribution, self.told(name, period))
        }
        stored = self.round(period, len(settled))["commitment"]
        return [*settled, words[int.from_bytes(stored, "big")]]

    @staticmethod
    def _distribution(entry: dict[str, Any]) -> Distribution:
        return entry["token"], entry["splitId"], entry["total"], entry["amount"]

    def objection(self, period: int) -> tuple[Any, ...]:
        """IDistributions.Objection of the last objection, out of the journal."""
        entry = self.told("Objected", period)[-1]
        names = "objector bond counterSplit counterTotal lastSplit lastTotal standingSplit"
        return tuple(entry[name] for name in names.split())

    def round(self, period: int, number: int = 0) -> dict[str, Any]:
        """IDistributions.Round by name."""
        names = "stage byLicensee replaced byArbiter deadline commitment objection moved"
        return dict(zip(names.split(), self.distributions.roundOf(self.licence, period, number), strict=True))

    def dates(self, period: int = 0) -> dict[str, int]:
        """IDistributions.Deadlines by name."""
        names = "start end payBy licensorBy postBy decidedBy heldUntil"
        found = self.distributions.deadlinesOf(self.licence, self.bytes[self.licence], period)
        return dict(zip(names.split(), found, strict=True))

    def outlook(self, period: int = 0) -> dict[str, int]:
        """IDistributions.Outlook by name."""
        names = "round stage step until waits sweepable"
        found = self.distributions.outlookOf(
            self.licence, self.bytes[self.licence], period, self.settled(period)
        )
        return dict(zip(names.split(), found, strict=True))

    def salt(self, period: int) -> bytes:
        """The salt of a period's account."""
        found: bytes = self.distributions.saltOf(self.licence, period)
        return found

    def waiting(self, period: int, token: str | None = None) -> int:
        """Base units in a period's account."""
        return self._balance(self.salt(period), token)

    def bond_of(self, period: int, number: int = 0) -> int:
        """Base units in the account of a round's bond."""
        return self._balance(self.distributions.bondSaltOf(self.licence, period, number), None)

    def _balance(self, salt: bytes, token: str | None) -> int:
        name = self.splits.accountId(self.distributions.address, salt)
        return int(self.splits.accountBalance(name, token or self.token.address))

    def got(self, tree: MerkleSumTree) -> int:
        """All that was credited to a split."""
        return int(self.splits.cumulative(tree.id, self.token.address))

    def owed(self, tree: MerkleSumTree) -> list[int]:
        """What each leaf of a split is owed."""
        token = self.token.address
        return [int(self.splits.owed(leaf_args(leaf_of(tree, token, i)))) for i in range(tree.leaves)]

    def own_split(self, payee: str) -> MerkleSumTree:
        """The split that a returned bond goes to."""
        return MerkleSumTree.build([(payee, 1)])

    def check_journal(self) -> None:
        """The head is the fold of the logs (P-14)."""
        address = self.distributions.address.lower()
        head = self.chain.storage(address, 0).to_bytes(32, "big")
        assert head == fold(self.chain.logs, address)
