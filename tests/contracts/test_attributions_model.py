"""Attributions and its model in lockstep: random records are told or refused alike (P-16), and replay alike (P-14)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from _attributions import ATTRIBUTOR, FINE_TUNE, MODEL_HASH, SCOPE, TRAIN, Records, batch, run
from _licences import BUYER, DAY, LICENSEE, LICENSOR, START, STRANGER, ZERO, World, month
from _mini import Log, Reverted, keccak

from ledger.domain.attribution_book import AttributionBook, Batch, Training
from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry, RawLog, decode_entry, is_entry
from ledger.domain.replay import Replay
from ledger.domain.reverts import Revert

CONTRACTS = ("splits", "catalogues", "licences")


class Lockstep:
    """The contracts, a replay of their journals, and a twin of the model's book that is called beside them."""

    def __init__(self) -> None:
        self.world = World()
        self.records = Records(self.world)
        self.names = {getattr(self.world, name).address: name.capitalize() for name in CONTRACTS}
        self.names[self.records.contract.address] = "Attributions"
        self.replay = Replay(
            splits=self.world.splits.address, licences=self.world.licences.address, chain_id=1
        )
        self.twin = AttributionBook(self.replay.licences)
        self._fed = 0

    def feed(self) -> list[tuple[str, Entry]]:
        """Replays the logs since the last time."""
        fed = []
        logs: list[Log] = self.world.chain.logs
        for log in logs[self._fed :]:
            name = self.names.get(log.address)
            if name is not None and is_entry(name, log.topics):
                raw = RawLog(log.block, log.time, log.topics[0], log.topics[1], log.data)
                fed.append((name, self.replay.feed(name, raw)))
        self._fed = len(logs)
        return fed

    def check(self, kind: str, licence: int, terms: bytes, told: tuple[Any, ...], by: str) -> str:
        """Makes one call on both; the error's name, or nothing."""
        now, digest = self.world.chain.time, keccak(terms)
        expected: list[Entry] | Revert
        try:
            if kind == "training":
                expected = self.twin.record_training(by, licence, Training(*told), now=now, terms_hash=digest)
            else:
                expected = self.twin.record_outputs(by, licence, Batch(*told), now=now, terms_hash=digest)
        except Revert as error:
            expected = error
        contract = self.records.contract
        call = contract.recordTraining if kind == "training" else contract.recordOutputs
        refused: Reverted | None = None
        try:
            call(licence, terms, told, sender=by)
        except Reverted as error:
            refused = error
        if refused is not None:
            assert isinstance(expected, Revert), (refused, expected)
            assert (refused.name, refused.values) == (expected.name, expected.arguments)
            return refused.name
        assert not isinstance(expected, Revert), expected
        assert self.feed() == [("Attributions", expected[0])]
        return ""


def random_licence(lockstep: Lockstep, rng: random.Random) -> int:
    return lockstep.records.grant(
        scope=rng.choice([SCOPE, SCOPE, 1 << rng.randrange(10), rng.randrange(1, 1024)]),
        model=rng.choice([MODEL_HASH, MODEL_HASH, bytes(32)]),
        attributor=rng.choice([ATTRIBUTOR, ATTRIBUTOR, ZERO]),
        start=START + rng.choice([0, 0, 20 * DAY]),
        end=rng.choice([0, 0, month(2), month(4)]),
        days_to_report=rng.choice([0, 3, 20]),
    )


def random_record(rng: random.Random, kind: str) -> tuple[Any, ...]:
    changes: dict[str, Any] = {"root": rng.choice([keccak(b"%d" % rng.randrange(6)), keccak(b"one")])}
    if rng.random() < 0.1:
        changes["root"] = bytes(32)
    if rng.random() < 0.1:
        changes["model"] = rng.choice(["", "muse\n2", "muse"])
    changes["leaves"] = rng.choice([1, 7, 7, 2**32, rng.choice([0, 2**32 + 1])])
    if kind == "training":
        changes["kind"] = rng.choice([TRAIN, TRAIN, FINE_TUNE, FINE_TUNE, 3])
        return run(**changes)
    changes["outputs"] = rng.choice([1, 1, 7, 8, 0])
    return batch(**changes)


