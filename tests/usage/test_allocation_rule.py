"""The allocation rule in plain integers, each key by hand, and what it refuses. P-02, P-16."""

from __future__ import annotations

from fractions import Fraction

import pytest
from _pools import payee

from ledger.domain.allocation import HolderShare, UsageLine, allocate, divide
from ledger.domain.allocation_rule import AllocationRule, whole_weights
from ledger.domain.canonical import canonical_json, keccak256
from ledger.domain.errors import FindingsError, ValueRefused
from ledger.domain.terms_fields import Allocation, UnmatchedPolicy

ANN, BOB, CY = payee(1), payee(2), payee(3)
EQUAL, SIZE, USAGE, ATTRIBUTION = (AllocationRule(key) for key in list(Allocation)[:4])
SONGS = [
    HolderShare("harbour", "Ann", 333_333, ANN, size=3),
    HolderShare("harbour", "Bob", 666_667, BOB, size=3),
    HolderShare("winter", "Ann", 1_000_000, ANN, size=1),
]


def test_largest_remainder_by_hand() -> None:
    # 100 by 1:1:1 is 33 each and 1 left: all remainders are alike, so the first has it.
    assert divide(100, [1, 1, 1]) == [34, 33, 33]
    # 10 by 1:2:4 is 1.43, 2.86, 5.71: 8 are given, the second and third have the larger remainders.
    assert divide(10, [1, 2, 4]) == [1, 3, 6]
    assert divide(1, [0, 5, 5]) == [0, 1, 0]
    assert divide(2**104 - 1, [2**96, 2**96]) == [2**103, 2**103 - 1]


@pytest.mark.parametrize("weights", [[], [0, 0], [10**38]])
def test_weights_that_divide_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueRefused, match="cannot divide"):
        divide(5, weights)


def test_equal_divides_by_work_not_by_holder() -> None:
    # 50 each; a third of harbour's 50 is 16.67, rounded by the largest remainder to 17 and 33.
    assert allocate([], SONGS, EQUAL, 100).units == {ANN: 17 + 50, BOB: 33}


def test_size_divides_by_size() -> None:
    assert allocate([], SONGS, SIZE, 100).units == {ANN: 25 + 25, BOB: 50}


def test_usage_counts_what_bears_royalties() -> None:
    lines = [
        UsageLine("harbour", 30),
        UsageLine("winter", 50),
        UsageLine("harbour", 20),
        UsageLine("winter", 900, royalty_bearing=False),
    ]
    assert allocate(lines, SONGS, USAGE, 90).units == {ANN: 15 + 45, BOB: 30}


def test_usage_of_unknown_works_and_holders_without_address_is_held() -> None:
    shares = [*SONGS, HolderShare("mist", "Cy", 1_000_000, None)]
    lines = [UsageLine(work, 10) for work in ("winter", "mist", "nowhere", None)]
    found = allocate(lines, shares, USAGE, 400)
    assert (found.units, found.held) == ({ANN: 100}, 300)
    shared_out = AllocationRule(Allocation.USAGE, unmatched=UnmatchedPolicy.SHARE_OUT)
    assert allocate(lines, shares, shared_out, 400).units == {ANN: 400}


def test_a_holder_without_address_is_held_even_where_unmatched_works_are_shared_out() -> None:
    shares = [HolderShare("duo", "Ann", 400_000, ANN), HolderShare("duo", "Cy", 600_000, None)]
    rule = AllocationRule(Allocation.USAGE, unmatched=UnmatchedPolicy.SHARE_OUT)
    found = allocate([UsageLine("duo", 1)], shares, rule, 10)
    assert (found.units, found.held) == ({ANN: 4}, 6)


def test_attribution_weighs_by_outputs_and_leaves_the_unsure_to_the_fallback() -> None:
    lines = [
        UsageLine("harbour", 1, weight_ppm=750_000, confidence_bps=9000, outputs=2),
        UsageLine("winter", 2, weight_ppm=250_000, confidence_bps=9000),
        UsageLine("winter", 1, weight_ppm=1_000_000, confidence_bps=100, outputs=2),
        UsageLine("winter", 1000),
    ]
    # Sure: 1.5M for harbour, 0.5M for winter; unsure: 2M, so half of the money goes to all works alike.
    rule = AllocationRule(Allocation.ATTRIBUTION, confidence_floor_bps=5000)
    by_work = {"harbour": 150 + 100, "winter": 50 + 100}
    found = allocate(lines, SONGS, rule, 400)
    got = {work: sum(row.units for row in found.rows if row.work == work) for work in by_work}
    assert got == by_work


def test_attribution_without_weights_goes_by_the_fallback() -> None:
    rule = AllocationRule(Allocation.ATTRIBUTION, fallback=Allocation.SIZE)
    assert allocate([UsageLine("winter", 5)], SONGS, rule, 100) == allocate([], SONGS, SIZE, 100)


def test_a_blend_divides_the_money_first() -> None:
    blend = ((Allocation.EQUAL, 500_000), (Allocation.USAGE, 500_000))
    rule = AllocationRule(Allocation.BLEND, blend)
    found = allocate([UsageLine("winter", 1)], SONGS, rule, 200)
    assert found.units == {ANN: 17 + 50 + 100, BOB: 33}


