"""Distributions in the model: money is conserved and never locked (P-02, P-15, P-17), and worked cases."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from distribution_ledgers import AT, random_ledger
from distribution_strategies import HOLDERS, Step, play
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import ARBITER, GENESIS, LICENSEE, LICENSOR, STRANGER, TOKEN, all_pages, random_terms

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import Offer
from ledger.domain.conservation import account_sums, conservations, short_bonds
from ledger.domain.distribution_types import (
    DONE,
    FALL_BACK,
    FELL,
    LICENSOR_POSTS,
    MAX_ROUNDS,
    NO_DISTRIBUTION,
    NO_SPLIT,
    OBJECTED,
    OPEN,
    RELEASE,
    SETTLE,
    STOOD,
    Distribution,
    Objection,
    Posting,
    Protest,
    bond_of,
    own_split,
)
from ledger.domain.distribution_views import deadlines_of, outlook_of, standing_split
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.royalty import NO_LIMIT, PPM, Tier
from ledger.domain.split_types import Leaf, account_id

seeds = st.integers(min_value=0, max_value=2**40)
relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# Money


@relaxed
@given(seeds)
def test_P_02_accounts_are_conserved(seed: int) -> None:
    ledger, _, _ = random_ledger(seed)
    splits, book = ledger.splits, ledger.distributions
    assert all(one.holds for one in account_sums(splits, book))
    assert all(one.holds for one in conservations(splits))
    assert not short_bonds(splits, book)
    for key, funded in splits.funded.items():
        assert funded == splits.moved.get(key, 0) + splits.account_balance(*key)


@relaxed
@given(seeds)
def test_P_17_a_stranger_alone_brings_all_money_into_published_splits(seed: int) -> None:
    ledger, _, now = random_ledger(seed)
    book, splits = ledger.distributions, ledger.splits
    for one in account_sums(splits, book):
        if one.waiting == 0:
            continue
        where = (one.licence, one.period)
        dates = deadlines_of(book, *where)
        now = max(now, dates.decided_by + 1)
        if not book.round_of(*where, 0).settled:
            # Whatever was done before, one call after the hard deadline settles the period.
            assert finish_round(ledger, where, now) == 1
            assert book.round_of(*where, 0).settled
        now = max(now, dates.held_until + 1)
        calls = 0
        while splits.account_balance(one.account, one.token):
            calls += finish_round(ledger, where, now)
            assert calls <= 4
    assert all(one.waiting == 0 and one.holds for one in account_sums(splits, book))
    assert not any(held.objection for held in book.rounds.values() if held.settled)


def finish_round(ledger: Ledger, where: tuple[int, int], now: int) -> int:
    """One call by a stranger that carries a period on; all deadlines have passed."""
    book = ledger.distributions
    settled = book.settled(*where)
    held = book.round_of(*where, len(settled))
    assert now > held.deadline
    rounds = [*settled, held.what or NO_DISTRIBUTION]
    if held.stage == OPEN:
        book.settle(STRANGER, *where, rounds, now=now)
    elif held.stage == OBJECTED:
        book.close_objection(STRANGER, *where, rounds, held.objection or Objection(), now=now)
    elif not settled:
        _, last = book.last_stood(*where)
        what = book.round_of(where[0], last, 0).what or NO_DISTRIBUTION
        book.fall_back(STRANGER, *where, what, now=now)
    elif outlook_of(book, *where, now=now).waits:
        book.release(STRANGER, *where, settled, now=now)
    else:
        book.sweep(STRANGER, *where, settled, now=now)
    return 1


@relaxed
@given(seeds)
def test_P_15_a_period_has_at_most_so_many_rounds(seed: int) -> None:
    ledger, _, _ = random_ledger(seed, 80)
    book = ledger.distributions
    for licence, period, number in book.rounds:
        assert number <= MAX_ROUNDS + 1
        found, last = book.last_stood(licence, period)
        assert not found or period - 12 <= last < period


# Worked cases


class Case:
    """One monthly licence of 100 %, whose money goes to Distributions; a standing split of two holders."""

    def __init__(self, *, cure_days: int = 5) -> None:
        self.ledger = Ledger()
        self.book = self.ledger.distributions
        self.standing = self.publish({HOLDERS[0]: 1, HOLDERS[1]: 2})
        windows = {"dispute_window": 2 * DAY, "arbiter_window": 3 * DAY}
        self.ledger.catalogues.create(LICENSOR, Settings(b"\x01" * 32, b"\x02" * 32, ARBITER, 0, **windows))
        self.ledger.catalogues.announce(LICENSOR, 1, self.standing.id, AT)
        terms = random_terms(
            Random(1),
            token=TOKEN,
            licensee=ZERO_ADDRESS,
            exclusive=0,
            start=GENESIS,
            end=0,
            transferable=True,
            upfront_fee=0,
            advance=False,
            tiers_over_life=False,
            deduction_cap_ppm=0,
            guarantee=0,
            cap=0,
            late_rate_ppm=0,
            period_months=1,
            days_to_report=5,
            days_to_pay=10,
            cure_days=cure_days,
            distributions=self.book.address,
            tiers=(Tier(NO_LIMIT, PPM),),
        )
        offer = Offer(1, AT, "")
        self.ledger.licences.offer(LICENSOR, terms, offer, now=AT)
        self.ledger.licences.accept(LICENSEE, terms, offer, now=AT)
        self.now = AT

    def publish(self, units: dict[str, int]) -> MerkleSumTree:
        tree = MerkleSumTree.build(list(units.items()))
        self.ledger.splits.publish(STRANGER, tree.split, all_pages(tree))
        return tree

    def pay(self, period: int, amount: int) -> None:
        """Reports and pays a period at its end."""
        self.now = max(self.now, self.ledger.licences._work(1, "", 0).span(period).end)
        self.ledger.licences.report(LICENSEE, 1, Figures(period, amount), pay_now=True, now=self.now)

    def pay_more(self, period: int, amount: int) -> None:
        """Late money: a restatement, paid at once."""
        held = self.ledger.licences.periods[1, period]
        figures = Figures(period, held.base + amount, version=held.version)
        self.ledger.licences.restate(LICENSEE, 1, figures, now=self.now)
        self.ledger.licences.pay(
            LICENSEE,
            1,
            period,
            version=held.version + 1,
            believed_open=amount,
            amount=amount,
            now=self.now,
        )

    def post(self, period: int, units: dict[str, int], amount: int, caller: str = LICENSOR) -> MerkleSumTree:
        tree = self.publish(units)
        posting = Posting(tree.split, amount)
        self.book.post(caller, 1, period, self.book.settled(1, period), posting, now=self.now)
        return tree

    def rounds(self, period: int) -> list[Distribution]:
        settled = self.book.settled(1, period)
        held = self.book.round_of(1, period, len(settled))
        return [*settled, held.what] if held.what else settled

    def object(
        self, period: int, tree: MerkleSumTree, by: str, counter: MerkleSumTree | None = None
    ) -> Objection:
        index = tree.index_of(by)
        leaf = Leaf(tree.split, TOKEN, index, tree.leaf(index), tree.leaf_proof(index))
        rounds = self.rounds(period)
        found, last = self.book.last_stood(1, period)
        what = self.book.round_of(1, last, 0).what if found else None
        pay = bond_of(rounds[-1].amount)
        protest = Protest(leaf, counter.split if counter else NO_SPLIT, what or NO_DISTRIBUTION, pay)
        self.book.object(by, 1, period, rounds, protest, now=self.now)
        objection = self.book.round_of(1, period, len(rounds) - 1).objection
        assert objection is not None
        return objection

    def settle(self, period: int) -> None:
        self.now += 2 * DAY + 1
        self.book.settle(STRANGER, 1, period, self.rounds(period), now=self.now)

    def sweep(self, period: int) -> None:
        self.book.sweep(STRANGER, 1, period, self.book.settled(1, period), now=self.now)

    def credited(self, tree: MerkleSumTree) -> int:
        return self.ledger.splits.cumulative(tree.id, TOKEN)

    def waiting(self, period: int) -> int:
        account = account_id(self.book.address, self.ledger.licences.salt_of(1, period))
        return self.ledger.splits.account_balance(account, TOKEN)


def test_P_02_each_leaf_gets_exactly_its_units_for_the_amount_posted() -> None:
    case = Case()
    case.pay(0, 100)
    tree = case.post(0, {HOLDERS[0]: 33, HOLDERS[1]: 50}, 100)
    case.settle(0)
    assert case.credited(tree) == 83
    assert case.waiting(0) == 17
    splits = case.ledger.splits
    assert [splits.owed(tree.id, TOKEN, index) for index in range(2)] == [
        units for _, units in tree.entries()
    ]


def test_P_02_late_money_goes_in_the_same_proportions_through_all_rounds() -> None:
    case = Case()
    case.pay(0, 100)
    first = case.post(0, {HOLDERS[0]: 83}, 100)
    case.settle(0)
    second = case.post(0, {HOLDERS[1]: 10}, 17)
    case.settle(0)
    case.pay_more(0, 101)
    case.sweep(0)
    assert case.credited(first) == 166  # 201 × 83 / 100 = 166.83
    assert case.credited(second) == 20  # 35 × 10 / 17 = 20.59
    assert case.waiting(0) == 201 - 166 - 20
    with pytest.raises(Revert, match="nothing to be moved"):
        case.sweep(0)


def test_held_money_is_released_to_the_split_of_round_0() -> None:
    case = Case()
    case.pay(0, 100)
    tree = case.post(0, {HOLDERS[0]: 60}, 100)
    case.settle(0)
    dates = deadlines_of(case.book, 1, 0)
    with pytest.raises(Revert):
        case.book.release(STRANGER, 1, 0, case.book.settled(1, 0), now=dates.held_until)
    assert outlook_of(case.book, 1, 0, now=dates.held_until + 1).step == RELEASE
    case.book.release(STRANGER, 1, 0, case.book.settled(1, 0), now=dates.held_until + 1)
    assert case.credited(tree) == 100
    assert case.waiting(0) == 0
    case.now = dates.held_until + 2
    case.pay_more(0, 50)
    case.sweep(0)
    assert case.credited(tree) == 150
    assert outlook_of(case.book, 1, 0, now=case.now).step == DONE


def test_P_17_without_a_posting_the_last_that_stood_and_the_standing_split_are_paid() -> None:
    case = Case()
    case.pay(0, 100)
    tree = case.post(0, {HOLDERS[0]: 60}, 100)
    case.settle(0)
    case.pay(1, 90)
    dates = deadlines_of(case.book, 1, 1)
    assert outlook_of(case.book, 1, 1, now=case.now).step == LICENSOR_POSTS
    assert outlook_of(case.book, 1, 1, now=dates.decided_by + 1).step == FALL_BACK
    last = case.book.settled(1, 0)[0]
    with pytest.raises(Revert):
        case.book.fall_back(STRANGER, 1, 1, last, now=dates.decided_by)
    case.book.fall_back(STRANGER, 1, 1, last, now=dates.decided_by + 1)
    assert case.credited(tree) == 60 + 60
    assert case.credited(case.standing) == 30
    assert case.book.round_of(1, 1, 0).stage == FELL
    assert standing_split(case.book, 1, 1) == case.standing.id


def test_an_upheld_bond_goes_back_and_another_joins_the_money() -> None:
    for choice, back in ((1, False), (2, True), (3, True)):
        case = Case()
        case.pay(0, 1000)
        tree = case.post(0, {HOLDERS[0]: 900, HOLDERS[1]: 100}, 1000)
        counter = case.publish({HOLDERS[0]: 100, HOLDERS[1]: 900})
        objection = case.object(0, tree, HOLDERS[1], counter)
        assert objection.bond == 10
        rounds = case.rounds(0)
        with pytest.raises(Revert, match="not the catalogue's arbiter"):
            case.book.choose(STRANGER, 1, 0, rounds, objection, choice, now=case.now)
        case.book.choose(ARBITER, 1, 0, rounds, objection, choice, now=case.now)
        own = case.ledger.splits.cumulative(own_split(HOLDERS[1]).id, TOKEN)
        assert own == (10 if back else 0)
        won = {1: tree, 2: counter, 3: case.standing}[choice]
        assert case.credited(won) == 1000 + (0 if back else 10)
        assert case.book.round_of(1, 0, 0).stage == (FELL if choice == 3 else STOOD)


def test_a_concession_is_the_one_replacement_and_is_heard_again() -> None:
    case = Case()
    case.pay(0, 1000)
    tree = case.post(0, {HOLDERS[0]: 900, HOLDERS[1]: 100}, 1000)
    counter = case.publish({HOLDERS[0]: 100, HOLDERS[1]: 900})
    objection = case.object(0, tree, HOLDERS[1], counter)
    case.now += DAY
    case.book.concede(LICENSOR, 1, 0, case.rounds(0), objection, now=case.now)
    held = case.book.round_of(1, 0, 0)
    assert (held.stage, held.replaced, held.deadline) == (OPEN, True, case.now + 2 * DAY)
    with pytest.raises(Revert, match="used up"):
        case.book.replace(LICENSOR, 1, 0, [], Posting(tree.split, 1000), now=case.now)
    case.object(0, counter, HOLDERS[0])
    case.now += 3 * DAY + 1
    held = case.book.round_of(1, 0, 0)
    case.book.close_objection(STRANGER, 1, 0, case.rounds(0), held.objection or Objection(), now=case.now)
    assert case.credited(case.standing) == 1000 + 10


def test_a_posting_of_a_later_round_that_is_turned_down_leaves_the_money_held() -> None:
    case = Case()
    case.pay(0, 1000)
    first = case.post(0, {HOLDERS[0]: 400}, 1000)
    case.settle(0)
    second = case.post(0, {HOLDERS[1]: 600}, 600)
    objection = case.object(0, second, HOLDERS[1])
    assert objection.standing_split == bytes(32)
    case.book.choose(ARBITER, 1, 0, case.rounds(0), objection, 3, now=case.now)
    assert case.waiting(0) == 600
    assert case.credited(first) == 400
    case.post(0, {HOLDERS[1]: 600}, 600)
    assert outlook_of(case.book, 1, 0, now=case.now + 2 * DAY + 1).step == SETTLE


def test_the_licensee_posts_only_after_the_licensor_s_time() -> None:
    case = Case()
    case.pay(0, 100)
    dates = deadlines_of(case.book, 1, 0)
    with pytest.raises(Revert) as refused:
        case.post(0, {HOLDERS[0]: 1}, 100, caller=LICENSEE)
    assert refused.value == Revert("Distributions_MayNotPost", 1, 0, LICENSEE)
    case.now = dates.licensor_by + 1
    case.post(0, {HOLDERS[0]: 1}, 100, caller=LICENSEE)
    assert case.book.round_of(1, 0, 0).by_licensee


@pytest.mark.parametrize("name", ["post", "sweep"])
def test_a_call_that_is_refused_changes_nothing(name: str) -> None:
    ledger, _, now = random_ledger(7)
    rounds, accounts = dict(ledger.distributions.rounds), dict(ledger.splits.accounts)
    args: dict[str, Any] = {"licence": 1, "period": 0}
    if name == "post":
        args |= {"settled": [NO_DISTRIBUTION] * 3, "posting": Posting(NO_SPLIT, 1)}
    else:
        args |= {"rounds": [NO_DISTRIBUTION]}
    assert isinstance(play(ledger, Step(name, LICENSOR, now + 10**9, args)), Revert)
    assert (rounds, accounts) == (ledger.distributions.rounds, ledger.splits.accounts)
