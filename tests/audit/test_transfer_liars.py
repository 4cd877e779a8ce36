"""Receipts rebuilt to the headers: a node that lies about transfers, and a token that does (P-01, P-12)."""

from __future__ import annotations

import pytest
from _liar import Liar, Refusal

from ledger.audit.engine import run
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.chain.artefacts import load
from ledger.chain.deploy import plan
from ledger.chain.keys import dev_signer
from ledger.chain.requests import Request, fresh_key
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.domain.canonical import keccak256
from ledger.domain.split_types import PagePayout

TRANSFER = keccak256(b"Transfer(address,address,uint256)")


@pytest.fixture
def liar(scene):
    with Liar(scene.node.url) as one:
        yield one


def audit(scene, url, **wanted):
    with Rpc(url, wait=0.001) as rpc:
        anchor = bytes.fromhex(scene.anchor()[2:])
        return run(NodeSource(rpc), plan(), Wanted(anchor=anchor, transfers=True, **wanted))


def test_honest_receipts_are_rebuilt_and_their_transfers_are_what_the_entries_say(scene):
    verdict = audit(scene, scene.node.url)
    assert verdict.passed
    (step,) = [one for one in verdict.steps if one.name == "transfers"]
    assert step.compared > 80  # the wide split's page alone pays 71 payees
    assert "headers linked to the anchor" in step.detail


def block_with_a_payout(scene) -> str:
    topic = scene.ledger.splits.abi.events["PagePaid"].topic
    (first, *_) = scene.rpc.call(
        "eth_getLogs",
        {"fromBlock": "0x0", "topics": ["0x" + topic.hex()], "address": scene.ledger.splits.address},
    )
    return first["blockNumber"]


def without_a_log(receipts):
    receipts[0]["logs"].pop(0)


def with_another_amount(receipts):
    log = next(one for one in receipts[0]["logs"] if one["topics"][0] == "0x" + TRANSFER.hex())
    log["data"] = "0x" + "00" * 31 + "07"


def with_another_recipient(receipts):
    log = next(one for one in receipts[0]["logs"] if one["topics"][0] == "0x" + TRANSFER.hex())
    log["topics"][2] = "0x" + "00" * 12 + "66" * 20


def with_another_order(receipts):
    receipts[0]["logs"].reverse()


def with_another_status(receipts):
    receipts[0]["status"] = "0x0"


def with_another_type(receipts):
    receipts[0]["type"] = "0x1" if receipts[0]["type"] != "0x1" else "0x2"


def with_an_unknown_type(receipts):
    receipts[0]["type"] = "0x5"


def with_other_gas(receipts):
    receipts[0]["cumulativeGasUsed"] = "0x5208"


def without_a_receipt(receipts):
    receipts.pop()


def with_a_receipt_twice(receipts):
    receipts.append(receipts[0])


def with_a_broken_log(receipts):
    receipts[0]["logs"][0]["topics"] = ["0x12"]


@pytest.mark.parametrize(
    "change",
    [
        without_a_log,
        with_another_amount,
        with_another_recipient,
        with_another_order,
        with_another_status,
        with_another_type,
        with_an_unknown_type,
        with_other_gas,
        without_a_receipt,
        with_a_receipt_twice,
        with_a_broken_log,
    ],
)
def test_receipts_that_are_forged(scene, liar, change):
    block = block_with_a_payout(scene)

    def lie(method, params, result):
        if method == "eth_getBlockReceipts" and params[0] == block:
            change(result)
        return result

    liar.lie = lie
    verdict = audit(scene, liar.url)
    (finding,) = verdict.findings
    assert (finding.check, finding.block) == ("receipts", int(block, 16))
    assert [one.name for one in verdict.steps if one.status == "FAIL"] == ["transfers"]


def test_receipts_of_another_block_or_of_none(scene, liar):
    block = block_with_a_payout(scene)
    for other in ("0x1", None):

        def lie(method, params, result, other=other):
            if method == "eth_getBlockReceipts" and params[0] == block:
                return liar.ask(method, other) if other else None
            return result

        liar.lie = lie
        (finding,) = audit(scene, liar.url).findings
        assert (finding.check, finding.block) == ("receipts", int(block, 16))


