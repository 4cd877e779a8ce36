"""What was held is given to those who are known later as one share after another would be. P-02, P-16."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _pools import random_shares, share_table, units_of

from ledger.domain.allocation import ALL_RIGHTS, divide, right_name
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.errors import ValueRefused
from ledger.domain.terms_fields import Allocation
from ledger.usage.allocation_held import allocate_held
from ledger.usage.allocation_holders import holders_of

RULE = AllocationRule(Allocation.USAGE, rights=(("pub", 2), ("rec", 3)))
COLUMNS = pa.schema(
    [
        ("work", pa.large_string()),
        ("right_type", pa.large_string()),
        ("holder", pa.large_string()),
        ("units", pa.decimal128(38, 0)),
        ("state", pa.large_string()),
    ]
)


def written(folder: Path, rows: list[tuple]) -> Path:
    names = COLUMNS.names
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], COLUMNS)
    pq.write_table(table, folder / "works.parquet")
    return folder / "works.parquet"


def by_hand(rows: list[tuple], shares: list) -> tuple[dict[bytes, int], dict[tuple[str, str], int]]:
    """Units by payee, and what is lost, row by row."""
    ordered = sorted(shares, key=lambda one: one.order)
    paid: dict[bytes, int] = {}
    lost: dict[tuple[str, str], int] = {}
    works: dict[str, int] = {}
    groups: dict[tuple[str, str], int] = {}
    units_of_share: dict[int, int] = {}

    def members(work: str, right: str) -> list[int]:
        return [i for i, one in enumerate(ordered) if (one.work, right_name(one.right_type)) == (work, right)]

    for work, right, holder, units, state in rows:
        if state == "paid" or not units:
            continue
        rights = {right_name(one.right_type) for one in ordered if one.work == work}
        group = ALL_RIGHTS if rights == {ALL_RIGHTS} else right if right in rights - {ALL_RIGHTS} else None
        if state == "unmatched":
            if group is not None:
                groups[work, group] = groups.get((work, group), 0) + units
            elif rights and not right:
                works[work] = works.get(work, 0) + units
            else:
                lost[work, right] = lost.get((work, right), 0) + units
            continue
        mine = [i for i in (members(work, group) if group is not None else []) if ordered[i].holder == holder]
        mine.sort(key=lambda i: ordered[i].payee is None)
        if mine:
            units_of_share[mine[0]] = units_of_share.get(mine[0], 0) + units
        else:
            lost[work, right] = lost.get((work, right), 0) + units
    for work, units in works.items():
        rights = sorted({right_name(one.right_type) for one in ordered if one.work == work}, key=str.encode)
        for right, part in zip(
            rights, divide(units, [RULE.right_weight(one) for one in rights]), strict=True
        ):
            groups[work, right] = groups.get((work, right), 0) + part
    for key, units in groups.items():
        here = members(*key)
        for i, part in zip(here, divide(units, [ordered[i].share_ppm for i in here]), strict=True):
            units_of_share[i] = units_of_share.get(i, 0) + part
    for i, units in units_of_share.items():
        if (payee := ordered[i].payee) and units:
            paid[payee] = paid.get(payee, 0) + units
    return paid, lost


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_agree_with_one_row_after_another(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    shares = random_shares(rng)
    rows = []
    for _ in range(rng.choice([1, 4, 60])):
        held = rng.random() < 0.6
        rows.append(
            (
                rng.choice([*"abcdefgé", "Z", "~", ""]),
                rng.choice(["", "rec", "pub", "work", "sync"]),
                f"h{rng.randrange(7)}" if held else None,
                rng.choice([0, 1, 7, 2**64 + 3, 10**20]),
                rng.choice(["held", "paid"]) if held else "unmatched",
            )
        )
    rows.append(("nobody", "", None, 5, "unmatched"))
    found = allocate_held(written(tmp_path, rows), holders_of(share_table(shares)), RULE)
    paid, lost = by_hand(rows, shares)
    assert units_of(found) == paid
    assert {(one.work, one.right_type): one.units for one in found.unmatched} == lost
    assert [(one.work, one.right_type) for one in found.unmatched] == sorted(
        lost, key=lambda key: (key[0].encode(), key[1].encode())
    )
    assert found.amount == sum(row[3] for row in rows if row[4] != "paid")
    assert found.total + found.held == found.amount


def test_a_table_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    rows = [("a", "", "h", 5, "paid"), ("a", "", "h", 0, "held")]
    with pytest.raises(ValueRefused, match="holds nothing"):
        allocate_held(written(tmp_path, rows), holders_of(share_table(random_shares(Random(1)))), RULE)
