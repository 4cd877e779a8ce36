"""Licences: what is owed, line by line (P-18), whatever the path; set-off; where each line goes (P-07)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from _licences import DAY, FIGURE, LICENSEE, LICENSOR, MAX, START, STRANGER, TOP, USD, World, figures, month
from _mini import Reverted, keccak


@pytest.fixture
def world() -> World:
    return World()


def error_of(call: Any) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of the error that a call reverts with."""
    with pytest.raises(Reverted) as error:
        call()
    return error.value.name, error.value.values


def royalty(tiers: list[tuple[int, int]], x: int) -> int:
    """T(x) of DESIGN."""
    limits = [0, *(upto for upto, _ in tiers)]
    return (
        sum((min(x, top) - low) * rate for low, (top, rate) in zip(limits, tiers, strict=False) if x > low)
        // 10**6
    )


def owed(bases: list[int], guarantees: list[int], terms: dict[str, Any]) -> int:
    """Y of DESIGN."""
    tiers = terms.get("tiers", [(TOP, 100_000)])
    if terms.get("over_life"):
        total = max(royalty(tiers, sum(bases)), sum(guarantees))
    else:
        total = sum(max(royalty(tiers, b), g) for b, g in zip(bases, guarantees, strict=True))
    total = max(0, total - (terms.get("upfront_fee", 0) if terms.get("advance") else 0))
    return min(total, terms["cap"]) if terms.get("cap") else total


# The formulas


def test_the_base_is_net_of_capped_deductions(world: World) -> None:
    licence = world.grant()
    world.at(month(4))
    world.report(licence, 0, 1_000_003, deductions=1)
    world.report(licence, 1, 1_000_003, deductions=200_001)
    world.report(licence, 2, 1_000_003, deductions=FIGURE - 1)
    world.report(licence, 3, 0, deductions=5)
    assert [world.period(licence, p)["base"] for p in range(4)] == [1_000_002, 800_003, 800_003, 0]


def test_marginal_tiers_are_floored_once(world: World) -> None:
    tiers = [(10, 333_333), (20, 500_000), (TOP, 1_000_000)]
    licence = world.grant(tiers=tiers, deduction_cap=0)
    world.at(month(12))
    for period, (gross, line) in enumerate(
        [(0, 0), (1, 0), (9, 2), (10, 3), (11, 3), (20, 8), (21, 9), (FIGURE - 1, 0)]
    ):
        expected = line or royalty(tiers, gross)
        assert world.report(licence, period, gross) == expected


def test_each_period_counts_its_own_tiers_or_all_count_together(world: World) -> None:
    tiers = [(100, 100_000), (TOP, 500_000)]
    single, over_life = world.grant(tiers=tiers), world.grant(tiers=tiers, over_life=True)
    world.at(month(2))
    assert [world.report(single, p, 100) for p in (0, 1)] == [10, 10]
    assert [world.report(over_life, p, 100) for p in (0, 1)] == [10, 50]


def test_p18_the_guarantee_tops_up_each_period_and_is_pro_rata_in_a_stub(world: World) -> None:
    start, end = START + 10 * DAY, month(2) + 3 * DAY
    licence = world.grant(guarantee=1_000_003, start=start, end=end)
    world.at(month(3))
    assert world.report(licence, 0, 0) == 1_000_003 * 21 // 31
    assert world.report(licence, 1, 20_000_000) == 2_000_000
    assert world.report(licence, 2, 0) == 1_000_003 * 3 // 30
    assert error_of(lambda: world.report(licence, 3, 0)) == ("Licences_NoSuchPeriod", (licence, 3))


def test_the_guarantee_over_the_life_is_a_sum(world: World) -> None:
    licence = world.grant(guarantee=100, over_life=True)
    world.at(month(3))
    assert [world.report(licence, p, gross) for p, gross in enumerate((5_000, 0, 0))] == [500, 0, 0]
    assert world.state(licence)["sumB"] == 300
    other = world.grant(guarantee=100, over_life=True)
    assert [world.report(other, p, gross) for p, gross in enumerate((0, 1_500, 5_000))] == [100, 100, 450]