def test_a_header_on_the_way_to_the_anchor_that_is_forged(scene, liar):
    """With a receipts root to fit forged receipts: the block after it names another hash."""
    block = hex(int(block_with_a_payout(scene), 16) + 2)

    def lie(method, params, result):
        if method == "eth_getBlockByNumber" and params[0] == block:
            result["receiptsRoot"] = "0x" + "66" * 32
        return result

    liar.lie = lie
    verdict = audit(scene, liar.url)
    (finding,) = verdict.findings
    assert (finding.check, finding.block) == ("headers", int(block, 16))
    assert finding.what.count("0x") == 2


def test_a_header_on_the_way_that_is_missing(scene, liar):
    block = block_with_a_payout(scene)

    def lie(method, params, result):
        if method == "eth_getBlockByNumber" and params[0] == block:
            raise Refusal("header not found")
        return result

    liar.lie = lie
    findings = audit(scene, liar.url).findings
    assert [one.check for one in findings] == ["headers"]


def test_a_token_whose_transfer_events_differ_from_its_balances(scene):
    """The token moves the money, but tells of nothing: the entries are right, its events are not."""
    code = load("TestDollar").initcode().replace(TRANSFER, keccak256(b"Nothing()"))
    with Sender(scene.rpc, dev_signer(0), scene.folder / "senders") as sender:
        made = sender.send_one(Request(fresh_key("deploy"), None, code, note="deploy a token that is silent"))
        address = scene.rpc.call("eth_getTransactionReceipt", "0x" + made.hash.hex())["contractAddress"]
        token, splits = scene.ledger.token(address.lower()), scene.ledger.splits
        sender.send_one(token.mint(dev_signer(0).address, 10**9))
        sender.send_one(token.approve(splits.address, 10**9))
        sender.send_one(splits.credit(scene.wide.split.id, token.address, 10**6, occasion="y"))
        words, siblings = scene.wide.page_words(1), scene.wide.page_proof(1)
        page = [PagePayout(1, 0, words, siblings)]
        sender.send_one(splits.pay_pages(scene.wide.split, token.address, page, occasion="y"))
    verdict = audit(scene, scene.node.url)
    assert {one.check for one in verdict.findings} == {"transfers"}
    assert {one.token for one in verdict.findings} == {token.address}
    into = next(one for one in verdict.findings if one.payee is None)
    assert (into.amount, into.split) == (-(10**6), scene.wide.split.id)
    out = [one for one in verdict.findings if one.payee is not None]
    assert len(out) == 71
    assert all(one.entry is not None and one.entry.endswith("PagePaid") for one in out)
    # Its code is none that we know, so its balance is looked for, and proved where it is found.
    (held,) = [one for one in verdict.solvency if one.token == token.address]
    assert (held.proved, held.holds) == (True, True)
    assert "slot 0" in held.source
    (untold,) = [one for one in verdict.steps if one.name == "solvency"]
    assert untold.detail == "2 of 2 balances proved"


def test_a_balance_that_cannot_be_proved_is_labelled(scene, liar):
    """The node says more than the token's storage holds anywhere: it is only stated, not proved."""
    code = load("TestDollar").initcode().replace(TRANSFER, keccak256(b"Nothing()"))
    with Sender(scene.rpc, dev_signer(0), scene.folder / "senders") as sender:
        made = sender.send_one(Request(fresh_key("deploy"), None, code, note="deploy another token"))
        address = scene.rpc.call("eth_getTransactionReceipt", "0x" + made.hash.hex())[
            "contractAddress"
        ].lower()
        token, splits = scene.ledger.token(address), scene.ledger.splits
        sender.send_one(token.mint(dev_signer(0).address, 10**9))
        sender.send_one(token.approve(splits.address, 10**9))
        sender.send_one(splits.credit(scene.wide.split.id, token.address, 10**6, occasion="y"))

    def lie(method, params, result):
        return "0x" + "00" * 31 + "ff" if method == "eth_call" and params[0]["to"] == address else result

    liar.lie = lie
    with Rpc(liar.url) as rpc:
        verdict = run(NodeSource(rpc), plan(), Wanted(anchor=bytes.fromhex(scene.anchor()[2:])))
    (held,) = [one for one in verdict.solvency if one.token == address]
    assert (held.proved, held.source, held.holds) == (False, "stated by the node", False)
    assert [one.check for one in verdict.findings] == ["solvency"]
