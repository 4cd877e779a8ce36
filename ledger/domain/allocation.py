"""The allocation of an amount by usage, in plain integers: what the fast engine must agree with.

docs/explain/allocation.md tells the rule in words. At every step the parts are rounded down and what is left
goes, one unit each, to the largest remainders, ties to the lowest id (bytes of UTF-8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ledger.domain.allocation_rule import WEIGHT_LIMIT, AllocationRule
from ledger.domain.errors import Findings, ValueRefused
from ledger.domain.money import FIGURE_LIMIT
from ledger.domain.royalty import PPM
from ledger.domain.terms_fields import Allocation, UnmatchedPolicy

#: A work and a right type; the empty right type stands for all rights of the work. The empty work is the
#: usage of which nobody knows the work.
Item = tuple[str, str]
ALL_RIGHTS = ""
NO_WORK = ""
#: The right type that a manifest gives where its file names none.
_WHOLE_WORK = "work"


def right_name(right_type: str | None) -> str:
    """The right type as the allocation knows it: the whole work, and nothing said, are one."""
    return ALL_RIGHTS if right_type in (None, _WHOLE_WORK) else str(right_type)


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A line of the usage table. None where the file says nothing."""

    work: str | None
    usages: int
    right_type: str | None = None
    weight_ppm: int | None = None
    confidence_bps: int | None = None
    outputs: int | None = None
    royalty_bearing: bool = True


@dataclass(frozen=True, slots=True)
class HolderShare:
    """A line of the manifest table. No payee: the share is held."""

    work: str
    holder: str
    share_ppm: int
    payee: bytes | None = None
    right_type: str | None = None
    size: int | None = None

    @property
    def order(self) -> tuple[bytes, bytes, bytes, bytes, int]:
        """What shares are ordered by."""
        right = right_name(self.right_type).encode()
        return self.work.encode(), right, self.holder.encode(), self.payee or b"", self.share_ppm


@dataclass(frozen=True, slots=True)
class Allotted:
    """Units of one share of a work; without a holder, of a work that the manifest does not have."""

    work: str
    right_type: str
    holder: str | None
    payee: bytes | None
    units: int


@dataclass(frozen=True)
class Outcome:
    """An amount divided to the unit: Σ units of payees + held = amount."""

    amount: int
    rows: tuple[Allotted, ...]

    @property
    def units(self) -> dict[bytes, int]:
        """Units per payee, in order of payee, without zeros."""
        found: dict[bytes, int] = {}
        for row in self.rows:
            if row.payee and row.units:
                found[row.payee] = found.get(row.payee, 0) + row.units
        return dict(sorted(found.items()))

    @property
    def held(self) -> int:
        """Units of works and holders without a known payee."""
        return sum(row.units for row in self.rows if not row.payee)