@pytest.mark.parametrize("seed", range(4))
def test_p14_p16_random_records_are_told_refused_and_replayed_alike(seed: int) -> None:
    """P-16: model and contract agree on every record; P-14: the journals give the same book."""
    rng = random.Random(seed)
    lockstep = Lockstep()
    world = lockstep.world
    licences = [random_licence(lockstep, rng) for _ in range(6)]
    lockstep.feed()
    outcomes: dict[str, int] = {}
    for _ in range(160):
        match rng.randrange(8):
            case 0:
                world.chain.move(rng.choice([1, DAY, 9 * DAY, 30 * DAY]))
            case 1:
                licence = rng.choice(licences)
                holder = world.licences.ownerOf(licence)
                terms = world.bytes[licence]
                acts = [
                    lambda: world.licences.transferFrom(holder, BUYER, licence, sender=holder),  # noqa: B023
                    lambda: world.licences.expire(licence, terms, sender=STRANGER),  # noqa: B023
                    lambda: world.licences.giveNotice(licence, terms, 0, sender=LICENSOR),  # noqa: B023
                    lambda: world.licences.terminate(licence, terms, sender=LICENSOR),  # noqa: B023
                ]
                try:
                    rng.choice(acts)()
                except Reverted:
                    continue
                lockstep.feed()
            case _:
                licence = rng.choice([*licences, 99] if rng.random() < 0.1 else licences)
                known = licence if licence in licences else licences[0]
                terms = world.bytes[known]
                if rng.random() < 0.05:
                    terms = world.bytes[licences[-1]]
                kind = rng.choice(["training", "outputs"])
                by = rng.choice([LICENSEE, LICENSEE, BUYER, ATTRIBUTOR, STRANGER])
                if rng.random() < 0.6 and licence in licences:
                    by = world.licences.ownerOf(licence)
                name = lockstep.check(kind, licence, terms, random_record(rng, kind), by)
                outcomes[name] = outcomes.get(name, 0) + 1
    lockstep.replay.finish()
    assert lockstep.twin.records == lockstep.replay.attributions.records
    assert lockstep.replay.heads["Attributions"] == lockstep.records.contract.journalHead()
    assert outcomes[""] >= 10
    assert len(outcomes) >= 5


def test_p14_a_record_before_the_acceptance_of_its_licence_is_caught() -> None:
    """P-14: whoever moves a record to the front is found out."""
    lockstep = Lockstep()
    licence = lockstep.records.grant()
    lockstep.world.at(START)
    lockstep.records.outputs(licence)
    logs = [
        (lockstep.names[one.address], RawLog(one.block, one.time, one.topics[0], one.topics[1], one.data))
        for one in lockstep.world.chain.logs
        if one.address in lockstep.names and is_entry(lockstep.names[one.address], one.topics)
    ]
    moved = sorted(logs, key=lambda pair: pair[0] != "Attributions")
    world = lockstep.world
    into = Replay(splits=world.splits.address, licences=world.licences.address, chain_id=1)
    with pytest.raises(AuditFailed):
        into.feed(*moved[0])


def test_p14_text_that_is_no_utf_8_stops_no_replay() -> None:
    """P-14: anyone can write any bytes as a URI, or as the model of a licence that names none."""
    lockstep = Lockstep()
    licence = lockstep.records.grant(model=keccak(b"\xff\nmodel"))
    lockstep.world.at(START)
    contract = lockstep.records.contract
    data = contract.data("recordTraining", licence, lockstep.world.bytes[licence], run(model="QQ\nmodel"))
    odd = data.replace(b"QQ\nmodel", b"\xff\nmodel" + b"\0").replace(
        (8).to_bytes(32, "big") + b"\xff", (7).to_bytes(32, "big") + b"\xff"
    )
    lockstep.world.chain.send(contract.address, odd, LICENSEE)
    lockstep.feed()
    [recorded] = lockstep.replay.attributions.records.values()
    assert recorded.what.model.encode("utf-8", "surrogateescape") == b"\xff\nmodel"
    assert lockstep.replay.heads["Attributions"] == contract.journalHead()
    [log] = [one for one in lockstep.world.chain.logs if one.address == contract.address]
    raw = RawLog(log.block, log.time, log.topics[0], log.topics[1], log.data)
    from ledger.domain.journal import encode_entry

    assert encode_entry("Attributions", decode_entry("Attributions", raw), log.block, log.time) == raw
