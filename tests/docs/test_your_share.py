"""The numbers of docs/explain/how-your-share-is-worked-out.md, recomputed: every row of every table. P-02."""

from __future__ import annotations

import re

import pytest
from _pages import DOCS

from ledger.domain.allocation import HolderShare, UsageLine, allocate
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.distribution_types import Distribution
from ledger.domain.royalty import entitled_down
from ledger.domain.terms_fields import Allocation

USD = 10**6
POT = 100 * USD
ANN, BOB = bytes.fromhex("a1" * 20), bytes.fromhex("b0" * 20)
TITLES = {"harbour": "Harbour Lights", "mist": "Mist", "winter": "Winter Field"}
SHARES = [
    HolderShare("harbour", "Ann", 250_000, ANN, size=3),
    HolderShare("harbour", "Bob", 750_000, BOB, size=3),
    HolderShare("mist", "Cy", 1_000_000, None, size=1),
    HolderShare("winter", "Ann", 1_000_000, ANN, size=1),
]
USES = {"harbour": 4_000, "mist": 500, "winter": 2_500}
HALVES = ((Allocation.EQUAL, 500_000), (Allocation.USAGE, 500_000))
RULES = {
    "USAGE": AllocationRule(Allocation.USAGE),
    "EQUAL": AllocationRule(Allocation.EQUAL),
    "SIZE": AllocationRule(Allocation.SIZE),
    "BLEND": AllocationRule(Allocation.BLEND, HALVES),
    "USAGE, minimum 10": AllocationRule(Allocation.USAGE, minimum=10 * USD),
}
TEXT = (DOCS / "explain" / "how-your-share-is-worked-out.md").read_text(encoding="utf-8")


def shown(units: int) -> str:
    return f"{units // USD:,}.{units % USD:06}"


def tables() -> list[list[tuple[str, ...]]]:
    found = re.findall(r"(?:^\|.*\|\n)+", TEXT, re.MULTILINE)
    return [
        [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()][2:]
        for table in found
    ]


def divided(rule: AllocationRule, lines=None):
    lines = lines or [UsageLine(work, count) for work, count in USES.items()]
    outcome = allocate(lines, SHARES, rule, POT)
    assert sum(outcome.units.values()) + outcome.held == POT
    return outcome


def by_work(outcome) -> dict[str, int]:
    found = dict.fromkeys(TITLES, 0)
    for row in outcome.rows:
        found[row.work] += row.units
    return found


def test_the_parts_of_works():
    parts, all_uses = by_work(divided(RULES["USAGE"])), sum(USES.values())
    rows = []
    for work, title in TITLES.items():
        nano = POT * 1_000 * USES[work] // all_uses
        pencil = f"{nano // 10**9}.{nano % 10**9:09}…"
        rows.append((title, f"{USES[work]:,}", pencil, shown(parts[work])))
    assert tables()[0] == rows


def test_the_amounts_of_holders():
    outcome = divided(RULES["USAGE"])
    share = {(one.work, one.holder): f"{one.share_ppm // 10_000} %" for one in SHARES}
    rows = [
        (TITLES[one.work], one.holder, share[one.work, one.holder], shown(one.units))
        for one in sorted(outcome.rows, key=lambda row: (row.work, row.holder))
    ]
    assert tables()[1] == rows
    assert f"**Ann has {shown(outcome.units[ANN])}, Bob {shown(outcome.units[BOB])}.**" in TEXT
    assert f"Cy's {shown(outcome.held)} are *held*" in TEXT


def test_late_money_goes_the_same_way():
    outcome = divided(RULES["USAGE"])
    total = sum(outcome.units.values())
    posted = Distribution("0x" + "44" * 20, bytes(32), total, POT)
    rows = []
    for pot in (POT, POT + 10 * USD):
        moved = posted.part_down(pot)
        parts = [entitled_down(moved, outcome.units[payee], total) for payee in (ANN, BOB)]
        rows.append(tuple(map(shown, (moved, *parts, moved - sum(parts)))))
    assert tables()[2] == rows


@pytest.mark.parametrize("row", range(len(RULES)), ids=list(RULES))
def test_other_rules(row):
    name = list(RULES)[row]
    found = tables()[3][row]
    assert (found[0], *found[2:]) == (name, *map(shown, by_work(divided(RULES[name])).values()))


def test_two_answers():
    lines = [
        UsageLine("harbour", 1, weight_ppm=600_000),
        UsageLine("winter", 1, weight_ppm=400_000),
        UsageLine("winter", 1, weight_ppm=1_000_000),
    ]
    parts = by_work(divided(AllocationRule(Allocation.ATTRIBUTION), lines))
    assert parts == {"harbour": 30 * USD, "mist": 0, "winter": 70 * USD}
    assert "of 100 they have 30 and 70" in TEXT
