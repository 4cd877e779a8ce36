"""Words of storage: every variable of the contracts is proved or excluded by name, every changed one is
found (P-14).
"""

from __future__ import annotations

from itertools import chain

import pytest

from ledger.audit.engine import run
from ledger.audit.history import History
from ledger.audit.layout import layout_of, mapping_slot
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.audit.words import OWN_SLOT, Word, catalogue_words, split_words
from ledger.audit.words_distributions import distribution_words
from ledger.audit.words_licences import licence_words
from ledger.chain.answers import hex_bytes
from ledger.chain.deploy import plan
from ledger.domain.errors import LedgerError

#: What no entry changes: names that only code reads, and ERC-721 approvals, which the journal leaves out.
EXCLUDED = {"_name", "_symbol", "_nameFallback", "_versionFallback", "_tokenApprovals", "_operatorApprovals"}
#: Proved by the step of its own.
HEAD = {"journalHead"}


def words_of(scene) -> list[Word]:
    addresses = scene.ledger.journal_addresses
    history = History(addresses, 31337)
    source = NodeSource(scene.rpc)
    for log in source.logs(list(addresses.values()), 0, int(scene.rpc.call("eth_blockNumber"), 16)):
        history.feed(log)
    history.finish()
    assert history.failure is None
    replay = history.replay
    return list(
        chain(
            split_words(replay.splits, history.own_slots),
            catalogue_words(replay.catalogues),
            licence_words(replay.licences, history.set_off_heads),
            distribution_words(replay.distributions),
        )
    )


@pytest.mark.parametrize("name", ["Splits", "Catalogues", "Licences", "Distributions", "Attributions"])
def test_every_variable_of_the_compiled_contract_is_proved_or_excluded_by_name(name, scene, monkeypatch):
    layout = layout_of(name)
    used = set()
    real = layout._variable
    monkeypatch.setattr(layout, "_variable", lambda label: used.add(label) or real(label))
    layout._nested.cache_clear()
    words_of(scene)
    assert used | EXCLUDED | HEAD >= set(layout._variables)
    assert not used & EXCLUDED
    assert layout.slot("journalHead") == bytes(32)


def test_every_word_is_what_the_contract_holds(scene):
    for word in words_of(scene):
        held = scene.rpc.call(
            "eth_getStorageAt", scene.ledger.addresses[word.contract], "0x" + word.slot.hex(), "latest"
        )
        assert hex_bytes(held).rjust(32, b"\0") == word.expected, word


def audit(scene, **more):
    anchor = bytes.fromhex(scene.anchor()[2:])
    return run(NodeSource(scene.rpc), plan(), Wanted(anchor=anchor, **more))


def test_every_word_that_is_changed_is_found_and_named(scene):
    """P-14: state = f(entries), so any other state has a finding, with the place that differs."""
    words = words_of(scene)
    kinds = {one.check for one in words}
    assert kinds == {
        "publications",
        "credits",
        "page slots",
        "leaf slots",
        "accounts",
        "payees",
        "catalogues",
        "lists of splits",
        "licence states",
        "set-off",
        "periods",
        "disputes",
        "scope counters",
        "offers",
        "distributions",
    }
    # A bit of each word, all in one block: each is named, and nothing else.
    for word in words:
        wrong = int.from_bytes(word.expected, "big") ^ 1 << word.fields[0].shift
        address = scene.ledger.addresses[word.contract]
        scene.rpc.call("anvil_setStorageAt", address, "0x" + word.slot.hex(), f"0x{wrong:064x}")
    scene.rpc.call("anvil_mine", "0x1")
    found = audit(scene).findings
    places = [(one.check, one.where) for one in found if one.check not in ("solvency",)]
    assert sorted(places) == sorted((one.check, one.where) for one in words)
    assert all(one.what for one in found)
    for check in kinds:
        assert any(step.name == check and step.status == "FAIL" for step in audit(scene).steps)


def test_a_single_changed_word_fails_alone(scene):
    word = next(one for one in words_of(scene) if one.check == "credits")
    wrong = int.from_bytes(word.expected, "big") + 1_000_000
    address = scene.ledger.addresses["Splits"]
    scene.rpc.call("anvil_setStorageAt", address, "0x" + word.slot.hex(), f"0x{wrong:064x}")
    scene.rpc.call("anvil_mine", "0x1")
    verdict = audit(scene)
    (finding,) = verdict.findings
    assert (finding.check, finding.amount, finding.split) == ("credits", 1_000_000, word.subject.split)
    (step,) = [one for one in verdict.steps if one.status == "FAIL"]
    assert step.expected != step.found


@pytest.mark.parametrize("check", ["credits", "page slots"])
def test_a_page_that_claims_to_be_paid_names_payee_and_amount(scene, check):
    """Page 0 stands in the word of the sums as long as it has no exception."""
    word = next(
        one
        for one in words_of(scene)
        if one.check == check and int.from_bytes(one.expected, "big") >> 128 not in (0, OWN_SLOT)
    )
    wrong = int.from_bytes(word.expected, "big") + (600 << 128)
    address = scene.ledger.addresses["Splits"]
    scene.rpc.call("anvil_setStorageAt", address, "0x" + word.slot.hex(), f"0x{wrong:064x}")
    scene.rpc.call("anvil_mine", "0x1")
    (finding,) = audit(scene).findings
    assert finding.payee is not None
    assert finding.amount is not None
    assert finding.amount < 0
    assert "less" in finding.what


def test_a_period_that_no_entry_booked_is_found(scene):
    """One past the last is proved absent."""
    period = scene.ledger.licences.state(scene.licence).nextPeriod
    slot = layout_of("Licences").slot("_periods", scene.licence, period)
    address = scene.ledger.addresses["Licences"]
    scene.rpc.call("anvil_setStorageAt", address, "0x" + slot.hex(), f"0x{10**9:064x}")
    scene.rpc.call("anvil_mine", "0x1")
    (finding,) = audit(scene).findings
    assert (finding.check, finding.licence, finding.period) == ("periods", scene.licence, period)


def test_slots_and_packing():
    layout = layout_of("Licences")
    assert mapping_slot(bytes(31) + b"\7", 5) != mapping_slot(bytes(31) + b"\7", 6)
    with pytest.raises(LedgerError, match="no state variable"):
        layout.slot("nowhere")
    with pytest.raises(LedgerError, match="other members"):
        layout.pack("_rare", terminatedAt=1)
    with pytest.raises(LedgerError, match="too large"):
        layout.pack("_rare", terminatedAt=2**40, cureUntil=0, curePeriod=0, setOffHead=0, setOffTail=0)
    with pytest.raises(LedgerError, match="no storage layout"):
        layout_of("Nothing")