def test_rights_divide_a_work_and_usage_may_name_one() -> None:
    shares = [
        HolderShare("song", "Ann", 1_000_000, ANN, "recording"),
        HolderShare("song", "Bob", 500_000, BOB, "publishing"),
        HolderShare("song", "Cy", 500_000, CY, "publishing"),
    ]
    rule = AllocationRule(Allocation.USAGE, rights=(("publishing", 1), ("recording", 3)))
    assert allocate([UsageLine("song", 1)], shares, rule, 100).units == {ANN: 75, BOB: 13, CY: 12}
    named = [
        UsageLine("song", 1, "recording"),
        UsageLine("song", 1, "publishing"),
        UsageLine("song", 2, "sync"),
    ]
    found = allocate(named, shares, rule, 100)
    assert (found.units, found.held) == ({ANN: 25, BOB: 13, CY: 12}, 50)


def test_works_below_the_minimum_leave_their_part_to_the_others() -> None:
    lines = [UsageLine("harbour", 99), UsageLine("winter", 1)]
    assert allocate(lines, SONGS, AllocationRule(Allocation.USAGE, minimum=10), 100).units == {
        ANN: 33,
        BOB: 67,
    }
    # What nobody can name stays held, however little it is.
    lines = [UsageLine("harbour", 99), UsageLine(None, 1)]
    assert allocate(lines, SONGS, AllocationRule(Allocation.USAGE, minimum=10), 100).held == 1


def test_with_everything_below_the_minimum_all_is_held() -> None:
    found = allocate([], SONGS, AllocationRule(Allocation.EQUAL, minimum=51), 100)
    assert (found.units, found.held) == ({}, 100)


@pytest.mark.parametrize("amount", [0, -1, 2**104])
def test_amounts_that_no_account_holds_are_refused(amount: int) -> None:
    with pytest.raises(ValueRefused):
        allocate([], SONGS, EQUAL, amount)


@pytest.mark.parametrize(
    "shares",
    [
        [HolderShare("a", "Ann", 999_999, ANN)],
        [HolderShare("a", "Ann", 500_000, ANN, "x"), HolderShare("a", "Ann", 500_000, ANN, "y")],
        [HolderShare("a", "Ann", 500_000, ANN, size=1), HolderShare("a", "Bob", 500_000, BOB, size=2)],
    ],
)
def test_manifests_that_do_not_add_up_are_refused(shares: list[HolderShare]) -> None:
    with pytest.raises(FindingsError):
        allocate([], shares, EQUAL, 10)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("blend", {"key": Allocation.BLEND}),
        ("blend", {"key": Allocation.EQUAL, "blend": ((Allocation.EQUAL, 10**6),)}),
        ("blend", {"key": Allocation.BLEND, "blend": ((Allocation.EQUAL, 10**6 - 1),)}),
        ("blend", {"key": Allocation.BLEND, "blend": ((Allocation.BLEND, 10**6),)}),
        ("blend", {"key": Allocation.BLEND, "blend": ((Allocation.SIZE, 5 * 10**5),) * 2}),
        ("minimum", {"key": Allocation.EQUAL, "minimum": -1}),
        ("confidence_floor_bps", {"key": Allocation.EQUAL, "confidence_floor_bps": 10_001}),
        ("fallback", {"key": Allocation.EQUAL, "fallback": Allocation.ATTRIBUTION}),
        ("rights", {"key": Allocation.EQUAL, "rights": (("b", 1), ("a", 1))}),
        ("rights", {"key": Allocation.EQUAL, "rights": (("a", 0),)}),
    ],
)
def test_rules_that_say_nothing_clear_are_refused(field: str, values: dict) -> None:
    with pytest.raises(FindingsError) as refused:
        AllocationRule(**values)
    assert {finding.where for finding in refused.value.findings} == {field}


def test_the_rule_hash_is_of_its_canonical_form() -> None:
    rule = AllocationRule(Allocation.USAGE, minimum=5, rights=(("a", 1),))
    assert canonical_json(rule.document()) == (
        b'{"allocation":"1","blend":[],"confidence_floor_bps":0,"fallback":"EQUAL","key":"USAGE",'
        b'"minimum":"5","rights":{"a":1},"unmatched":"HOLD"}'
    )
    assert rule.hash == keccak256(canonical_json(rule.document()))
    assert AllocationRule.from_document(rule.document()) == rule
    assert AllocationRule(Allocation.USAGE).hash != rule.hash


def test_fractions_become_whole_weights() -> None:
    assert whole_weights({"b": Fraction(1, 3), "a": Fraction(1, 2)}) == (("a", 3), ("b", 2))


def test_the_example_of_the_page() -> None:
    # docs/explain/allocation.md
    lines = [UsageLine("harbour", 30), UsageLine("harbour", 20), UsageLine("winter", 50)]
    lines.append(UsageLine("winter", 900, royalty_bearing=False))
    assert allocate(lines, SONGS, USAGE, 90).units == {ANN: 60, BOB: 30}
    assert allocate(lines, SONGS, EQUAL, 100).units == {ANN: 67, BOB: 33}
