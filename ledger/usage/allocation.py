"""The allocation of an amount by usage for millions of works and payees; the rule is ledger.domain.allocation's.

The usage table is summed by an Ibis backend, one row a work; the division is done here, exactly, in memory
that grows with the works and shares of the catalogue and not with the usage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.domain.allocation import NO_WORK, check_amount, right_name
from ledger.domain.allocation import divide as divide_few
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.errors import ValueRefused
from ledger.domain.merkle_sum import UNITS_LIMIT
from ledger.domain.terms_fields import Allocation, UnmatchedPolicy
from ledger.usage.allocation_holders import (
    Holders,
    Mask,
    lower_bounds,
    size_figures,
    text_column,
)
from ledger.usage.allocation_weights import collect
from ledger.usage.engine_limbs import Figures, Positions, divide, divide_each

if TYPE_CHECKING:
    import ibis.expr.types as ir

Progress = Callable[[str], None]
#: Gives the table that it is told how to make, or the one that was made so before.
Keep = Callable[[Callable[[], pa.Table | None]], pa.Table | None]


@dataclass(frozen=True)
class Unmatched:
    """Units of a work that the manifest does not have, or of a right type that nobody has in it."""

    work: str
    right_type: str
    units: int


@dataclass(frozen=True)
class Allotment:
    """An amount divided to the unit: Σ payee_units + held = amount.

    `share_units` are by share and `group_units` by right type of each work, as in `holders`; `payee_units` by
    payee. `work_usages` and `work_credit` are the weights of each work of the manifest, none where the rule
    does not need them.
    """

    amount: int
    rule: AllocationRule
    holders: Holders
    group_units: Figures
    share_units: Figures
    payee_units: Figures
    unmatched: tuple[Unmatched, ...]
    work_usages: Figures | None = None
    work_credit: Figures | None = None

    @cached_property
    def total(self) -> int:
        """Units of all payees."""
        return self.payee_units.total()

    @property
    def held(self) -> int:
        """Units that wait for a payee."""
        return self.amount - self.total

    @cached_property
    def leaf_words(self) -> bytes:
        """The words of the split's leaves in order: payees with units. Raises ValueRefused for none."""
        nonzero = self.payee_units.nonzero()
        has = slice(None) if bool(nonzero.all()) else np.flatnonzero(nonzero)
        units = self.payee_units.at(has)
        if not len(units):
            raise ValueRefused(
                "Nobody can be paid: all of the amount is held.",
                why="No work that the money would go to has a payee with an address.",
                remedy="Match works and holders; else the contract's fallback divides the period.",
            )
        if not bool(units.below(UNITS_LIMIT).all()):
            raise ValueRefused(
                "A payee would be due 2^96 base units or more, which no leaf can hold.",
                remedy="Divide the payee, or the amount.",
            )
        words = np.empty((len(units), 32), dtype=np.uint8)
        words.view("<u4")[:, :5] = self.holders.payees.view("<u4")[has]
        words[:, 20:24] = units.high.astype(">u4").view(np.uint8).reshape(-1, 4)
        words.view(">u8")[:, 3] = units.low
        return words.tobytes()