def test_an_advance_is_recouped_also_against_the_guarantee(world: World) -> None:
    licence = world.grant(upfront_fee=250, advance=True, guarantee=100)
    world.at(month(4))
    assert [world.report(licence, p, 0) for p in range(4)] == [0, 0, 50, 100]
    assert world.due(licence, 3)["recouped"] == 250
    plain = world.grant(upfront_fee=250, guarantee=100)
    assert world.report(plain, 0, 0) == 100


def test_the_cap_counts_royalties_and_neither_fee_nor_interest(world: World) -> None:
    licence = world.grant(
        upfront_fee=70, advance=True, cap=100, days_to_report=0, days_to_pay=0, grace_days=0
    )
    world.at(month(3))
    assert [world.report(licence, p, 1_000) for p in range(3)] == [30, 70, 0]
    assert world.due(licence, 0)["capReached"]
    world.at(month(30))
    assert world.due(licence, 1)["interest"] > 0


def test_p18_figures_of_2_104_or_more_are_refused(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    assert error_of(lambda: world.report(licence, 0, FIGURE)) == ("Licences_FigureTooLarge", (FIGURE,))
    assert error_of(lambda: world.report(licence, 0, 0, deductions=FIGURE))[0] == "Licences_FigureTooLarge"
    assert error_of(lambda: world.report(licence, 0, MAX))[0] == "Licences_FigureTooLarge"
    assert world.report(licence, 0, FIGURE - 1) == (FIGURE - 1) // 10


def test_max_due_guards_against_typing_errors(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    assert error_of(lambda: world.report(licence, 0, 1_000, max_due=99)) == (
        "Licences_AboveMaxDue",
        (100, 99),
    )
    assert world.report(licence, 0, 1_000, max_due=100) == 100
    assert error_of(lambda: world.restate(licence, 0, 2_000, max_due=99)) == (
        "Licences_AboveMaxDue",
        (100, 99),
    )
    assert world.restate(licence, 0, 2_000, max_due=100) == 100


# Any history (P-18)

SHAPES: list[dict[str, Any]] = [
    {},
    {"guarantee": 5_000},
    {"over_life": True, "tiers": [(50_000, 300_000), (200_000, 50_000), (TOP, 200_001)]},
    {"over_life": True, "guarantee": 7_001, "tiers": [(50_000, 0), (TOP, 200_001)]},
    {"cap": 20_000, "upfront_fee": 9_000, "advance": True, "guarantee": 1_234},
    {"cap": 20_000, "over_life": True, "upfront_fee": 9_000, "advance": True, "guarantee": 1_234},
]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
@pytest.mark.parametrize("seed", range(4))
def test_p18_the_lines_sum_to_what_is_owed_after_every_step(world: World, shape: int, seed: int) -> None:
    terms, chance = SHAPES[shape], random.Random(100 * shape + seed)
    licence = world.grant(**terms, start=START + 10 * DAY, late_rate=5_000_000)
    bases: list[int] = []
    versions: list[int] = []

    def guarantee(period: int) -> int:
        full = terms.get("guarantee", 0)
        return full * 21 // 31 if period == 0 else full

    for _ in range(30):
        step = chance.choice(["report", "report", "up", "down", "pay", "late"])
        period = chance.randrange(len(bases)) if bases else -1
        gross = chance.choice([0, 1, 999, 10_000, 49_999, 100_000, chance.randrange(10**6)])
        if step == "report" or period < 0:
            world.at(max(world.chain.time, month(len(bases) + 1)))
            world.report(licence, len(bases), gross, pay=chance.random() < 0.5)
            bases.append(gross)
            versions.append(1)
        elif step == "up":
            world.restate(licence, period, bases[period] + gross, versions[period])
            bases[period] += gross
            versions[period] += 1
        elif step == "down" and gross < bases[period]:
            if world.chain.time > world.period(licence, period)["bookedAt"] + 7 * DAY:
                world.restate(licence, period, bases[period], versions[period])
                versions[period] += 1
            world.lower(licence, period, gross, versions[period])
            bases[period] = gross
            versions[period] += 1
        elif step == "pay":
            due = world.due(licence, period)
            if due["open"]:
                amount = due["interest"] + 1 + chance.randrange(due["open"])
                assert world.pay(licence, period, amount, version=versions[period]) == (
                    due["interest"],
                    amount - due["interest"],
                )
        else:
            world.chain.move(chance.randrange(20) * DAY)
        everything = owed(bases, [guarantee(p) for p in range(len(bases))], terms)
        booked, state = world.entries("Booked"), world.state(licence)
        assert world.lines(licence) == everything == world.due(licence, 0)["owedInAll"]
        # What was booked is open, paid, or set off and still to be used.
        open_ = sum(world.open_of(licence, p) for p in range(len(bases)))
        paid = sum(e["paid"] for e in booked) + sum(e["principal"] for e in world.entries("Paid"))
        assert open_ + paid - state["setOff"] == everything
        assert state["openPeriods"] == sum(
            world.due(licence, p)["open"] > 0
            or world.period(licence, p)["interestNumerator"] >= 10**6 * 365 * DAY
            for p in range(len(bases))
        )
    interest = sum(e["interest"] for e in world.entries("Paid"))
    fee = terms.get("upfront_fee", 0)
    assert world.credited() == fee + interest + paid


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_p18_what_is_owed_does_not_depend_on_the_order_of_restatements(world: World, shape: int) -> None:
    chance = random.Random(shape)
    final = [chance.randrange(10**6) for _ in range(4)]
    totals = set()
    for _ in range(4):
        world = World()
        licence = world.grant(**SHAPES[shape])
        world.at(month(4))
        versions = [1] * 4
        for period in range(4):
            world.report(licence, period, chance.choice([0, final[period], 10**6]))
        for period in chance.sample(range(4), 4):
            base = world.period(licence, period)["base"]
            if final[period] < base:
                world.lower(licence, period, final[period])
            elif final[period] > base:
                world.restate(licence, period, final[period], versions[period])
        state = world.state(licence)
        totals.add((world.lines(licence), state["sumA"], state["sumB"]))
    assert len(totals) == 1


# Destinations


def test_p07_a_period_belongs_to_the_split_at_its_start_and_the_first_to_that_at_acceptance(
    world: World,
) -> None:
    licence, first = world.grant(), world.split
    world.at(START + DAY)
    second = world.announce()
    world.at(month(3))
    destinations = []
    for period in range(3):
        world.report(licence, period, 1_000, pay=True)
        destinations.append(world.entries("Booked")[-1]["destination"])
    # Announced on 2 July with 30 days' notice: in force from 1 August, 00:00.
    assert destinations == [first, second, second]
    assert (world.credited(first), world.credited(second)) == (100, 200)


def test_p07_a_period_that_began_before_acceptance_belongs_to_the_split_at_acceptance(world: World) -> None:
    start = START - 60 * DAY
    world.announce()
    world.chain.move(31 * DAY)
    licence = world.grant(start=start)
    in_force = world.catalogues.splitAt(world.catalogue, world.chain.time)
    assert in_force != world.split
    world.at(month(2))
    for period in range(3):
        world.report(licence, period, 1_000)
        assert world.entries("Booked")[-1]["destination"] == in_force


def test_p18_a_restatement_goes_to_the_split_of_its_own_period(world: World) -> None:
    licence, first = world.grant(late_rate=0), world.split
    world.at(START + DAY)
    world.announce()
    world.at(month(3))
    for period in range(3):
        world.report(licence, period, 1_000, pay=True)
    world.restate(licence, 0, 5_000)
    assert world.entries("Booked")[-1]["destination"] == first
    world.pay(licence, 0, version=2)
    assert world.credited(first) == 500


def test_p17_a_weighted_licence_pays_into_the_account_of_each_period(world: World) -> None:
    licence = world.grant(distributions=STRANGER)
    world.at(month(2))
    for period in (0, 1):
        world.report(licence, period, 1_000 * (period + 1), pay=True)
        salt = keccak(
            bytes(12)
            + bytes.fromhex(world.licences.address[2:])
            + licence.to_bytes(32, "big")
            + period.to_bytes(32, "big")
        )
        account = world.splits.accountId(STRANGER, salt)
        assert (
            world.entries("Booked")[-1]["destination"] == account == world.due(licence, period)["destination"]
        )
        assert world.splits.accountBalance(account, world.dollar.address) == 100 * (period + 1)
    many = [figures(2, 5_000), figures(3, 6_000)]
    world.at(month(4))
    world.licences.reportMany(licence, world.bytes[licence], many, True, sender=LICENSEE)
    balances = [
        world.splits.accountBalance(entry["destination"], world.dollar.address)
        for entry in world.entries("Booked")
    ]
    assert balances == [100, 200, 500, 600]
    assert world.credited() == 0


# Set-off


def test_a_negative_line_first_cancels_what_is_open_of_its_own_period(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    world.pay(licence, 0, 30)
    world.lower(licence, 0, 100)
    entry = world.entries("Booked")[-1]
    assert (entry["line"], entry["cancelled"], entry["setOff"]) == (-90, 70, 20)
    assert (world.open_of(licence, 0), world.state(licence)["setOff"]) == (0, 20)


def test_set_off_is_used_by_the_next_lines_and_names_both_splits(world: World) -> None:
    licence, first = world.grant(), world.split
    world.at(START + DAY)
    second = world.announce()
    world.at(month(1))
    world.report(licence, 0, 1_000, pay=True)
    world.lower(licence, 0, 0)
    world.at(month(3))
    world.report(licence, 1, 300)
    world.report(licence, 2, 1_000, pay=True)
    used = [(e["period"], e["source"], e["destination"], e["amount"]) for e in world.entries("SetOffUsed")]
    assert used == [(1, first, second, 30), (2, first, second, 70)]
    booked = world.entries("Booked")[-1]
    assert (booked["setOff"], booked["paid"], world.state(licence)["setOff"]) == (70, 30, 0)
    assert world.credited(second) == 30


def test_the_oldest_source_is_used_first_and_neighbours_of_one_split_are_merged(world: World) -> None:
    licence, first = world.grant(), world.split
    world.at(START + DAY)
    second = world.announce()
    world.at(month(4))
    for period in range(4):
        world.report(licence, period, 1_000, pay=True)
    for period in (1, 2, 0, 3):
        world.lower(licence, period, 0)
    sources = [world.licences.setOffAt(licence, index) for index in range(4)]
    assert sources == [(second, 200), (first, 100), (second, 100), (bytes(32), 0)]
    assert world.views.quote(licence, world.bytes[licence], figures(4, 9_000)) == (900, 400)
    world.at(month(5))
    world.report(licence, 4, 2_500)
    used = [(e["source"], e["amount"]) for e in world.entries("SetOffUsed")]
    assert used == [(second, 200), (first, 50)]
    assert world.licences.setOffAt(licence, 0) == (first, 50)


def test_p15_a_line_uses_eight_sources_at_most(world: World) -> None:
    licence = world.grant(distributions=STRANGER, late_rate=0)
    world.at(month(20))
    many = [figures(period, 1_000) for period in range(12)]
    world.licences.reportMany(licence, world.bytes[licence], many, True, sender=LICENSEE)
    for period in range(10):
        world.lower(licence, period, 0)
    assert world.views.quote(licence, world.bytes[licence], figures(12, 20_000)) == (2_000, 800)
    world.report(licence, 12, 20_000)
    assert len(world.entries("SetOffUsed")) == 8
    assert (world.open_of(licence, 12), world.state(licence)["setOff"]) == (1_200, 200)
    # A batch that meets set-off tells its uses in the order of the periods, and pays the rest.
    many = [figures(13, 500), figures(14, 1_000), figures(15, 1_000)]
    world.licences.reportMany(licence, world.bytes[licence], many, True, sender=LICENSEE)
    topics = [world.licences.topic(name) for name in ("SetOffUsed", "Booked")]
    names = [topics.index(log.topics[0]) for log in world.chain.logs if log.topics[0] in topics]
    assert names[-7:] == [0, 1, 0, 0, 1, 0, 1]
    # 200 are left of set-off: 50 for the first, 100 for the second, 50 for the third.
    booked = world.entries("Booked")[-3:]
    assert [(entry["setOff"], entry["paid"]) for entry in booked] == [(50, 0), (100, 0), (50, 50)]
    assert world.state(licence)["setOff"] == 0


def test_set_off_lapses_at_the_end_and_a_later_negative_line_leaves_none(world: World) -> None:
    licence = world.grant(end=month(3))
    world.at(month(3))
    for period in (0, 1):
        world.report(licence, period, 1_000, pay=True)
    world.lower(licence, 0, 0)
    world.licences.expire(licence, world.bytes[licence], sender=STRANGER)
    assert world.entries("Expired")[-1]["lapsed"] == 100
    assert (world.state(licence)["setOff"], world.licences.setOffAt(licence, 0)) == (0, (bytes(32), 0))
    world.lower(licence, 1, 0)
    assert (world.entries("Booked")[-1]["setOff"], world.state(licence)["setOff"]) == (0, 0)
    world.report(licence, 2, 1_000)
    assert world.open_of(licence, 2) == 100


def test_set_off_is_no_refund_and_no_credit(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000 * USD, pay=True)
    held = world.dollar.balanceOf(LICENSEE)
    world.lower(licence, 0, 0)
    assert (world.dollar.balanceOf(LICENSEE), world.credited()) == (held, 100 * USD)


# Views


def test_the_breakdown_explains_what_is_due(world: World) -> None:
    tiers = [(1_000, 100_000), (TOP, 200_000)]
    licence = world.grant(tiers=tiers, guarantee=500, upfront_fee=50, advance=True, cap=10_000)
    world.at(month(1))
    world.report(licence, 0, 1_501)
    due = world.due(licence, 0)
    assert due["earnedByTier"] == (100_000_000, 100_200_000)
    assert (due["earned"], due["guarantee"], due["guaranteeTopUp"], due["royalty"]) == (200, 500, 300, 500)
    assert (due["recouped"], due["owedInAll"], due["open"], due["capReached"]) == (50, 450, 450, False)
    assert (due["start"], due["end"]) == (START, month(1))
    assert (due["reportBy"], due["payBy"]) == (month(1) + 20 * DAY, month(1) + 30 * DAY)
    assert due["interestFrom"] == month(1) + 35 * DAY
    later = world.due(licence, 1)
    assert (later["base"], later["open"], later["destination"]) == (0, 0, world.split)
    assert world.due(licence, 5)["destination"] == bytes(32)
    assert error_of(lambda: world.due(licence, 2**16))[0] == "Licences_NoSuchPeriod"


def test_a_quote_is_the_line_that_would_be_booked(world: World) -> None:
    licence = world.grant(guarantee=50)
    terms = world.bytes[licence]
    assert world.views.quote(licence, terms, figures(0, 1_000)) == (100, 0)
    assert error_of(lambda: world.views.quote(licence, terms, figures(1, 0)))[0] == "Licences_WrongPeriod"
    assert (
        error_of(lambda: world.views.quote(licence, terms, figures(0, 0, version=1)))[0]
        == "Licences_StaleVersion"
    )
    world.at(month(1))
    world.report(licence, 0, 1_000)
    assert world.views.quote(licence, terms, figures(0, 0, version=1)) == (-50, 0)
    assert world.views.quote(licence, terms, figures(0, 2_000, version=1)) == (100, 0)
    flat = world.grant(period_months=0, tiers=[])
    assert (
        error_of(lambda: world.views.quote(flat, world.bytes[flat], figures(0, 0)))[0] == "Licences_NoReports"
    )


def test_p18_a_settled_line_is_signed_and_the_licensor_may_raise(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000, pay=True)
    world.object(licence, 0, 3_000, by=LICENSOR)
    world.settle(licence, 0, True, LICENSEE)
    entry = world.entries("Booked")[-1]
    assert (entry["kind"], entry["version"], entry["base"], entry["line"]) == (4, 2, 3_000, 200)
    assert (entry["gross"], entry["deductions"], entry["reportHash"]) == (0, 0, bytes(32))
    assert world.open_of(licence, 0) == 200
