"""A node that lies about entries, in any way: each lie is found, and its block is named (P-14)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from _court import failed, the_journal_parts_at, topics

from ledger.domain.errors import LedgerError


def test_an_honest_node_passes(court):
    verdict = court.audit(transfers=True)
    assert (verdict.findings, verdict.words) == ([], f"PASS (anchored at block {verdict.block})")
    assert verdict.entries == len(court.logs())
    assert all(one.proved for one in verdict.solvency)
    unanchored = court.audit(anchor=None)
    assert unanchored.words == "PASS (internally consistent only: no anchor was given)"


# ---- entries


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("PagePublished", 0),
        ("Credited", 0),
        ("PagePaid", -1),
        ("Claimed", 0),
        ("CatalogueCreated", 0),
        ("SplitAnnounced", -1),
        ("Accepted", 0),
        ("Booked", 0),
        ("Booked", -1),
        ("NoticeGiven", 0),
    ],
)
def test_an_entry_that_is_hidden(court, name, place):
    log = court.find(name, place)
    court.replace(log)
    the_journal_parts_at(court.audit(), court.names[log["address"]], log["blockNumber"])


def test_an_entry_that_is_told_twice(court):
    log = court.find("Credited")
    court.replace(log, log, log)
    verdict = court.audit()
    the_journal_parts_at(verdict, "Splits", log["blockNumber"])


def test_an_entry_that_is_invented(court):
    """A payment that never was: a credit to a real split, well formed, in a block of its own."""
    last = court.logs()[-1]
    real = court.altered(court.find("Credited"), caller="0x" + "66" * 20, amount=5_000_000)
    number = hex(int(last["blockNumber"], 16) + 1)
    invented = {**real, "blockNumber": number, "logIndex": "0x0"}
    court.replace(last, last, invented)
    verdict = court.audit()
    the_journal_parts_at(verdict, "Splits", number)
    (credit,) = [one for one in verdict.findings if one.check == "credits"]
    assert credit.amount == -5_000_000


def test_a_whole_licence_that_is_hidden(court):
    number = court.scene.weighted.to_bytes(32, "big")
    licences = court.scene.ledger.licences.address
    court.swap_logs(lambda one: () if (one["address"], topics(one)[1:2]) == (licences, (number,)) else (one,))
    assert "journal of Licences" in failed(court.audit())


def test_a_whole_licence_that_is_hidden_from_its_own_audit(court):
    """Whoever asks for the hidden licence alone hears of the journals, and not that there is no such licence."""
    court.swap_logs(lambda one: ())
    verdict = court.audit(licence=court.scene.licence)
    assert {"journal of Splits", "journal of Licences"} <= failed(verdict)
    assert "nothing of licence" in verdict.scope
    court.liar.lie = None
    with pytest.raises(LedgerError, match="There is no licence 99"):
        court.audit(licence=99)


@pytest.mark.parametrize("time", ["-0x5", hex(2**256), hex(2**255), hex(2**63), hex(2**40), "0x1"])
@pytest.mark.parametrize("place", ["all", "last"])
def test_a_time_that_no_block_has(court, time, place):
    """Whatever follows from it, which may fit no word of storage, the journals part and nothing breaks."""
    last = court.logs()[-1]
    key = (last["blockNumber"], last["logIndex"])

    def change(one):
        told = place == "all" or (one["blockNumber"], one["logIndex"]) == key
        return ({**one, "blockTimestamp": time} if told else one,)

    court.swap_logs(change)
    assert {one.check for one in court.audit().findings} & {"journal", "logs"}


def test_a_list_of_entries_that_is_cut(court):
    logs = court.logs()
    cut = logs[len(logs) // 2]
    at = int(cut["blockNumber"], 16)
    court.swap_logs(lambda one: (one,) if int(one["blockNumber"], 16) < at else ())
    verdict = court.audit()
    assert failed(verdict) >= {"journal of Splits", "journal of Licences"}
    assert min(one.block for one in verdict.findings if one.check == "journal") == at


def test_entries_in_another_order_within_a_block(court):
    """Two entries of one contract and one transaction change places."""
    logs = court.logs()
    first, second = next(
        (one, two)
        for one, two in pairwise(logs)
        if (one["address"], one["blockNumber"]) == (two["address"], two["blockNumber"])
    )
    swapped = {
        first["logIndex"]: {**second, "logIndex": first["logIndex"]},
        second["logIndex"]: {**first, "logIndex": second["logIndex"]},
    }
    block = first["blockNumber"]
    court.swap_logs(lambda one: (swapped.get(one["logIndex"], one) if one["blockNumber"] == block else one,))
    the_journal_parts_at(court.audit(), court.names[first["address"]], block)


def test_entries_in_another_order_across_blocks(court):
    """Two reports change places, each with the other's block and time."""
    first, second = court.find("Booked", 0), court.find("Booked", 2)
    here = {key: first[key] for key in ("blockNumber", "blockTimestamp", "logIndex", "blockHash")}
    there = {key: second[key] for key in here}
    moved = {
        (first["blockNumber"], first["logIndex"]): {**second, **here},
        (second["blockNumber"], second["logIndex"]): {**first, **there},
    }
    court.swap_logs(lambda one: (moved.get((one["blockNumber"], one["logIndex"]), one),))
    the_journal_parts_at(court.audit(), "Licences", first["blockNumber"])


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("Credited", {"amount": 1}),
        ("Claimed", {"to": "0x" + "66" * 20}),
        ("Claimed", {"paid": 1}),
        ("PagePaid", {"failed": 1}),
        ("Booked", {"gross": 1}),
        ("Booked", {"line": -1}),
        ("Booked", {"destination": b"\x66" * 32}),
        ("Booked", {"reportHash": b"\x66" * 32}),
        ("Paid", {"principal": 1}),
        ("Paid", {"interest": 1}),
        ("Accepted", {"uri": "https://elsewhere"}),
        ("Accepted", {"fee": 1}),
        ("SplitAnnounced", {"splitId": b"\x66" * 32}),
        ("SplitAnnounced", {"effective": 1}),
        ("CatalogueCreated", {"arbiter": "0x" + "66" * 20}),
        ("StandingAddressSet", {"to": "0x" + "66" * 20}),
        ("NoticeGiven", {"cureUntil": 1}),
        ("Objected", {"deadline": 1}),
        ("Settled", {"accepted": False}),
        ("Posted", {"usageHash": b"\x66" * 32}),
        ("Posted", {"amount": 1}),
        ("Objected", {"bond": 1}),
        ("Objected", {"counterSplit": b"\x66" * 32}),
        ("Settled", {"moved": 1}),
    ],
)
def test_a_value_that_is_altered(court, name, args):
    log = court.find(name, has=args)
    court.replace(log, court.altered(log, **args))
    verdict = court.audit()
    the_journal_parts_at(verdict, court.names[log["address"]], log["blockNumber"])


