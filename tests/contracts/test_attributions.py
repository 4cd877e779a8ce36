"""Attributions: who may record what, when, for which model; resends; the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from _attributions import (
    ATTRIBUTOR,
    COMMERCIAL_OUTPUT,
    FINE_TUNE,
    INFER,
    MODEL,
    MODEL_HASH,
    OUTPUTS,
    RETRIEVE,
    SCOPE,
    TRAIN,
    URI,
    Records,
    batch,
)
from _catalogues import refused_with
from _licences import BUYER, DAY, LICENSEE, LICENSOR, NO_PERMIT, START, STRANGER, USD, ZERO, World, month
from _mini import Reverted, fold, keccak

END = month(3)
DAYS_TO_REPORT = 20


@pytest.fixture
def records() -> Records:
    return Records(World())


@pytest.fixture
def licence(records: Records) -> int:
    """For every use of one model, from July to September; the clock stands at its start."""
    number = records.grant(end=END)
    records.world.at(START)
    return number


def topic(licence: int) -> bytes:
    return licence.to_bytes(32, "big")


# ---- what is recorded


def test_it_knows_its_licences(records: Records) -> None:
    assert records.contract.licences() == records.world.licences.address


def test_a_training_run_is_told_whole(records: Records, licence: int) -> None:
    records.train(licence)
    told = (LICENSEE, TRAIN, MODEL, keccak(b"works used"), 1000, keccak(b"file"), URI)
    assert records.entries == [(topic(licence), told)]


def test_a_batch_is_told_whole(records: Records, licence: int) -> None:
    records.outputs(licence)
    told = (LICENSEE, MODEL, keccak(b"credits"), 1_000_000, 250_000, keccak(b"file"), URI)
    assert records.entries == [(topic(licence), told)]


def test_p14_the_head_is_the_fold_of_the_raw_logs_and_nothing_else_is_stored(
    records: Records, licence: int
) -> None:
    """P-14: entries suffice; and a resend changes the head alone."""
    chain, address = records.world.chain, records.contract.address
    for number in range(4):
        records.train(licence, kind=1 + number % 2)
        records.outputs(licence, by=(LICENSEE, ATTRIBUTOR)[number % 2])
        chain.move(number * DAY)
    head = records.contract.journalHead()
    assert head == fold(chain.logs, address) != bytes(32)
    assert chain.storage(address, 0).to_bytes(32, "big") == head
    assert [chain.storage(address, slot) for slot in range(1, 16)] == [0] * 15


# ---- who


def test_a_stranger_records_nothing(records: Records, licence: int) -> None:
    for by in (STRANGER, LICENSOR):
        for record in (records.train, records.outputs):
            refused_with(lambda: record(licence, by=by), "Attributions_MayNotRecord", licence, by)  # noqa: B023
    assert records.entries == []


def test_the_attributor_records_outputs_and_no_training(records: Records, licence: int) -> None:
    records.outputs(licence, by=ATTRIBUTOR)
    assert [data[0] for _, data in records.entries] == [ATTRIBUTOR]
    refused_with(
        lambda: records.train(licence, by=ATTRIBUTOR), "Attributions_MayNotRecord", licence, ATTRIBUTOR
    )


def test_without_an_attributor_the_licensee_alone_records(records: Records) -> None:
    licence = records.grant(attributor=ZERO)
    records.world.at(START)
    refused_with(
        lambda: records.outputs(licence, by=ATTRIBUTOR), "Attributions_MayNotRecord", licence, ATTRIBUTOR
    )
    records.outputs(licence)


def test_the_right_to_record_moves_with_the_licence(records: Records, licence: int) -> None:
    records.world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)
    for record in (records.train, records.outputs):
        refused_with(lambda: record(licence), "Attributions_MayNotRecord", licence, LICENSEE)  # noqa: B023
        record(licence, by=BUYER)


# ---- under which terms


def test_p09_other_terms_than_the_licences_are_refused(records: Records, licence: int) -> None:
    """P-09: terms match their hash."""
    other = records.grant(end=END + 1)
    terms = records.world.bytes
    for given in (terms[other], terms[licence] + b"\0", terms[licence][:-1], b""):
        for record in (records.train, records.outputs):
            refused_with(lambda: record(licence, terms=given), "Attributions_TermsMismatch", licence)  # noqa: B023
    assert records.entries == []


def test_licences_tell_in_one_call_what_a_record_depends_on(records: Records, licence: int) -> None:
    """ILicences.grantOf: hash of the terms, holder, termination."""
    world = records.world
    grant = lambda: tuple(world.licences.grantOf(licence))  # noqa: E731
    terms_hash = keccak(world.bytes[licence])
    assert grant() == (terms_hash, LICENSEE, 0)
    world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)
    assert grant() == (terms_hash, BUYER, 0)
    world.at(month(1) + (DAYS_TO_REPORT + 6) * DAY)
    world.licences.giveNotice(licence, world.bytes[licence], 0, sender=LICENSOR)
    world.chain.move(10 * DAY + 1)
    world.licences.terminate(licence, world.bytes[licence], sender=LICENSOR)
    assert grant() == (terms_hash, BUYER, world.chain.time)
    refused_with(lambda: world.licences.grantOf(licence + 1), "Licences_Unknown", licence + 1)


def test_an_unknown_licence_is_refused(records: Records, licence: int) -> None:
    terms = records.world.bytes[licence]
    for number in (0, licence + 1, 2**256 - 1):
        for record in (records.train, records.outputs):
            refused_with(lambda: record(number, terms=terms), "Licences_Unknown", number)  # noqa: B023


@pytest.mark.parametrize("bit", [1 << bit for bit in range(10)])
def test_each_bit_of_the_scope_allows_its_own_records_alone(records: Records, bit: int) -> None:
    licence = records.grant(scope=bit)
    records.world.at(START)
    for kind in (TRAIN, FINE_TUNE):
        record: Callable[[], Any] = lambda: records.train(licence, kind=kind)  # noqa: B023, E731
        if kind == bit:
            record()
        else:
            refused_with(record, "Attributions_OutsideScope", licence, bit, kind)
    if bit in (INFER, RETRIEVE, COMMERCIAL_OUTPUT):
        records.outputs(licence)
    else:
        refused_with(lambda: records.outputs(licence), "Attributions_OutsideScope", licence, bit, OUTPUTS)


@pytest.mark.parametrize("kind", [0, 3, 4, 5, 2**255, 2**256 - 1])
def test_a_run_is_training_or_fine_tuning(records: Records, licence: int, kind: int) -> None:
    refused_with(lambda: records.train(licence, kind=kind), "Attributions_BadRecord", 1)


@pytest.mark.parametrize("model", ["muse\n1.1", "muse", "muse\n1.0\n", "Muse\n1.0", "muse\r\n1.0"])
def test_another_model_or_version_is_refused(records: Records, licence: int, model: str) -> None:
    for record in (records.train, records.outputs):
        refused_with(
            lambda: record(licence, model=model),  # noqa: B023
            "Attributions_WrongModel",
            licence,
            keccak(model.encode()),
            MODEL_HASH,
        )
    assert records.entries == []


def test_terms_without_a_model_take_any_that_is_named(records: Records) -> None:
    licence = records.grant(model=bytes(32))
    records.world.at(START)
    for record in (records.train, records.outputs):
        record(licence, model="other\n7")
        refused_with(lambda: record(licence, model=""), "Attributions_BadRecord", 2)  # noqa: B023


# ---- when


def test_p09_training_is_recorded_from_start_to_stop(records: Records) -> None:
    """P-09: edges are start ≤ t < end."""
    world = records.world
    licence = records.grant(end=END)
    outside = ("Attributions_OutsideTerm", licence, START, END - 1)
    world.at(START - 1)
    refused_with(lambda: records.train(licence), *outside)
    world.at(START)
    records.train(licence)
    world.at(END - 1)
    records.train(licence)
    world.at(END)
    refused_with(lambda: records.train(licence), *outside)
    assert len(records.entries) == 2


def test_p09_outputs_are_recorded_as_long_as_the_last_period_may_be_reported(records: Records) -> None:
    """P-09: start ≤ t, until daysToReport days after the end."""
    world = records.world
    licence = records.grant(end=END)
    until = END + DAYS_TO_REPORT * DAY
    outside = ("Attributions_OutsideTerm", licence, START, until)
    world.at(START - 1)
    refused_with(lambda: records.outputs(licence), *outside)
    world.at(START)
    records.outputs(licence)
    world.at(END)
    records.outputs(licence)
    world.licences.expire(licence, world.bytes[licence], sender=STRANGER)
    world.at(until)
    assert world.due(licence, 2)["reportBy"] == until
    records.outputs(licence, by=ATTRIBUTOR)
    world.at(until + 1)
    refused_with(lambda: records.outputs(licence), *outside)
    assert len(records.entries) == 3


def test_a_term_without_an_end_has_no_last_second(records: Records) -> None:
    licence = records.grant()
    records.world.at(START)
    records.world.chain.move(400 * 365 * DAY)
    records.train(licence)
    records.outputs(licence)
    assert len(records.entries) == 2


@pytest.mark.parametrize("end", [END, 0])
def test_p10_a_terminated_licence_has_stopped(records: Records, end: int) -> None:
    """P-10: training ends with the termination; outputs may follow as long as the last report may."""
    world = records.world
    licence = records.grant(end=end)
    terms = world.bytes[licence]
    world.at(month(1) + (DAYS_TO_REPORT + 6) * DAY)
    world.licences.giveNotice(licence, terms, 0, sender=LICENSOR)
    world.chain.move(10 * DAY + 1)
    records.train(licence)
    records.outputs(licence)
    world.licences.terminate(licence, terms, sender=LICENSOR)
    stop = world.chain.time
    assert stop < END
    until = stop + DAYS_TO_REPORT * DAY
    refused_with(lambda: records.train(licence), "Attributions_OutsideTerm", licence, START, stop - 1)
    records.outputs(licence)
    world.at(until)
    records.outputs(licence)
    world.at(until + 1)
    refused_with(lambda: records.outputs(licence), "Attributions_OutsideTerm", licence, START, until)
    refused_with(lambda: records.train(licence), "Attributions_OutsideTerm", licence, START, stop - 1)
    assert len(records.entries) == 4


# ---- figures


@pytest.mark.parametrize(
    ("changes", "which"),
    [
        ({"root": bytes(32)}, 3),
        ({"leaves": 0}, 4),
        ({"leaves": 2**32 + 1}, 4),
        ({"leaves": 2**256 - 1}, 4),
    ],
)
def test_a_tree_has_a_root_and_at_most_2_to_the_32_leaves(
    records: Records, licence: int, changes: dict[str, Any], which: int
) -> None:
    for record in (records.train, records.outputs):
        refused_with(lambda: record(licence, **changes), "Attributions_BadRecord", which)  # noqa: B023


@pytest.mark.parametrize(("leaves", "outputs"), [(5, 0), (5, 6), (2**32, 2**32 + 1), (5, 2**256 - 1)])
def test_a_batch_has_an_output_and_a_leaf_for_each(
    records: Records, licence: int, leaves: int, outputs: int
) -> None:
    refused_with(
        lambda: records.outputs(licence, leaves=leaves, outputs=outputs), "Attributions_BadRecord", 5
    )


@pytest.mark.parametrize(("leaves", "outputs"), [(1, 1), (5, 5), (2**32, 2**32), (2**32, 1)])
def test_the_bounds_are_taken(records: Records, licence: int, leaves: int, outputs: int) -> None:
    records.outputs(licence, leaves=leaves, outputs=outputs)
    records.train(licence, leaves=leaves)
    assert len(records.entries) == 2


def test_dirty_or_short_calldata_is_refused(records: Records, licence: int) -> None:
    data = records.contract.data("recordOutputs", licence, records.world.bytes[licence], batch())
    send = records.world.chain.send
    for bad in (data[:-64], data[:4], data[:200], data[:36] + b"\xff" * 32 + data[68:]):
        with pytest.raises(Reverted):
            send(records.contract.address, bad, LICENSEE)
    assert records.entries == []
    send(records.contract.address, data, LICENSEE)
    assert len(records.entries) == 1


# ---- resends and reentrancy


def test_p05_a_root_that_is_sent_again_adds_an_entry_and_nothing_else(records: Records, licence: int) -> None:
    """P-05: records are a set of roots; the entry of a resend says what the first one said."""
    records.outputs(licence)
    first = records.contract.journalHead()
    records.world.chain.move(DAY)
    records.outputs(licence)
    one, other = records.entries
    assert one == other
    assert records.contract.journalHead() not in (first, bytes(32))
    assert records.world.state(licence)["nextPeriod"] == 0


def test_p14_a_token_cannot_record_in_the_middle_of_an_acceptance(records: Records) -> None:
    """P-14: the record would stand in the journals before the acceptance of its licence."""
    world = records.world
    token = world.chain.deploy("ReenteringToken", 6)
    world.fund(token, LICENSEE)
    world.at(START)
    terms = world.terms(token=token.address, upfront_fee=USD, attributor=token.address, scope=SCOPE)
    data = records.contract.data("recordOutputs", 1, terms, batch())
    token.arm(records.contract.address, data, 1, False)
    what = world.what()
    world.licences.offer(terms, what, sender=LICENSOR)
    world.licences.accept(terms, what, b"", NO_PERMIT, sender=LICENSEE)
    assert token.reactions() == 1
    assert not token.lastSuccess()
    assert bytes(token.lastReturned())[:4] == bytes.fromhex("3ee5aeb5"), "ReentrancyGuardReentrantCall"
    assert records.contract.journalHead() == bytes(32)
    assert world.licences.termsHashOf(1) == keccak(terms)
