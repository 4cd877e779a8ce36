"""A node that lies about headers, proofs, code or its head, or that fails: lies are found, failures survived (P-14)."""

from __future__ import annotations

import pytest
from _court import failed, flip, on, proofs
from _liar import Refusal

from ledger.domain.errors import UnreachableError

# ---- headers and anchors


@pytest.mark.parametrize(
    "change",
    [
        {"stateRoot": "0x" + "66" * 32},
        {"timestamp": "0x1"},
        {"receiptsRoot": "0x" + "66" * 32},
        {"number": "0x1"},
        {"parentHash": "0x" + "66" * 32},
        {"extraData": "0x66"},
        {"requestsHash": "0x" + "66" * 32},
    ],
)
def test_a_header_that_is_forged(court, change):
    """The stated hash stays right: it is computed, not read."""
    court.liar.lie = on("eth_getBlockByHash", lambda params, block: {**block, **change})
    verdict = court.audit()
    assert failed(verdict) == {"anchor"}
    (step,) = verdict.steps
    assert (step.expected, step.found != step.expected) == ("0x" + court.anchor.hex(), True)
    assert "forged" in verdict.findings[0].what


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"blockAccessListHash": "0x" + "66" * 32}, "does not know"),
        ({"stateRoot": None}, "lacks fields"),
        ({"stateRoot": "0x66"}, "wrong form"),
        ({"number": 41}, "not hexadecimal"),
    ],
)
def test_a_header_that_is_not_understood(court, change, why):
    court.liar.lie = on("eth_getBlockByHash", lambda params, block: {**block, **change})
    verdict = court.audit()
    assert failed(verdict) == {"anchor"}
    assert why in verdict.findings[0].what


def test_another_block_in_place_of_the_anchor(court):
    older = court.liar.ask("eth_getBlockByNumber", "0x14", False)
    court.liar.lie = on("eth_getBlockByHash", lambda params, block: {**older, "hash": params[0]})
    assert failed(court.audit()) == {"anchor"}


def test_a_head_that_is_stale(court):
    """A node that is behind does not know the anchor. Unanchored the verdict says itself that it proves little."""
    court.liar.lie = on("eth_getBlockByHash", lambda params, block: None)
    verdict = court.audit()
    assert failed(verdict) == {"anchor"}
    assert "behind, or on another chain" in verdict.findings[0].what

    def stale(method, params, result):
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            return court.liar.ask("eth_getBlockByNumber", "0x1e", False)
        return result

    court.liar.lie = stale
    verdict = court.audit(anchor=None)
    assert (verdict.block, verdict.anchored) == (30, False)
    assert "internally consistent only" in verdict.words


def test_an_anchor_that_is_no_block(court):
    assert failed(court.audit(anchor=b"\x66" * 32)) == {"anchor"}


def test_another_chain(court):
    """The chain's id stands in the contracts' code."""
    court.liar.lie = on("eth_chainId", lambda params, result: "0x1")
    verdict = court.audit()
    assert failed(verdict) >= {"code of Splits", "code of Licences"}
    assert "on chain 1" in verdict.findings[0].what


# ---- proofs and code


def test_an_account_proof_that_is_forged(court):
    def changed(params, held):
        held["accountProof"] = [*held["accountProof"][:-1], flip(held["accountProof"][-1])]
        return held

    court.liar.lie = proofs(changed)
    verdict = court.audit()
    assert all(one.check == "proof" for one in verdict.findings)
    assert failed(verdict) >= {"code of Splits", "code of Catalogues", "code of Licences"}


@pytest.mark.parametrize("name", ["Splits", "Catalogues", "Licences"])
def test_the_proof_of_another_account(court, name):
    address = court.scene.ledger.addresses[name]
    other = court.scene.dollar.address

    def changed(params, held):
        if params[0] != address:
            return held
        return {**held, "accountProof": court.liar.ask("eth_getProof", other, [], params[2])["accountProof"]}

    court.liar.lie = proofs(changed)
    assert f"code of {name}" in failed(court.audit())


