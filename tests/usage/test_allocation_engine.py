"""The fast allocation agrees with the plain one to the unit, at every edge, and conserves the amount. P-02, P-16."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from _pools import (
    fast,
    payee,
    random_lines,
    random_rule,
    random_shares,
    relation,
    share_table,
    units_of,
    usage_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.allocation import HolderShare, UsageLine, allocate, divide
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.errors import FindingsError, LedgerError, ValueRefused
from ledger.domain.terms_fields import Allocation
from ledger.usage import engine_limbs
from ledger.usage.allocation_holders import holders_of
from ledger.usage.engine import duckdb_engine, usage_of

HUGE = 2**104 - 1
EQUAL, USAGE = AllocationRule(Allocation.EQUAL), AllocationRule(Allocation.USAGE)


@pytest.fixture(scope="module")
def engine() -> Iterator:
    with duckdb_engine(threads=1) as opened:
        yield opened


def check(engine, lines, shares, rule, amount) -> None:
    wanted, found = allocate(lines, shares, rule, amount), fast(engine, lines, shares, rule, amount)
    assert units_of(found) == wanted.units
    assert found.held == wanted.held == amount - sum(wanted.units.values())
    lost = {(row.work, row.right_type): row.units for row in wanted.rows if row.holder is None and row.units}
    assert {(one.work, one.right_type): one.units for one in found.unmatched} == lost


@pytest.mark.parametrize("seed", range(60))
def test_random_pools_agree(engine, seed: int) -> None:
    rng = Random(seed)
    amount = rng.choice([1, 7, 10**6, HUGE])
    check(engine, random_lines(rng), random_shares(rng), random_rule(rng, amount), amount)


weights = st.one_of(st.sampled_from([0, 1, 2**63, 2**64 - 1, 2**64, 2**96 - 1]), st.integers(0, 2**96))


@settings(deadline=None)
@given(st.integers(1, HUGE), st.lists(weights, min_size=1, max_size=40))
def test_division_by_words_is_that_of_integers(amount: int, listed: list[int]) -> None:
    if not sum(listed):
        listed[0] = 1
    found = engine_limbs.divide(amount, engine_limbs.Figures.of(listed))
    assert [found[i] for i in range(len(listed))] == divide(amount, listed)
    assert found.total() == amount


@settings(deadline=None)
@given(
    st.lists(st.integers(0, HUGE), min_size=1, max_size=5),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=40),
)
def test_division_of_many_amounts_is_that_of_integers(amounts: list[int], parts: list[int]) -> None:
    parts[-1] += 1
    starts = np.arange(len(amounts) + 1) * len(parts)
    figures = engine_limbs.Figures.of(amounts)
    found = engine_limbs.divide_each(figures, starts, np.array(parts * len(amounts), dtype=np.uint64))
    wanted = [part for amount in amounts for part in divide(amount, parts)]
    assert [found[i] for i in range(len(wanted))] == wanted


def test_ties_go_to_the_lowest_id_in_bytes(engine) -> None:
    works = ["b", "é", "a", "Z", "z"]
    shares = [HolderShare(work, "h", 10**6, payee(i + 1)) for i, work in enumerate(works)]
    check(engine, [], shares, EQUAL, 13)
    units = units_of(fast(engine, [], shares, EQUAL, 13))
    # Z, a and b before z and é: the order of bytes, not of an alphabet.
    assert [units[payee(i + 1)] for i in range(5)] == [3, 2, 3, 3, 2]


def test_weights_of_zero_fall_back_to_equal_parts(engine) -> None:
    shares = [HolderShare("a", "h", 10**6, payee(1)), HolderShare("b", "h", 10**6, payee(2))]
    check(engine, [UsageLine("a", 0)], shares, USAGE, 5)
    assert units_of(fast(engine, [UsageLine("a", 0)], shares, USAGE, 5)) == {payee(1): 3, payee(2): 2}


def test_all_unmatched_is_all_held(engine) -> None:
    shares = [HolderShare("a", "h", 10**6, None)]
    lines = [UsageLine("x", 3), UsageLine(None, 4), UsageLine("a", 5)]
    check(engine, lines, shares, USAGE, 100)
    found = fast(engine, lines, shares, USAGE, 100)
    assert (found.total, found.held) == (0, 100)
    with pytest.raises(ValueRefused, match="Nobody can be paid"):
        _ = found.leaf_words


def test_one_payee_of_many_shares_is_one_leaf(engine) -> None:
    shares = [HolderShare(f"w{i}", f"h{i}", 10**6, payee(9)) for i in range(50)]
    found = fast(engine, [], shares, EQUAL, HUGE // 2**10)
    assert found.leaf_words == payee(9) + (HUGE // 2**10).to_bytes(12, "big")


def test_everything_below_the_minimum_is_held(engine) -> None:
    shares = [HolderShare(f"w{i}", "h", 10**6, payee(i + 1)) for i in range(10)]
    rule = AllocationRule(Allocation.EQUAL, minimum=11)
    check(engine, [], shares, rule, 100)
    assert fast(engine, [], shares, rule, 100).held == 100


def test_the_largest_figures_there_may_be(engine) -> None:
    shares = [HolderShare(f"w{i}", "h", 10**6, payee(i + 1)) for i in range(3)]
    lines = [UsageLine(f"w{i}", 2**96 - i) for i in range(3)]
    check(engine, lines, shares, USAGE, HUGE)


def test_units_that_no_leaf_can_hold_are_refused(engine) -> None:
    shares = [HolderShare("a", "h", 10**6, payee(1))]
    assert len(fast(engine, [], shares, EQUAL, 2**96 - 1).leaf_words) == 32
    with pytest.raises(ValueRefused, match=r"2\^96"):
        _ = fast(engine, [], shares, EQUAL, 2**96).leaf_words


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        (USAGE, [UsageLine("a", 10**38 - 1), UsageLine("a", 1)]),
        (USAGE, [UsageLine("a", 10**38 - 1), UsageLine("b", 1)]),
        (
            AllocationRule(Allocation.ATTRIBUTION),
            [UsageLine("a", 10**37, weight_ppm=10**6, confidence_bps=1)],
        ),
    ],
)
def test_weights_that_pass_38_digits_are_refused_and_never_wrap(engine, rule, lines) -> None:
    with pytest.raises(ValueRefused):
        fast(engine, lines, [HolderShare("a", "h", 10**6, payee(1))], rule, 100)


def test_usage_below_zero_is_refused(engine) -> None:
    with pytest.raises(ValueRefused, match="less than zero"):
        fast(engine, [UsageLine("a", -1)], [HolderShare("a", "h", 10**6, payee(1))], USAGE, 100)


def test_the_order_of_rows_is_no_part_of_the_result(engine) -> None:
    rng = Random(5)
    lines, shares = random_lines(rng) * 3, random_shares(rng)
    first = fast(engine, lines, shares, USAGE, 10**9)
    rng.shuffle(lines)
    rng.shuffle(shares)
    again = fast(engine, lines, shares, USAGE, 10**9)
    assert units_of(first) == units_of(again)
    assert first.unmatched == again.unmatched


def flawed(**cells) -> pa.Table:
    row = {
        "work": "a",
        "holder": "h",
        "payee": payee(1),
        "share_ppm": 10**6,
        "right_type": None,
        "size": None,
    } | cells
    table = share_table([HolderShare("a", "h", 10**6, payee(1))])
    schema = table.schema.set(2, pa.field("payee", pa.binary()))
    return pa.Table.from_pylist([row], schema=schema)


@pytest.mark.parametrize(
    "cells",
    [
        {"share_ppm": 999_999},
        {"share_ppm": -1},
        {"payee": bytes(20)},
        {"payee": b"short"},
        {"work": None},
        {"work": ""},
        {"size": -1},
    ],
)
def test_flaws_of_the_manifest_table_are_refused(cells) -> None:
    assert holders_of(flawed()).payees.shape == (1, 20)
    with pytest.raises((FindingsError, ValueRefused)):
        holders_of(flawed(**cells))


def test_a_manifest_table_lacking_a_column_or_rows_is_refused() -> None:
    with pytest.raises(ValueRefused, match="no column"):
        holders_of(flawed().drop_columns(["size"]))
    with pytest.raises(ValueRefused, match="no row"):
        holders_of(flawed().slice(0, 0))


def test_a_usage_table_that_is_none_is_refused(engine, tmp_path) -> None:
    (tmp_path / "usage.parquet").write_bytes(b"nothing")
    for name in ("usage.parquet", "missing.parquet"):
        with pytest.raises(LedgerError):
            usage_of(engine, [tmp_path / name])
    narrow = relation(engine, usage_table([UsageLine("a", 1)]).drop_columns(["outputs"]))
    from ledger.usage.allocation import allocate as by_engine

    holders = holders_of(flawed())
    with pytest.raises(ValueRefused, match="no column"):
        by_engine(narrow, holders, USAGE, 5)