def divide(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount in proportion to weights, by largest remainder; ties go to what stands first."""
    total = sum(weights)
    if not 0 < total < WEIGHT_LIMIT:
        raise ValueRefused(
            f"Weights that sum to {total:,} cannot divide an amount.",
            why="They sum to zero, or to 10^38 or more.",
            remedy="Check the figures of the usage file.",
        )
    parts = [amount * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in order[: amount - sum(parts)]:
        parts[i] += 1
    return parts


@dataclass
class _Weights:
    """Weights of items by each key; `unsure` is the attribution below the confidence floor."""

    by_key: dict[Allocation, dict[Item, int]] = field(default_factory=dict)
    unsure: dict[Item, int] = field(default_factory=dict)

    def without(self, works: set[str]) -> _Weights:
        def kept(weights: Mapping[Item, int]) -> dict[Item, int]:
            return {item: weight for item, weight in weights.items() if item[0] not in works}

        return _Weights({key: kept(weights) for key, weights in self.by_key.items()}, kept(self.unsure))


class _Manifest:
    """The shares of each work and right type, in order."""

    def __init__(self, shares: Iterable[HolderShare]) -> None:
        self.groups: dict[str, dict[str, list[HolderShare]]] = {}
        self.sizes: dict[str, int] = {}
        findings = Findings()
        for work, listed in groupby(sorted(shares, key=lambda one: one.order), key=lambda one: one.work):
            rows = list(listed)
            if len({row.size or 0 for row in rows}) > 1:
                findings.add(work, "The rows of the work give different sizes.")
            self.sizes[work] = rows[0].size or 0
            groups = self.groups[work] = {}
            for row in rows:
                groups.setdefault(right_name(row.right_type), []).append(row)
            for right, members in groups.items():
                if sum(row.share_ppm for row in members) != PPM:
                    findings.add(work, f"The {right!r} shares do not sum to {PPM:,} parts per million.")
        findings.raise_if_any("The manifest was refused")

    def item_of(self, line: UsageLine) -> Item:
        """Where a line counts: for a right type that the work has, else for the work as a whole."""
        work, right = line.work or NO_WORK, right_name(line.right_type)
        if set(self.groups.get(work, ())) == {""}:
            return work, ALL_RIGHTS
        return work, right

    def has_payee(self, item: Item) -> bool:
        """Whether any of an item's money would reach a known payee."""
        groups = self.groups.get(item[0], {})
        reached = list(groups.values()) if item[1] == ALL_RIGHTS else [groups.get(item[1], [])]
        return any(row.payee for rows in reached for row in rows)


def allocate(
    lines: Iterable[UsageLine], shares: Iterable[HolderShare], rule: AllocationRule, amount: int
) -> Outcome:
    """Divides an amount of base units. Raises ValueRefused or FindingsError for what cannot be divided."""
    check_amount(amount)
    manifest = _Manifest(shares)
    weights = _weights(lines, manifest, rule)
    amounts = _by_item(weights, rule, amount)
    if rule.minimum:
        by_work: dict[str, int] = {}
        for (work, _), units in amounts.items():
            by_work[work] = by_work.get(work, 0) + units
        known = {item[0] for one in weights.by_key.values() for item in one} | {i[0] for i in weights.unsure}
        below = {work for work in known if work != NO_WORK and by_work.get(work, 0) < rule.minimum}
        amounts = _by_item(weights.without(below), rule, amount)
    return Outcome(amount, tuple(_by_share(amounts, manifest, rule)))


def check_amount(amount: int) -> None:
    """Refuses what no account of a period can hold."""
    if not 0 < amount < FIGURE_LIMIT:
        raise ValueRefused(
            f"The amount {amount:,} is not within 1 to 2^104 - 1 base units.",
            remedy="Take the amount from the period's account.",
        )


def _weights(lines: Iterable[UsageLine], manifest: _Manifest, rule: AllocationRule) -> _Weights:
    usage: dict[Item, int] = {}
    sure: dict[Item, int] = {}
    unsure: dict[Item, int] = {}
    shared_out = rule.unmatched is UnmatchedPolicy.SHARE_OUT
    for line in lines:
        item = manifest.item_of(line)
        if not line.royalty_bearing or (shared_out and not manifest.has_payee(item)):
            continue
        usage[item] = usage.get(item, 0) + line.usages
        if line.weight_ppm is not None:
            credit = line.weight_ppm * (line.usages if line.outputs is None else line.outputs)
            into = sure if (line.confidence_bps or 0) >= rule.confidence_floor_bps else unsure
            into[item] = into.get(item, 0) + credit
    works = [(work, ALL_RIGHTS) for work in manifest.groups]
    if shared_out:
        works = [item for item in works if manifest.has_payee(item)]
    sizes = {item: manifest.sizes[item[0]] for item in works}
    return _Weights(
        {
            Allocation.EQUAL: dict.fromkeys(works, 1),
            Allocation.SIZE: sizes,
            Allocation.USAGE: usage,
            Allocation.ATTRIBUTION: sure,
        },
        unsure,
    )


def _by_item(weights: _Weights, rule: AllocationRule, amount: int) -> dict[Item, int]:
    """Parts of the blend first, then each by its key; what cannot be divided stands at no work."""
    amounts: dict[Item, int] = {}

    def give(part: int, keys: Sequence[Allocation]) -> None:
        """By the first key that has weights."""
        for key in keys:
            chosen = dict(sorted(weights.by_key[key].items(), key=_order))
            if part and any(chosen.values()):
                for item, units in zip(chosen, divide(part, list(chosen.values())), strict=True):
                    amounts[item] = amounts.get(item, 0) + units
                return
        amounts[NO_WORK, ALL_RIGHTS] = amounts.get((NO_WORK, ALL_RIGHTS), 0) + part

    fallback = (rule.fallback, Allocation.EQUAL)
    for (key, _), part in zip(rule.parts, divide(amount, [ppm for _, ppm in rule.parts]), strict=True):
        if key is Allocation.ATTRIBUTION and any(weights.unsure.values()):
            confident = sum(weights.by_key[key].values())
            sure, rest = divide(part, [confident, sum(weights.unsure.values())])
            give(sure, (key, *fallback))
            give(rest, fallback)
        else:
            give(part, (key, *fallback))
    return amounts


def _order(entry: tuple[Item, int]) -> tuple[bytes, bytes]:
    (work, right), _ = entry
    return work.encode(), right.encode()


def _by_share(amounts: Mapping[Item, int], manifest: _Manifest, rule: AllocationRule) -> Iterable[Allotted]:
    by_group: dict[Item, int] = {}
    for (work, right), units in amounts.items():
        groups = manifest.groups.get(work)
        if groups is None or (right != ALL_RIGHTS and right not in groups):
            yield Allotted(work, right, None, None, units)
            continue
        parts = {right: units}
        if right == ALL_RIGHTS:
            rights = sorted(groups, key=str.encode)
            parts = dict(zip(rights, divide(units, [rule.right_weight(one) for one in rights]), strict=True))
        for one, part in parts.items():
            by_group[work, one] = by_group.get((work, one), 0) + part
    for (work, right), units in by_group.items():
        members = manifest.groups[work][right]
        for row, part in zip(members, divide(units, [row.share_ppm for row in members]), strict=True):
            yield Allotted(work, right, row.holder, row.payee, part)