@pytest.mark.parametrize("how", ["flip", "cut", "repeat", "empty", "other slot", "other block"])
def test_a_storage_proof_that_is_forged(court, how):
    """Of every slot asked for beyond the head: each is named, and counted as not proved."""

    def changed(params, held):
        for place, one in enumerate(held["storageProof"]):
            nodes = one["proof"]
            if params[1][place] == "0x" + "00" * 32:
                continue
            if how == "flip":
                one["proof"] = [flip(nodes[0]), *nodes[1:]]
            elif how == "cut":
                one["proof"] = nodes[:-1]
            elif how == "repeat":
                one["proof"] = [*nodes, nodes[-1]]
            elif how == "empty":
                one["proof"] = []
            elif how == "other slot":
                other = court.liar.ask("eth_getProof", params[0], ["0x" + "00" * 32], params[2])
                one["proof"] = other["storageProof"][0]["proof"]
            else:
                other = court.liar.ask("eth_getProof", params[0], [params[1][place]], "0x14")
                one["proof"] = other["storageProof"][0]["proof"]
        return held

    court.liar.lie = proofs(changed)
    verdict = court.audit()
    assert failed(verdict) >= {"credits", "page slots", "periods", "licence states", "catalogues"}
    assert any(one.check == "proof" and one.licence == 1 for one in verdict.findings)
    assert any(one.check == "proof" and one.split is not None for one in verdict.findings)


def test_a_head_whose_proof_is_of_an_older_block(court):
    def changed(params, held):
        return court.liar.ask("eth_getProof", params[0], params[1], "0x14")

    court.liar.lie = proofs(changed)
    assert all(one.check == "proof" for one in court.audit().findings)


def test_fewer_proofs_than_asked_for(court):
    def changed(params, held):
        if len(params[1]) > 1:
            held["storageProof"] = held["storageProof"][:-1]
        return held

    court.liar.lie = proofs(changed)
    verdict = court.audit()
    assert failed(verdict) == {"storage"}
    assert "other slots" in verdict.findings[0].what


def test_proofs_that_make_no_sense(court):
    for change in ({"storageProof": None}, {"accountProof": ["zz"]}, {"accountProof": []}):
        court.liar.lie = on("eth_getProof", lambda params, held, change=change: {**held, **change})
        assert any(one.check == "proof" for one in court.audit().findings)
    court.liar.lie = on("eth_getProof", lambda params, held: None)
    assert any(one.check == "proof" for one in court.audit().findings)


def test_stated_values_count_for_nothing(court):
    """What a node says beside its proofs (values, hashes, code) is not read."""

    def lie(method, params, result):
        if method == "eth_getProof":
            result = {**result, "codeHash": "0x" + "66" * 32, "storageHash": "0x", "balance": "0x0"}
            result["storageProof"] = [{**one, "value": "0x66"} for one in result["storageProof"]]
        if method == "eth_getCode":
            return "0x66"
        if method == "eth_call":
            return "0x" + "ff" * 32
        return result

    court.liar.lie = lie
    assert court.audit().passed


def test_other_code_at_our_address(court):
    for name in ("Splits", "Catalogues", "Licences"):
        address = court.scene.ledger.addresses[name]
        code = court.scene.rpc.call("eth_getCode", address, "latest")
        court.scene.rpc.call("anvil_setCode", address, code[:-2] + "66")
        court.scene.rpc.call("anvil_mine", "0x1")
        verdict = court.audit(anchor=bytes.fromhex(court.scene.anchor()[2:]))
        (step,) = [one for one in verdict.steps if one.name == f"code of {name}"]
        assert step.status == "FAIL"
        assert step.expected != step.found
        court.scene.rpc.call("anvil_setCode", address, code)


def test_no_code_at_our_address(court):
    address = court.scene.ledger.addresses["Splits"]
    court.scene.rpc.call("anvil_setCode", address, "0x")
    court.scene.rpc.call("anvil_mine", "0x1")
    verdict = court.audit(anchor=bytes.fromhex(court.scene.anchor()[2:]))
    assert "there is no code" in next(one.what for one in verdict.findings if one.check == "code")