class _Items:
    """What weights are given to: each work of the manifest as a whole, and between them, in order, the extra
    ones: a work's right type that the usage names, and works that the manifest does not have.
    """

    def __init__(self, holders: Holders, rows: pa.Table | None) -> None:
        self.holders = holders
        count = len(holders.works)
        self.rights = list(holders.rights)
        self.base: Positions = np.arange(count, dtype=np.int64)
        #: Of each extra item: its work in the manifest or −1, its right type, its text where it is unknown.
        self.extra = self.extra_work = self.extra_right = np.zeros(0, dtype=np.int64)
        self.unknown_of_extra = self.row_item = self.extra
        self.unknown: Sequence[str] = ()
        if rows is not None:
            self._place(rows)
        self.count = count + len(self.extra)

    def _place(self, rows: pa.Table) -> None:
        holders, count = self.holders, len(self.holders.works)
        position = rows["position"].combine_chunks()
        known = position.is_valid().to_numpy(zero_copy_only=False)
        work: Positions = position.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
        right = self._right_codes(rows["right_type"], len(work))
        whole = np.zeros(count, dtype=np.bool_)
        firsts = holders.group_starts[:-1]
        whole[:] = (np.diff(holders.group_starts) == 1) & (holders.group_right[firsts] == 0)
        # A work without right types takes every line of its usage as one.
        right[known] = np.where(whole[work[known]], 0, right[known])
        if bool(known.all()) and not bool(right.any()):
            self.row_item = work
            return
        unknown = np.zeros(len(work), dtype=np.int64)
        before = np.zeros(len(work), dtype=np.int64)
        if not bool(known.all()):
            texts = text_column(rows["unknown"]).filter(pa.array(~known)).dictionary_encode()
            order = pc.sort_indices(texts.dictionary)
            names = texts.dictionary.take(order)
            rank = np.empty(len(names), dtype=np.int64)
            rank[order.to_numpy()] = np.arange(len(names))
            unknown[~known] = rank[texts.indices.to_numpy()]
            before[~known] = lower_bounds(holders.works, names)[unknown[~known]]
            self.unknown = names
        # The order is by work, then right type: 2·p + 1 for work p of the manifest, 2·p for what stands before it.
        primary = np.where(known, 2 * work + 1, 2 * before)
        is_extra = ~known | (right != 0)
        at = np.flatnonzero(is_extra)
        sorted_at = at[np.lexsort((right[at], unknown[at], primary[at]))]
        keys = np.stack([primary[sorted_at], unknown[sorted_at], right[sorted_at]])
        new = (
            np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))
            if len(sorted_at)
            else np.zeros(0, np.bool_)
        )
        firsts = sorted_at[new]
        self.extra = np.arange(len(firsts)) + (primary[firsts] + 1) // 2
        self.extra_work, self.extra_right = np.where(known[firsts], work[firsts], -1), right[firsts]
        self.unknown_of_extra = unknown[firsts]
        self.base = self.base + np.searchsorted(primary[firsts], 2 * self.base + 1)
        self.row_item = np.empty(len(work), dtype=np.int64)
        self.row_item[~is_extra] = self.base[work[~is_extra]]
        self.row_item[sorted_at] = self.extra[np.cumsum(new) - 1]

    def _right_codes(self, column: pa.ChunkedArray, count: int) -> Positions:
        """Codes in order of name, among the manifest's right types and those of the usage together."""
        if column.null_count == count:
            return np.zeros(count, dtype=np.int64)
        named = column.combine_chunks().dictionary_encode()
        names = [right_name(name) for name in named.dictionary.to_pylist()]
        self.rights = sorted({*self.rights, *names}, key=str.encode)
        codes = np.array([self.rights.index(name) for name in names] + [0], dtype=np.int64)
        found: Positions = codes[named.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)]
        return found

    @cached_property
    def group_of_extra(self) -> Positions:
        """The group that an extra item's money goes to; −1: nobody has it."""
        holders = self.holders
        manifest_right = np.array([self.rights.index(name) for name in holders.rights])[holders.group_right]
        keys = holders.group_work * len(self.rights) + manifest_right
        wanted = self.extra_work * len(self.rights) + self.extra_right
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((self.extra_work >= 0) & (keys[at] == wanted), at, -1)

    @property
    def payable(self) -> Mask:
        """Whether any of an item's money would reach a known payee."""
        has = self.holders.group_has_payee
        mask = np.zeros(self.count, dtype=np.bool_)
        mask[self.base] = np.logical_or.reduceat(has, self.holders.group_starts[:-1])
        group = self.group_of_extra
        mask[self.extra] = np.where(group >= 0, has[group], False)
        return mask

    def of_works(self, values: Figures) -> Figures:
        """Figures of the manifest's works as figures of all items."""
        if not len(self.extra):
            return values
        found = Figures.zeros(self.count)
        found.low[self.base], found.high[self.base] = values.low, values.high
        return found

    def reaching(self, amounts: Figures, minimum: int) -> Mask:
        """Items of works whose amount is at least the minimum, or of no known work at all."""
        works, unknown = amounts.at(self.base), Figures.zeros(len(self.unknown))
        extras = amounts.at(self.extra)
        works.add_at(self.extra_work, extras)
        unknown.add_at(np.where(self.extra_work < 0, self.unknown_of_extra, -1), extras)
        mask = np.zeros(self.count, dtype=np.bool_)
        mask[self.base] = ~works.below(minimum)
        if len(self.extra):
            reached = ~unknown.below(minimum) if len(self.unknown) else np.ones(1, dtype=np.bool_)
            if len(self.unknown) and str(self.unknown[0]) == NO_WORK:
                reached[0] = True
            in_manifest = self.extra_work >= 0
            mask[self.extra] = np.where(
                in_manifest,
                mask[self.base[np.maximum(self.extra_work, 0)]],
                reached[np.where(in_manifest, 0, self.unknown_of_extra)],
            )
        return mask

    def sums(self, rows: pa.Table | None, name: str) -> Figures:
        """A sum of the usage by item."""
        found = Figures.zeros(self.count)
        if rows is not None and name in rows.column_names:
            found.add_at(self.row_item, decimal_figures(rows[name]))
        return found


