"""Deterministic deployment, its check of code, the book, and the factory where a chain lacks it."""

from __future__ import annotations

import pytest

from ledger.chain import deploy as deployment
from ledger.chain.artefacts import load, names
from ledger.chain.contracts import Ledger
from ledger.chain.deploy import FACTORY, FACTORY_CODE, check_code, deploy, plan, require_ledger
from ledger.chain.deployments import Deployments
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.sender import Sender
from ledger.domain.errors import LedgerError

TOKENS = ["TestDollar", "BlocklistDollar"]


def test_addresses_are_the_same_on_every_chain_and_need_no_node():
    planned = plan()
    assert list(planned) == [
        "Splits",
        "Catalogues",
        "Licences",
        "LicenceViews",
        "Distributions",
        "Attributions",
    ]
    # github.com/ethereum/EIPs, EIP-1014, example 5
    assert (
        deployment.create2_address(
            bytes.fromhex("deadbeef"),
            bytes(28) + bytes.fromhex("cafebabe"),
            "0x00000000000000000000000000000000deadbeef",
        )
        == "0x60f3f640a8508fc6a86d45df051962668e1e8ac7"
    )


@pytest.mark.parametrize("options", [(), ("--disable-default-create2-deployer",)])
def test_a_fresh_chain_gets_everything_once(tmp_path, options):
    with LocalNode.start(options=options) as node, Sender(node.rpc, dev_signer(3), tmp_path) as sender:
        with pytest.raises(LedgerError, match="not deployed"):
            require_ledger(node.rpc)
        planned, outcomes = deploy(sender, TOKENS)
        assert all(one.good for one in outcomes)
        assert bytes.fromhex(node.rpc.call("eth_getCode", FACTORY, "latest")[2:]) == FACTORY_CODE
        book = Deployments(node.rpc, tmp_path)
        recorded = book.record(planned, outcomes)
        assert set(recorded) == set(planned)
        assert book.first_block() > 0
        nonce = node.rpc.call("eth_getTransactionCount", sender.address, "latest")
        again, nothing = deploy(sender, TOKENS)
        assert nothing == []
        assert book.record(again, nothing) == recorded
        assert node.rpc.call("eth_getTransactionCount", sender.address, "latest") == nonce
        assert Ledger(node.rpc).addresses == {name: one.address for name, one in plan().items()}
    with LocalNode.start(options=options) as node, Sender(node.rpc, dev_signer(7), tmp_path) as sender:
        assert {name: one.address for name, one in deploy(sender, TOKENS)[0].items()} == {
            name: one.address for name, one in planned.items()
        }


def test_a_half_done_deployment_is_finished(tmp_path, monkeypatch):
    with LocalNode.start() as node, Sender(node.rpc, dev_signer(0), tmp_path) as sender:
        first = plan()["Splits"]
        sender.send_all([deployment._request(node.rpc, first)])
        planned, outcomes = deploy(sender)
        assert [one.request.key.split("/")[1] for one in outcomes] == [
            "Catalogues",
            "Licences",
            "LicenceViews",
            "Distributions",
            "Attributions",
        ]
        assert all(check_code(node.rpc, planned).values())


def test_other_code_at_the_address_is_found(rpc):
    planned = plan()
    code = bytearray(bytes.fromhex(rpc.call("eth_getCode", planned["Splits"].address, "latest")[2:]))
    code[1000] ^= 1
    rpc.call("anvil_setCode", planned["Splits"].address, "0x" + code.hex())
    with pytest.raises(LedgerError, match="is not that of Splits"):
        require_ledger(rpc)


def test_immutables_count_as_code(rpc):
    planned = plan()
    one = planned["Catalogues"]
    code = bytearray(bytes.fromhex(rpc.call("eth_getCode", one.address, "latest")[2:]))
    start, length = one.artefact.immutables["splits"][0]
    assert one.artefact.immutable(bytes(code), "splits")[-20:].hex() == planned["Splits"].address[2:]
    code[start + length - 1] ^= 1
    rpc.call("anvil_setCode", one.address, "0x" + code.hex())
    assert one.artefact.matches(bytes(code))
    with pytest.raises(LedgerError, match="is not that of Catalogues"):
        require_ledger(rpc)


def test_test_tokens_stay_on_local_chains(rpc, sender_of, monkeypatch):
    sender = sender_of(0)
    monkeypatch.setitem(rpc.__dict__, "is_local", False)
    with pytest.raises(LedgerError, match="local chain only"):
        deploy(sender, TOKENS)


def test_a_damaged_book_is_told(rpc, tmp_path):
    book = Deployments(rpc, tmp_path)
    assert book.read() == {}
    book.path.parent.mkdir(parents=True)
    book.path.write_text('{"contracts": [{}]}')
    with pytest.raises(LedgerError, match="book of deployments"):
        book.read()


def test_unknown_artefacts_are_told():
    assert {"Splits", "Catalogues", "Licences", "TestDollar"} <= set(names())
    with pytest.raises(LedgerError, match="no contract Nonsense"):
        load("Nonsense")