def test_money_that_is_gone_from_splits(court):
    """P-01: the token's own storage is proved, whatever the node says of the balance."""
    from ledger.audit.layout import layout_of

    slot = layout_of("TestDollar").slot("_balances", court.scene.ledger.addresses["Splits"])
    court.scene.rpc.call(
        "anvil_setStorageAt", court.scene.dollar.address, "0x" + slot.hex(), "0x" + "00" * 32
    )
    court.scene.rpc.call("anvil_mine", "0x1")
    court.liar.lie = on("eth_call", lambda params, result: "0x" + "11" * 32)
    verdict = court.audit(anchor=bytes.fromhex(court.scene.anchor()[2:]))
    (finding,) = verdict.findings
    assert (finding.check, finding.token) == ("solvency", court.scene.dollar.address)
    assert finding.amount == verdict.solvency[0].owed
    assert verdict.solvency[0].proved


# ---- failures that are no lies


@pytest.mark.parametrize("fault", ["busy", "drop", "half", "torn", "packed"])
def test_a_node_that_fails_now_and_then_is_survived(court, fault):
    court.rpc.chain_id  # noqa: B018 - asked before the faults begin
    court.liar.faults = [fault, fault, "", fault, "", "", fault, "", fault]
    assert court.audit(transfers=True).passed
    assert not court.liar.faults


@pytest.mark.parametrize("fault", ["half", "torn", "packed"])
def test_a_node_that_always_fails_is_unreachable(court, fault):
    court.rpc.chain_id  # noqa: B018
    court.liar.faults = [fault] * 100
    with pytest.raises(UnreachableError):
        court.audit()


@pytest.mark.parametrize("method", ["eth_getBlockByHash", "eth_getLogs"])
def test_a_node_that_refuses_what_an_audit_needs_is_as_good_as_gone(court, method):
    def lie(called, params, result):
        if called == method:
            raise Refusal("the method does not exist", -32601)
        return result

    court.liar.lie = lie
    with pytest.raises(UnreachableError, match=method):
        court.audit()


def test_a_node_that_answers_with_something_else_is_unreachable(court):
    court.rpc.chain_id  # noqa: B018
    court.liar.faults = ["garbage"]
    with pytest.raises(UnreachableError):
        court.audit()


def test_narrow_limits_of_a_node_are_survived(court):
    def lie(method, params, result):
        if method == "eth_getLogs":
            span = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16)
            if span > 5:
                raise Refusal("query exceeds the range of 5 blocks")
        if method == "eth_getProof" and len(params[1]) > 7:
            raise Refusal("too many keys")
        if method == "eth_getBlockReceipts":
            raise Refusal("method not found", -32601)
        return result

    court.liar.lie = lie
    assert court.audit(transfers=True).passed


def test_a_node_without_old_states_still_has_its_lies_found(court):
    """Only the block of the lie is not named then."""
    log = court.find("Credited")

    def lie(method, params, result):
        if method == "eth_getStorageAt":
            raise Refusal("missing trie node")
        if method == "eth_getLogs":
            return [one for one in result if one["logIndex"] != log["logIndex"] or one["data"] != log["data"]]
        return result

    court.liar.lie = lie
    verdict = court.audit()
    (finding,) = [one for one in verdict.findings if one.check == "journal" and "Splits" in one.where]
    assert finding.block == verdict.block
    assert finding.entry is None


def test_answers_too_large_to_hold_are_asked_for_in_parts(court, monkeypatch):
    monkeypatch.setattr("ledger.chain.rpc.ANSWER_BYTES", 35_000)
    assert court.audit().passed
    asked = court.liar.seen
    assert asked.count("eth_getLogs") > 4
    assert asked.count("eth_getProof") > 10


def test_entries_beyond_the_anchor_count_for_nothing(court):
    """A node that sends more than it was asked for."""
    older = court.liar.ask("eth_getBlockByNumber", "0x1e", False)

    def lie(method, params, result):
        if method != "eth_getLogs" or params[0]["toBlock"] != "0x1e":
            return result
        first = int(params[0]["fromBlock"], 16)
        return [one for one in court.logs() if int(one["blockNumber"], 16) >= first]

    court.liar.lie = lie
    verdict = court.audit(anchor=bytes.fromhex(older["hash"][2:]))
    assert (verdict.findings, verdict.block) == ([], 30)
    assert verdict.entries < len(court.logs())


def test_a_node_without_proofs_is_named(court):
    def lie(method, params, result):
        if method == "eth_getProof":
            raise Refusal("method not found", -32601)
        return result

    court.liar.lie = lie
    verdict = court.audit()
    assert "gives no proof" in verdict.findings[0].what
