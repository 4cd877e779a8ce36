"""Random histories of three periods: every unit is accounted for, the entries suffice, and nothing stays locked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from _distributions import (
    FALLBACK,
    FELL,
    HOLDER,
    NONE,
    NOTHING_LAST,
    OBJECTED,
    OPEN,
    OTHER_HOLDER,
    STOOD,
    Distribution,
    Scene,
    word_of,
)
from _licences import DAY, LICENSEE, LICENSOR, STRANGER, month
from _mini import Reverted, keccak
from eth_abi.abi import encode

from ledger.domain.merkle_sum import MerkleSumTree

PERIODS = 3
OBJECTION = ["address", "uint256", "bytes32", "uint256", "bytes32", "uint256", "bytes32"]


def part_of(what: Distribution, arrived: int) -> int:
    """What a round moves of all that came to it."""
    _, _, total, amount = what
    return arrived * total // amount if amount else min(arrived, total)


class History:
    """One licence, and everything that anybody may do about its first periods."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.scene = Scene(changes={"days_to_pay": self.rng.choice([30, 150])})
        self.funded = dict.fromkeys(range(PERIODS), 0)
        self.bonds = 0
        self.done: dict[str, int] = {}
        self.scene.at(month(PERIODS))
        for period in range(PERIODS):
            self.fund(period, self.rng.choice([100, 10**6 + 1]))

    # Steps

    def step(self) -> None:
        """One random call, which may be refused by name."""
        rng, scene = self.rng, self.scene
        period = rng.randrange(PERIODS)
        calls: dict[str, Callable[[], object]] = {
            "fund": lambda: self.fund(period, rng.choice([1, 7, 100, 10**6, 123_457])),
            "dust": lambda: self.dust(period),
            "post": lambda: scene.post(period, *self.wanted(period), by=self.poster()),
            "replace": lambda: scene.post(period, *self.wanted(period), by=self.poster(), replace=True),
            "object": lambda: self.object(period),
            "concede": lambda: scene.concede(period, by=self.poster()),
            "choose": lambda: scene.choose(period, rng.choice([1, 2, 3])),
            "close": lambda: scene.close(period),
            "settle": lambda: scene.finish(period),
            "fall back": lambda: scene.fall_back(period, self.last(period)),
            "sweep": lambda: scene.sweep(period),
            "release": lambda: scene.release(period),
        }
        # Mostly what the round's stage allows, sometimes anything.
        stage = scene.outlook(period)["stage"]
        likely = {
            NONE: ["fund", "post", "post", "post", "sweep", "fall back", "dust"],
            OPEN: ["replace", "object", "object", "settle", "settle", "fund", "dust"],
            OBJECTED: ["concede", "concede", "concede", "choose", "close", "fund", "dust"],
        }[stage]
        name = rng.choice([*calls] if rng.random() < 0.2 else likely)
        try:
            calls[name]()
        except Reverted as refused:
            if not refused.name.startswith(("Distributions_", "Splits_")):
                raise
            name = "refused"
        except (IndexError, KeyError):  # nothing is posted, or nobody objected: there is nothing to be given
            name = "refused"
        self.done[name] = self.done.get(name, 0) + 1
        if rng.random() < 0.4:
            scene.chain.move(rng.choice([1, DAY, DAY, 3 * DAY, 8 * DAY]))
        self.check()

    def fund(self, period: int, amount: int) -> None:
        self.scene.donate(period, amount)
        self.funded[period] += amount

    def dust(self, period: int) -> None:
        self.scene.donate(period, 1, round_=len(self.scene.settled(period)))
        self.bonds += 1

    def poster(self) -> str:
        return self.rng.choice([LICENSOR] * 6 + [LICENSEE, STRANGER])

    def wanted(self, period: int) -> tuple[MerkleSumTree, int]:
        """A split of what waits, or of a part of it, with or without held units."""
        waits = self.scene.outlook(period)["waits"] or 1
        amount = self.rng.choice([waits, waits, max(1, waits // 3), waits + 1])
        total = max(1, amount - self.rng.choice([0, amount // 4, 1]))
        return self.split(total), amount

    def split(self, total: int) -> MerkleSumTree:
        part = self.rng.randrange(total)
        return self.scene.tree(
            *([part, total - part] if part else [total]), first=self.rng.choice([200, 300])
        )

    def object(self, period: int) -> None:
        rng, scene = self.rng, self.scene
        posted = scene.rounds(period)[-1]
        counter = self.split(max(1, posted[3] - rng.choice([0, 1, posted[3] // 2])))
        who = rng.choice([(HOLDER, 0), (OTHER_HOLDER, 1)])
        scene.contest(
            period,
            rng.choice([None, counter, counter]),
            by=who[0],
            index=who[1],
            last=self.last(period),
            pay=int(scene.distributions.bondOf(posted[3])) + rng.choice([0, 0, 5]),
        )
        self.bonds += scene.objection(period)[1]

    def last(self, period: int) -> Distribution:
        found, number = self.scene.distributions.lastStood(self.scene.licence, period)
        return self.scene.settled(number)[0] if found else NOTHING_LAST

    # What holds after every step

    def check(self) -> None:
        scene = self.scene
        scene.check_journal()
        for period in range(PERIODS):
            self.check_money(period)
            self.check_replay(period)
        moved = sum(entry["amount"] for entry in scene.told("BondMoved"))
        waits = sum(scene.bond_of(period, number) for period in range(PERIODS) for number in range(9))
        assert moved + waits == self.bonds, "P-02 of bonds"

    def check_money(self, period: int) -> None:
        """P-02: what arrived is what waits and what each round has moved, which is its due when it was last swept."""
        scene = self.scene
        arrived = self.funded[period]
        name = scene.splits.accountId(scene.distributions.address, scene.salt(period))
        left = [values for topic, values in scene.splits.events("AccountMoved") if topic == name]
        assert scene.waiting(period) + sum(values[-1] for values in left) == arrived
        settled = scene.settled(period)
        assert {values[2] for values in left} <= {what[1] for what in settled}, "P-08"
        sweepable = 0
        for number, what in enumerate(settled):
            due = part_of(what, arrived)
            moved = self.moved(period, number, what)
            assert moved <= due
            sweepable += due - moved
            arrived -= due
        assert scene.outlook(period)["waits"] == arrived
        assert scene.outlook(period)["sweepable"] == sweepable
        assert sum(self.moved(period, n, what) for n, what in enumerate(settled)) == sum(v[-1] for v in left)

    def moved(self, period: int, number: int, what: Distribution) -> int:
        state = self.scene.round(period, number)
        return state["moved"] or (what[2] if state["stage"] == STOOD else 0)

    def check_replay(self, period: int) -> None:
        """P-14: the entries give each round's word, its objection and what it moved."""
        scene = self.scene
        words, objections, moved = replay(scene, period)
        for number in range(9):
            state = scene.round(period, number)
            flags = (
                state["stage"] | 8 * state["byLicensee"] | 16 * state["replaced"] | 32 * state["byArbiter"]
            )
            stored = int.from_bytes(state["commitment"], "big") | state["deadline"] << 8 | flags
            assert stored == words.get(number, 0)
            assert state["objection"] == objections.get(number, bytes(32))
            assert state["moved"] == moved.get(number, 0)

    # The end

    def drain(self) -> None:
        """P-17: after the last date anyone gets everything out, in as many calls as there are rounds left."""
        scene = self.scene
        scene.at(max(scene.chain.time, *(scene.dates(p)["heldUntil"] + 1 for p in range(PERIODS))))
        for period in range(PERIODS):
            for _ in range(20):
                step = scene.outlook(period)["step"]
                if step == 4:
                    scene.finish(period)
                elif step == 6:
                    scene.close(period)
                elif step == 7:
                    scene.fall_back(period, self.last(period))
                elif step == 8:
                    scene.release(period)
                else:
                    break
            if scene.outlook(period)["sweepable"]:
                scene.sweep(period)
            assert scene.waiting(period) == 0
            if self.funded[period]:
                assert scene.outlook(period)["step"] == 9
        self.check()


def replay(scene: Scene, period: int) -> tuple[dict[int, int], dict[int, bytes], dict[int, int]]:
    """Words, objections and sums moved of a period's rounds, out of the entries alone."""
    words: dict[int, int] = {}
    objections: dict[int, bytes] = {}
    moved: dict[int, int] = {}
    for name, entry in in_order(scene):
        if entry.get("period") != period:
            continue
        number = entry["round"]
        flags = words.get(number, 0) & 0xFF & ~7
        what: Any = tuple(entry.get(one) for one in ("token", "splitId", "total", "amount"))
        if name == "Posted":
            by_arbiter = entry["caller"] == entry["arbiter"] or (entry["replacing"] and flags & 32)
            flags = OPEN | 8 * (entry["role"] == 2) | 16 * entry["replacing"] | 32 * bool(by_arbiter)
            words[number] = word_of(what, entry["deadline"], flags)
        elif name == "Objected":
            posted = (entry["token"], entry["posted"], entry["postedTotal"], entry["amount"])
            words[number] = word_of(posted, entry["deadline"], flags | OBJECTED)
            names = [
                "objector",
                "bond",
                "counterSplit",
                "counterTotal",
                "lastSplit",
                "lastTotal",
                "standingSplit",
            ]
            objections[number] = keccak(encode(OBJECTION, [entry[one] for one in names]))
        elif name == "Conceded":
            words[number] = word_of(what, entry["deadline"], flags | 16 | OPEN)
        elif name == "Settled":
            stood = entry["outcome"] < FALLBACK
            words[number] = word_of(what, 0, flags | STOOD if stood else FELL)
            if entry["moved"] != (entry["total"] if stood else 0):
                moved[number] = entry["moved"]
        elif name == "StayedHeld":
            words[number] = NONE
        elif name == "Swept":
            moved[number] = entry["moved"]
        elif name == "BondMoved":
            objections[number] = bytes(32)
    return words, objections, moved


def in_order(scene: Scene) -> list[tuple[str, dict[str, Any]]]:
    """All entries of the scene's licence, oldest first."""
    names = ("Posted", "Objected", "Conceded", "Settled", "StayedHeld", "Swept", "BondMoved")
    topics = {scene.distributions.topic(name): name for name in names}
    queues = {name: iter(scene.told(name)) for name in names}
    found = []
    for log in scene.chain.logs:
        if log.address == scene.distributions.address and log.topics[0] in topics:
            name = topics[log.topics[0]]
            found.append((name, next(queues[name])))
    return found


@pytest.mark.parametrize("seeds", [range(6), range(6, 12)])
def test_p02_p14_p17_random_histories(seeds: range) -> None:
    """Each step is checked; whatever happened, anyone gets everything out in the end."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        history = History(seed)
        for _ in range(60):
            history.step()
        history.drain()
        seen.update(history.done)
    assert seen.keys() >= {
        "post",
        "replace",
        "object",
        "concede",
        "choose",
        "close",
        "settle",
        "fall back",
        "sweep",
    }
    assert seen["refused"] < 60 * len(seeds) * 3 // 4
