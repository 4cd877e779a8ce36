"""What a distribution holds, given to the payees that became known since: the supplementary allocation.

Each held share keeps its units: a holder who has an address now is paid exactly what was held for the share; a
work that the manifest has now is divided among its rights and holders; everything else stays held. A share is known
by its work, right type and holder, which a manifest names once for each right.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.errors import ValueRefused
from ledger.usage.allocation import Allotment, Unmatched, decimal_figures
from ledger.usage.allocation_holders import Holders, lower_bounds, text_column
from ledger.usage.engine_limbs import Figures, Positions, divide_each

_NOTHING = pa.scalar(Decimal(0), pa.decimal128(38, 0))


def allocate_held(works_table: Path, holders: Holders, rule: AllocationRule) -> Allotment:
    """Divides the units that works.parquet of a distribution holds. Raises ValueRefused where there are none."""
    rows = pq.read_table(
        works_table,
        columns=["work", "right_type", "holder", "units", "state"],
        filters=(pc.field("state") != "paid") & (pc.field("units") != _NOTHING),
    )
    if not len(rows):
        raise ValueRefused("The distribution holds nothing.", str(works_table))
    units = decimal_figures(rows["units"])
    held = pc.equal(rows["state"], "held").to_numpy()
    right = text_column(rows["right_type"])
    work = _works(text_column(rows["work"]), holders)
    group = _groups(work, right, holders)
    share = np.full(len(rows), -1, dtype=np.int64)
    if held.any():
        names = text_column(rows["holder"]).filter(pa.array(held))
        share[held] = _shares(group[held], names, holders)
    group[held] = -1
    whole = ~held & (work >= 0) & (group < 0) & pc.equal(right, "").to_numpy(zero_copy_only=False)
    lost = (share < 0) & (group < 0) & ~whole

    works, groups = Figures.zeros(len(holders.works)), Figures.zeros(len(holders.group_right))
    shares, payees = Figures.zeros(len(holders.share_ppm)), Figures.zeros(len(holders.payees))
    works.add_at(np.where(whole, work, -1), units)
    groups.add_at(group, units)
    shares.add_at(share, units)
    weights = np.array([rule.right_weight(name) for name in holders.rights], dtype=np.uint64)
    groups.add(divide_each(works, holders.group_starts, weights[holders.group_right]))
    shares.add(divide_each(groups, holders.share_starts, holders.share_ppm))
    in_group = Figures.zeros(len(holders.group_right))
    in_group.add_at(_share_groups(holders), shares)
    payees.add_at(holders.share_payee, shares)
    return Allotment(
        units.total(), rule, holders, in_group, shares, payees, _unmatched(rows.filter(pa.array(lost)))
    )


def _unmatched(rows: pa.Table) -> tuple[Unmatched, ...]:
    """What nobody in the manifest has, by work and right type, in the order of their bytes."""
    table = pa.table(
        {"work": text_column(rows["work"]), "right": text_column(rows["right_type"]), "units": rows["units"]}
    )
    summed = table.group_by(["work", "right"]).aggregate([("units", "sum")])
    ordered = summed.sort_by([("work", "ascending"), ("right", "ascending")])
    return tuple(
        Unmatched(work, right, int(units))
        for work, right, units in zip(
            *(ordered[name].to_pylist() for name in ("work", "right", "units_sum")), strict=True
        )
    )


def _works(works: pa.LargeStringArray, holders: Holders) -> Positions:
    """The place of each work in the manifest, −1 where it is not there."""
    bounds = lower_bounds(holders.works, works)
    at = np.minimum(bounds, len(holders.works) - 1)
    same = pc.equal(holders.works.take(pa.array(at)), works).to_numpy(zero_copy_only=False)
    return np.where(same, at, -1)


def _groups(work: Positions, right: pa.LargeStringArray, holders: Holders) -> Positions:
    """The group of a right type; a work without right types takes them all; −1: none, or several for all."""
    named = right.dictionary_encode()
    code_of = {name: code for code, name in enumerate(holders.rights)}
    codes = np.array([code_of.get(name, -1) for name in named.dictionary.to_pylist()], dtype=np.int64)
    code = codes[named.indices.to_numpy()]
    first = holders.group_starts[np.maximum(work, 0)]
    alone = holders.group_starts[np.maximum(work, 0) + 1] - first == 1
    takes_all = alone & (holders.group_right[first] == 0)
    keys = holders.group_work * len(holders.rights) + holders.group_right
    wanted = work * len(holders.rights) + code
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = np.where((code > 0) & (keys[at] == wanted), at, -1)
    return np.where(work < 0, -1, np.where(takes_all, first, found))


def _shares(group: Positions, names: pa.LargeStringArray, holders: Holders) -> Positions:
    """The first share of a holder in a group that has a payee, else the first at all; −1: none."""
    known = holders.share_holder.dictionary_encode()
    count = len(known.dictionary)
    name = pc.index_in(names, value_set=known.dictionary).fill_null(-1).to_numpy(zero_copy_only=False)
    keys = _share_groups(holders) * count + known.indices.to_numpy()
    order = np.lexsort((holders.share_payee < 0, keys))
    wanted = group * count + name
    at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found: Positions = np.where((group >= 0) & (name >= 0) & (keys[order[at]] == wanted), order[at], -1)
    return found


def _share_groups(holders: Holders) -> Positions:
    """The group of each share."""
    return np.repeat(np.arange(len(holders.group_right)), np.diff(holders.share_starts))