def test_an_altered_amount_names_licence_split_and_entry(court):
    log = court.find("Paid")
    old = court.entry(log)
    court.replace(log, court.altered(log, principal=old["principal"] + 7))
    verdict = court.audit()
    (finding,) = [one for one in verdict.findings if one.check == "replay"]
    assert (finding.licence, finding.period) == (court.scene.licence, old["period"])
    assert (finding.split, finding.block) == (old["destination"], int(log["blockNumber"], 16))
    assert finding.amount == old["principal"] + 7
    assert finding.entry is not None
    assert finding.entry.startswith("Licences ")
    assert finding.entry.endswith("Paid")


def test_an_altered_payee_names_the_entry(court):
    """A leaf's payee is changed in the publication: the page does not hash to the split's root."""
    log = court.find("PagePublished")
    words = list(court.entry(log)["words"])
    words[0] = b"\x66" * 20 + words[0][20:]
    court.replace(log, court.altered(log, words=tuple(words)))
    verdict = court.audit()
    the_journal_parts_at(verdict, "Splits", log["blockNumber"])
    (finding,) = [one for one in verdict.findings if one.check == "replay"]
    assert finding.entry == "Splits 0 PagePublished"


@pytest.mark.parametrize("name", ["Credited", "Booked", "SplitAnnounced", "Claimed", "Settled"])
def test_a_caller_that_is_altered(court, name):
    log = court.find(name)
    court.replace(log, court.altered(log, caller="0x" + "66" * 20))
    the_journal_parts_at(court.audit(), court.names[log["address"]], log["blockNumber"])


@pytest.mark.parametrize("name", ["Credited", "Booked", "Accepted", "SplitAnnounced"])
def test_a_time_that_is_altered(court, name):
    log = court.find(name)
    court.replace(log, {**log, "blockTimestamp": hex(int(log["blockTimestamp"], 16) + 1)})
    the_journal_parts_at(court.audit(), court.names[log["address"]], log["blockNumber"])


def test_a_block_number_that_is_altered(court):
    log = court.logs()[-1]
    court.replace(log, {**log, "blockNumber": hex(int(log["blockNumber"], 16) + 1)})
    the_journal_parts_at(court.audit(), court.names[log["address"]], log["blockNumber"])


def test_an_id_and_a_kind_that_are_altered(court):
    for name, place, value in (("Credited", 1, "0x" + "66" * 32), ("StandingAddressSet", 0, None)):
        log = court.find(name)
        kinds = list(log["topics"])
        kinds[place] = value or court.find("ClaimNonceUsed")["topics"][0]
        court.replace(log, {**log, "topics": kinds})
        the_journal_parts_at(court.audit(), "Splits", log["blockNumber"])


def test_an_event_of_another_contract_that_is_passed_off_as_ours(court):
    log = court.find("Credited")
    court.replace(log, log, {**court.find("Booked"), "address": "0x" + "66" * 20})
    assert court.audit().passed  # it counts for nothing
    court.replace(log, log, {**log, "address": court.scene.ledger.addresses["Catalogues"]})
    assert court.audit().passed  # nor under another of our addresses
    booked = court.find("Booked")
    court.replace(booked, {**booked, "address": "0x" + "66" * 20})
    the_journal_parts_at(court.audit(), "Licences", booked["blockNumber"])


def test_data_that_make_no_sense(court):
    for changes in ({"data": "0x"}, {"data": "0x1234"}, {"topics": ["0x12"]}):
        log = court.find("Credited")
        court.replace(log, {**log, **changes})
        assert "journal of Splits" in failed(court.audit())
    for changes in ({"data": "zz"}, {"topics": None}, {"blockNumber": None}, {"logIndex": "x"}):
        court.replace(log, {**log, **changes})
        verdict = court.audit()
        assert any(one.check in ("logs", "journal") for one in verdict.findings)
