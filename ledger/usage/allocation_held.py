"""What a distribution holds, given to the payees that became known since: the supplementary allocation.

Each held share keeps its units: a holder who has an address now is paid exactly what was held for the share; a
work that the manifest has now is divided among its rights and holders; everything else stays held.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.domain.allocation import ALL_RIGHTS
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.errors import ValueRefused
from ledger.usage.allocation import Allotment, Unmatched
from ledger.usage.allocation_holders import Holders, lower_bounds
from ledger.usage.engine_limbs import Figures, divide_each


def allocate_held(works_table: Path, holders: Holders, rule: AllocationRule) -> Allotment:
    """Divides the units that works.parquet of a distribution holds. Raises ValueRefused where there are none."""
    table = pq.read_table(works_table, columns=["work", "right_type", "holder", "units", "state"])
    rows = [row for row in table.to_pylist() if row["state"] != "paid" and row["units"]]
    if not rows:
        raise ValueRefused("The distribution holds nothing.", str(works_table))
    position = _positions([row["work"] for row in rows], holders)
    works, groups = Figures.zeros(len(holders.works)), Figures.zeros(len(holders.group_right))
    shares = Figures.zeros(len(holders.share_ppm))
    unmatched: dict[tuple[str, str], int] = {}
    for row, work in zip(rows, position, strict=True):
        units = int(row["units"])
        group = _group(holders, int(work), row["right_type"] or "")
        share = _share(holders, group, row["holder"]) if row["state"] == "held" else -1
        if share >= 0:
            _add(shares, share, units)
        elif row["state"] == "unmatched" and group >= 0:
            _add(groups, group, units)
        elif row["state"] == "unmatched" and work >= 0 and not row["right_type"]:
            _add(works, int(work), units)
        else:
            key = row["work"] or "", row["right_type"] or ""
            unmatched[key] = unmatched.get(key, 0) + units
    weights = np.array([rule.right_weight(name) for name in holders.rights], dtype=np.uint64)
    groups.add(divide_each(works, holders.group_starts, weights[holders.group_right]))
    shares.add(divide_each(groups, holders.share_starts, holders.share_ppm))
    held_by = np.repeat(np.arange(len(holders.group_right)), np.diff(holders.share_starts))
    in_group = Figures.zeros(len(holders.group_right))
    in_group.add_at(held_by, shares)
    payees = Figures.zeros(len(holders.payees))
    payees.add_at(holders.share_payee, shares)
    found = sorted(unmatched.items(), key=lambda one: (one[0][0].encode(), one[0][1].encode()))
    return Allotment(
        sum(int(row["units"]) for row in rows),
        rule,
        holders,
        in_group,
        shares,
        payees,
        tuple(Unmatched(work, right, units) for (work, right), units in found),
    )


def _add(figures: Figures, at: int, units: int) -> None:
    figures.add_at(np.array([at]), Figures.of([units]))


def _positions(works: list[str], holders: Holders) -> list[int]:
    """The place of each work in the manifest, −1 where it is not there."""
    bounds = lower_bounds(holders.works, pa.array([work or "" for work in works], pa.large_string()))
    return [
        int(at) if at < len(holders.works) and str(holders.works[int(at)]) == work else -1
        for at, work in zip(bounds, works, strict=True)
    ]


def _group(holders: Holders, work: int, right: str) -> int:
    """The group of a right type; a work without right types takes them all; −1: none, or several for all."""
    if work < 0:
        return -1
    first, last = int(holders.group_starts[work]), int(holders.group_starts[work + 1])
    names = [holders.rights[int(code)] for code in holders.group_right[first:last]]
    if names == [ALL_RIGHTS]:
        return first
    return first + names.index(right) if right in names and right != ALL_RIGHTS else -1


def _share(holders: Holders, group: int, holder: str) -> int:
    """The first share of a holder in a group that has a payee, else the first at all; −1: none."""
    if group < 0:
        return -1
    members = range(int(holders.share_starts[group]), int(holders.share_starts[group + 1]))
    mine = [at for at in members if str(holders.share_holder[at]) == holder]
    return next((at for at in mine if holders.share_payee[at] >= 0), mine[0] if mine else -1)