def decimal_figures(column: pa.ChunkedArray) -> Figures:
    """A column of DECIMAL(38,0) as figures. Raises ValueRefused where one is negative."""
    chunks = []
    for chunk in column.chunks:
        words = np.frombuffer(chunk.buffers()[1], dtype="<u8").reshape(-1, 2)
        chunks.append(words[chunk.offset : chunk.offset + len(chunk)])
    words = np.concatenate(chunks) if chunks else np.zeros((0, 2), dtype=np.uint64)
    if bool((words[:, 1] >> np.uint64(63)).any()):
        raise ValueRefused(
            "The usage of a work sums to less than zero.",
            remedy="Restate the period instead of taking back usage.",
        )
    return Figures(np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1]))


def allocate(
    usage: ir.Table,
    holders: Holders | Future[Holders],
    rule: AllocationRule,
    amount: int,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Allotment:
    """Divides an amount of base units by the usage table. Raises LedgerError for what cannot be divided.

    Where the holders are still read by another thread, the usage is summed meanwhile. `keep` may know the sums from
    before.
    """
    say = progress or (lambda text: None)
    check_amount(amount)
    say("sum the usage by work")

    def given() -> Holders:
        return holders.result() if isinstance(holders, Future) else holders

    def sums() -> pa.Table | None:
        return collect(usage, rule, lambda: given().works, waits=isinstance(holders, Future))

    rows = keep(sums) if keep else sums()
    manifest = given()
    say("divide the amount among works")
    items = _Items(manifest, rows)
    weights = _Weights(items, rows, rule)
    amounts, left = _by_item(weights, rule, amount, items.count)
    if rule.minimum:
        reaching = items.reaching(amounts, rule.minimum)
        if not bool(reaching.all()):
            weights.keep(reaching)
            amounts, left = _by_item(weights, rule, amount, items.count)
    say("divide works among holders")
    group_units, unmatched = _by_group(amounts, left, items, rule)
    share_units = divide_each(group_units, manifest.share_starts, manifest.share_ppm)
    payee_units = Figures.zeros(len(manifest.payees))
    payee_units.add_at(manifest.share_payee, share_units)
    needs = rule.needs
    return Allotment(
        amount,
        rule,
        manifest,
        group_units,
        share_units,
        payee_units,
        unmatched,
        _of_manifest(items.sums(rows, "usages"), items) if Allocation.USAGE in needs else None,
        _of_manifest(items.sums(rows, "sure"), items) if Allocation.ATTRIBUTION in needs else None,
    )


class _Weights:
    """Weights of all items by key, worked out when they are asked for, and their sums."""

    def __init__(self, items: _Items, rows: pa.Table | None, rule: AllocationRule) -> None:
        self._items = items
        self._rows = rows
        self._mask = items.payable if rule.unmatched is UnmatchedPolicy.SHARE_OUT else None
        self._found: dict[str, tuple[Figures, int]] = {}

    def keep(self, mask: Mask) -> None:
        """Leaves only the items of the mask."""
        self._mask = mask if self._mask is None else self._mask & mask
        self._found = {}

    def of(self, key: Allocation) -> tuple[Figures, int]:
        """Weights by a key, of those that are sure where it is ATTRIBUTION, and their sum."""
        return self._get(key.value)

    @property
    def unsure(self) -> int:
        """Sum of the attribution below the confidence floor."""
        return self._get("unsure")[1]

    def _get(self, name: str) -> tuple[Figures, int]:
        if name not in self._found:
            figures = self._fresh(name)
            if self._mask is not None:
                figures = figures.where(self._mask)
            self._found[name] = figures, figures.total()
        return self._found[name]

    def _fresh(self, name: str) -> Figures:
        items, holders = self._items, self._items.holders
        match name:
            case Allocation.EQUAL:
                return items.of_works(size_figures(np.ones(len(holders.works), dtype=np.uint64)))
            case Allocation.SIZE:
                return items.of_works(size_figures(holders.sizes))
            case _:
                sums = {Allocation.USAGE.value: "usages", Allocation.ATTRIBUTION.value: "sure"}
                return items.sums(self._rows, sums.get(name, name))


def _by_item(weights: _Weights, rule: AllocationRule, amount: int, count: int) -> tuple[Figures, int]:
    """Amount by item and what no key could divide: parts of the blend first, then each by its key."""
    amounts, left = Figures.zeros(count), 0
    fallback = (rule.fallback, Allocation.EQUAL)

    def give(part: int, order: Sequence[Allocation]) -> int:
        """Divides a part by the first key that has weights; returns what none could divide."""
        for key in order if part else ():
            figures, total = weights.of(key)
            if total:
                amounts.add(divide(part, figures))
                return 0
        return part

    parts = divide_few(amount, [ppm for _, ppm in rule.parts])
    for (key, _), part in zip(rule.parts, parts, strict=True):
        sure = part
        if key is Allocation.ATTRIBUTION and weights.unsure:
            sure, rest = divide_few(part, [weights.of(key)[1], weights.unsure])
            left += give(rest, fallback)
        left += give(sure, (key, *fallback))
    return amounts, left


def _by_group(
    amounts: Figures, left: int, items: _Items, rule: AllocationRule
) -> tuple[Figures, tuple[Unmatched, ...]]:
    """Amounts by right type of each work, and what nobody in the manifest has."""
    holders = items.holders
    works = amounts.at(items.base) if len(items.extra) else amounts
    if holders.one_right_each:
        units = works
    else:
        by_right = np.array([rule.right_weight(name) for name in holders.rights], dtype=np.uint64)
        units = divide_each(works, holders.group_starts, by_right[holders.group_right])
    extras = amounts.at(items.extra)
    units.add_at(items.group_of_extra, extras)
    lost: dict[tuple[str, str], int] = {(NO_WORK, ""): left} if left else {}
    for i in np.flatnonzero((items.group_of_extra < 0) & extras.nonzero()):
        at = int(items.extra_work[i])
        work = str(holders.works[at] if at >= 0 else items.unknown[int(items.unknown_of_extra[i])])
        key = work, items.rights[int(items.extra_right[i])]
        lost[key] = lost.get(key, 0) + extras[int(i)]
    found = sorted(lost.items(), key=lambda one: (one[0][0].encode(), one[0][1].encode()))
    return units, tuple(Unmatched(work, right, units) for (work, right), units in found)


def _of_manifest(weights: Figures, items: _Items) -> Figures:
    """Weights by work of the manifest, all right types together."""
    if not len(items.extra):
        return weights
    found = weights.at(items.base)
    found.add_at(items.extra_work, weights.at(items.extra))
    return found
