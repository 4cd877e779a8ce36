"""The steps of a random history of weighted licences: right calls most of the time, wrong ones among them."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from distribution_strategies import DONOR, HEIR, PEOPLE, WITHOUT_TERMS, Setting, Step, tree_of
from strategies import BUYER, LICENSEE, LICENSOR, STRANGER, TOKEN

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.distribution_types import (
    CHOOSE_COUNTER,
    CHOOSE_FALLBACK,
    NO_DISTRIBUTION,
    NONE,
    OBJECTED,
    OPEN,
    Distribution,
    Objection,
    Posting,
    Protest,
    bond_of,
    bond_salt,
)
from ledger.domain.distribution_views import deadlines_of, outlook_of
from ledger.domain.licence_types import UNLIMITED, Figures
from ledger.domain.merkle_sum import MerkleSumTree, read_leaf
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.split_types import Leaf


class Maker:
    """Makes steps that fit the state of the model more often than not."""

    def __init__(
        self, rng: Random, ledger: Ledger, setting: Setting, now: int, *, floods: bool = False
    ) -> None:
        """`floods`: strangers' money may pass what the contracts can count."""
        self.rng = rng
        self.ledger = ledger
        self.book = ledger.distributions
        self.setting = setting
        self.now = now
        self.scale = 10 ** rng.choice((1, 3, 6, 9, 20, 29))
        self.script: list[Step] = []
        self.trees: dict[bytes, MerkleSumTree] = {tree.id: tree for tree in setting.trees}
        self.licence, self.period = 1, 0
        self.unpublished = tree_of(rng, 5, 3)
        #: Whether small parts are posted one after another, until the rounds are used up.
        self.by_parts = rng.random() < 0.06
        self.floods = floods and rng.random() < 0.05

    # Choice

    def next(self) -> Step:
        """The next step."""
        if self.script:
            return self.script.pop(0)
        rng = self.rng
        self.now += rng.choice((0, 0, 0, 1, rng.randrange(900), rng.randrange(DAY)))
        if rng.random() < 0.03:
            return self._world()
        if rng.random() < 0.1:
            self.licence = rng.choice((1, 1, 2))
            if rng.random() < 0.6:
                return self._licence_step()
        state = self.ledger.licences.states[self.licence]
        if not state.next_period:
            return self._licence_step()
        if self.period >= state.next_period or rng.random() < 0.1:
            self.period = max(0, state.next_period - 1 - rng.choice((0, 0, 0, 1, 1, 2, rng.randrange(14))))
        return self._distribution_step()

    def _step(self, name: str, caller: str, **args: Any) -> Step:
        return Step(name, caller, self.now, args)

    def _jump(self, time: int, likely: float = 0.8) -> None:
        """Lets time pass to `time`, or to one beside it, most of the time."""
        if self.rng.random() < likely:
            time += self.rng.choice((0, 0, 0, 1, -1))
        else:
            time = self.now
        self.now = max(self.now, time)

    def _world(self) -> Step:
        """Other splits, other owners, money from strangers."""
        rng = self.rng
        owner = self.ledger.catalogues.owner_of(1)
        name = rng.choice(("announce", "announce", "ownership", "move", "donate", "donate"))
        if name == "announce":
            return self._step(name, owner, catalogue=1, split_id=rng.choice(self.setting.trees).id)
        if name == "ownership":
            heir = HEIR if owner == LICENSOR else LICENSOR
            self.script.append(self._step("accept_ownership", heir, catalogue=1))
            return self._step("offer_ownership", owner, catalogue=1, pending_owner=heir)
        if name == "move":
            holder = self.ledger.licences.holders[self.licence]
            to = rng.choice((BUYER, LICENSEE))
            return self._step("move", holder, licence=self.licence, sender=holder, to=to)
        salt = self.ledger.licences.salt_of(self.licence, self.period)
        if rng.random() < 0.5:
            salt = bond_salt(salt, rng.randrange(3))
        token = self.setting.terms[self.licence - 1].token
        amount = 2**190 if self.floods else rng.randrange(1, 1000)
        return self._step(
            "donate", DONOR, controller=self.book.address, salt=salt, token=token, arrived=amount
        )

    # The licence

    def _licence_step(self) -> Step:
        rng, licence = self.rng, self.licence
        book = self.ledger.licences
        state = book.states[licence]
        holder = book.holders[licence]
        late = [key[1] for key, held in book.periods.items() if key[0] == licence and held.open]
        name = rng.choice(("report", "report", "report", "pay", "restate", "restate", "end"))
        if name == "pay" and late:
            period = rng.choice(late)
            held = book.periods[licence, period]
            amount = rng.choice((UNLIMITED, UNLIMITED, held.open // 2))
            return self._step(
                "pay",
                holder,
                licence=licence,
                period=period,
                version=held.version,
                believed_open=held.open,
                amount=amount,
            )
        if name == "restate" and state.next_period:
            period = rng.randrange(max(0, state.next_period - 3), state.next_period)
            held = book.periods[licence, period]
            figures = Figures(period, held.base + rng.randrange(self.scale), version=held.version)
            return self._step("restate", holder, licence=licence, figures=figures)
        owner = self.ledger.catalogues.owner_of(1)
        if name == "end" and state.in_cure:
            self._jump(state.cure_until + 1)
            return self._step("terminate", owner, licence=licence)
        if name == "end" and late:
            return self._step("give_notice", owner, licence=licence, period=rng.choice(late))
        work = book._work(licence, "", self.now)
        self._jump(min(work.span(state.next_period).end, self.now + 200 * DAY))
        gross = rng.choice((0, *[rng.randrange(1, self.scale + 1)] * 8))
        figures = Figures(state.next_period, gross)
        self.period = state.next_period
        return self._step("report", holder, licence=licence, figures=figures, pay_now=rng.random() < 0.8)

    # The period

    def _distribution_step(self) -> Step:
        rng = self.rng
        try:
            self.dates = deadlines_of(self.book, self.licence, self.period)
            self.outlook = outlook_of(self.book, self.licence, self.period, now=self.now)
        except Revert:
            return self._licence_step()
        self.settled = self.book.settled(self.licence, self.period)
        self.held = self.book.round_of(self.licence, self.period, len(self.settled))
        stage = self.held.stage
        late = len(self.settled) > 0
        waits = self.outlook.waits
        rare = 0.02 if self.by_parts else 0.1
        heard = self.now <= self.held.deadline
        postable = waits and (late or self.now <= self.dates.post_by)
        weights = {
            self._post: 16 if stage == NONE and postable else rare * 4,
            self._replace: 4 if stage == OPEN and heard and not self.by_parts else rare,
            self._object: 14 if stage == OPEN and heard and not self.by_parts else rare,
            self._concede: 8 if stage == OBJECTED and heard else rare,
            self._choose: 10 if stage == OBJECTED and heard else rare,
            self._settle: 9 if stage == OPEN else rare,
            self._close: 5 if stage == OBJECTED else rare,
            self._fall_back: 2 if stage == NONE and waits and not late else rare,
            self._sweep: 8 if self.outlook.sweepable else rare * 2,
            self._release: 1.5 if stage == NONE and waits and late else rare,
            self._licence_step: 3 if stage == NONE and not waits else 1 if late else rare,
        }
        return rng.choices(list(weights), list(weights.values()))[0]()

    def _of(self, name: str, caller: str, **args: Any) -> Step:
        """A call on the period; an unknown one, others' terms, or other distributions now and then."""
        rng = self.rng
        licence, period = self.licence, self.period
        terms: ChainTerms | None = self.setting.terms[licence - 1]
        if rng.random() < 0.04:
            licence = rng.choice((0, 3, 9))
            terms = self.setting.terms[2] if licence == 3 else terms
        elif rng.random() < 0.04:
            period = rng.choice((period + 1, period + 40, 2**16, 2**256 - 1))
        elif rng.random() < 0.03:
            terms = replace(terms, document=rng.randbytes(32))
        if "objection" in args and rng.random() < 0.05:
            args["objection"] = args["objection"]._replace(bond=args["objection"].bond + 1)
        elif rng.random() < 0.06:
            for key in ("settled", "rounds"):
                if key in args:
                    args[key] = self._spoilt(args[key])
        given = None if name in WITHOUT_TERMS else terms
        return Step(name, caller, self.now, {"licence": licence, "period": period, **args}, given)

    def _spoilt(self, rounds: list[Distribution]) -> list[Distribution]:
        """Distributions that are not those of the period."""
        choice = self.rng.randrange(3)
        if not rounds or choice == 0:
            return [*rounds, *[Distribution(TOKEN, bytes(32), 1, 1)] * self.rng.choice((1, 1, 8))]
        if choice == 1:
            return rounds[:-1]
        at = self.rng.randrange(len(rounds))
        return [*rounds[:at], rounds[at]._replace(total=rounds[at].total + 1), *rounds[at + 1 :]]

    @property
    def _rounds(self) -> list[Distribution]:
        return [*self.settled, self.held.what] if self.held.what else list(self.settled)

    def _one_of(self, caller: str) -> str:
        return caller if self.rng.random() < 0.9 else self.rng.choice(PEOPLE)

    def _sides(self) -> tuple[str, str]:
        return self.ledger.catalogues.owner_of(1), self.ledger.licences.holders[self.licence]

    def _posting(self) -> Posting:
        """A posting for what waits, a part of it, or too much; its split is published first, most of the time."""
        rng = self.rng
        waits = max(1, self.outlook.waits)
        amount = rng.choice((waits, waits, rng.randint(1, waits), waits + 1 if rng.random() < 0.2 else waits))
        total = rng.choice((amount, rng.randint(1, amount), amount + (rng.random() < 0.1)))
        if self.by_parts:
            amount = waits
            total = max(1, waits // 3)
        tree = tree_of(rng, total, rng.randrange(1, 6))
        if rng.random() < 0.05:
            tree = self.unpublished
        return Posting(
            self._known(tree).split, amount, rng.randbytes(32), rng.randbytes(32), rng.randbytes(32), "x"
        )

    def _known(self, tree: MerkleSumTree) -> MerkleSumTree:
        """Publishes a tree by the next step, unless it is the one that stays unpublished."""
        if tree is not self.unpublished:
            self.trees[tree.id] = tree
            self.script.append(self._step("publish", STRANGER, tree=tree))
        return tree

    def _then(self, step: Step) -> Step:
        """The step after those that were put before it."""
        self.script.append(step)
        return self.script.pop(0)

    def _post(self) -> Step:
        rng = self.rng
        caller, licensee = self._sides()
        first = not self.settled
        if first and rng.random() < 0.25:
            self._jump(self.dates.licensor_by + 1)
            caller = licensee
        elif first and rng.random() < 0.05:
            self._jump(self.dates.post_by)
        elif rng.random() < 0.05:
            self._jump(self.outlook.until)
        posting = self._posting()
        return self._then(self._of("post", self._one_of(caller), settled=list(self.settled), posting=posting))

    def _poster(self) -> str:
        licensor, licensee = self._sides()
        return self._one_of(licensee if self.held.by_licensee else licensor)

    def _replace(self) -> Step:
        if self.rng.random() < 0.1:
            self._jump(self.held.deadline)
        caller = self._poster()
        return self._then(self._of("replace", caller, settled=list(self.settled), posting=self._posting()))

    def _object(self) -> Step:
        """By a payee of the posted or of the standing split, mostly one of those that tests act for."""
        rng = self.rng
        posted = self.held.what or NO_DISTRIBUTION
        standing = self.ledger.catalogues.split_at(
            1, self.book._rules(self.licence, self.period, None).split_time
        )
        split_id = posted.split_id if posted.split_id in self.trees and rng.random() < 0.7 else standing
        if rng.random() < 0.04:
            split_id = rng.choice(self.setting.trees).id
        tree = self.trees[split_id]
        acting = [i for i in range(tree.leaves) if read_leaf(tree.leaf(i))[0] in PEOPLE]
        index = rng.choice(acting or range(tree.leaves))
        index_given = index if rng.random() < 0.97 else rng.randrange(2**tree.depth + 1)
        leaf = Leaf(tree.split, TOKEN, index_given, tree.leaf(index), tree.leaf_proof(index))
        counter = MerkleSumTree.build([(STRANGER, 1)]).split
        if rng.random() < 0.4:
            counter = replace(counter, total=0)
        else:
            total = rng.choice((posted.amount, rng.randint(1, max(1, posted.amount)), posted.amount + 1))
            tree = tree_of(rng, max(1, total), rng.randrange(1, 5))
            counter = self._known(self.unpublished if rng.random() < 0.05 else tree).split
            if rng.random() < 0.05 and posted.split_id in self.trees:
                counter = self.trees[posted.split_id].split
        found, last_period = self.book.last_stood(self.licence, self.period)
        last = self.book.round_of(self.licence, last_period, 0).what if found else None
        if rng.random() < 0.05:
            last = None
        bond = bond_of(posted.amount)
        pay = max(0, rng.choice((bond, bond * 2, bond * 2, bond - 1, 0)))
        if rng.random() < 0.08:
            self._jump(self.held.deadline)
        protest = Protest(leaf, counter, last or NO_DISTRIBUTION, pay)
        caller = self._one_of(read_leaf(leaf.leaf)[0])
        return self._then(self._of("object", caller, rounds=self._rounds, protest=protest))

    @property
    def _objection(self) -> Objection:
        return self.held.objection or Objection()

    def _concede(self) -> Step:
        if self.rng.random() < 0.1:
            self._jump(self.held.deadline)
        return self._of("concede", self._poster(), rounds=self._rounds, objection=self._objection)

    def _choose(self) -> Step:
        rng = self.rng
        if rng.random() < 0.1:
            self._jump(self.held.deadline)
        arbiter = self.ledger.catalogues.rules_of(1)[0]
        caller = rng.choice(PEOPLE) if arbiter == ZERO_ADDRESS else self._one_of(arbiter)
        choice = rng.randrange(1, 4) if rng.random() < 0.95 else rng.choice((0, 4, 2**256 - 1))
        if choice == CHOOSE_COUNTER and not any(self._objection.counter_split) and rng.random() < 0.7:
            choice = CHOOSE_FALLBACK
        return self._of("choose", caller, rounds=self._rounds, objection=self._objection, choice=choice)

    def _settle(self) -> Step:
        self._jump(self.held.deadline + 1)
        return self._of("settle", self.rng.choice(PEOPLE), rounds=self._rounds)

    def _close(self) -> Step:
        self._jump(self.held.deadline + 1)
        return self._of(
            "close_objection", self.rng.choice(PEOPLE), rounds=self._rounds, objection=self._objection
        )

    def _fall_back(self) -> Step:
        self._jump(self.dates.decided_by + 1)
        found, last_period = self.book.last_stood(self.licence, self.period)
        last = self.book.round_of(self.licence, last_period, 0).what if found else None
        if self.rng.random() < 0.05:
            last = None
        return self._of("fall_back", self.rng.choice(PEOPLE), last=last or NO_DISTRIBUTION)

    def _sweep(self) -> Step:
        return self._of("sweep", self.rng.choice(PEOPLE), rounds=list(self.settled))

    def _release(self) -> Step:
        self._jump(self.dates.held_until + 1, likely=0.4)
        return self._of("release", self.rng.choice(PEOPLE), rounds=list(self.settled))
