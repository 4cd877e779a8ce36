"""verify: an honest chain passes; every kind of figure that is changed, and every log that is lied about, is named."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER
from _lying import LyingNode
from _reporting import after, session_of

from ledger.operations import books, verify
from ledger.operations.verify_figures import figures


@pytest.fixture
def scene(on, node, licence, terms, write, tmp_path, ledger, sender_of):
    """Something of everything: disputes, set-off, an account, offers, passed-over and claimed leaves, a new split."""
    from ledger.domain.merkle_sum import MerkleSumTree

    # A licence whose periods wait in accounts.
    terms["pool"] = {"weighted": True, "distributions": "0x" + "d5" * 20, "allocation": "USAGE"}
    terms["money"] |= {"upfront_fee": "0", "advance": False}
    terms["scope"] = ["EVALUATE"]
    path = tmp_path / "weighted.json"
    made = on("licence", "offer", write(terms), "--out", path, account=LICENSOR, json=True)
    assert made.code == 0, made.error
    weighted = on("licence", "accept", path, account=LICENSEE, json=True).data["licence"]
    del terms["pool"]
    assert on("licence", "offer", write(terms), "--on-chain", account=LICENSOR).code == 0
    after(node, "2024-04-02")
    for number in (licence, weighted):
        for gross in ("1500", "1600", "1700"):
            assert on("report", "submit", number, gross, "--pay", account=LICENSEE).code == 0
    # Settled down: set-off; then an open dispute.
    on("report", "dispute", licence, 2, "1000", account=LICENSEE)
    on("report", "settle", licence, 2, "--accept", account=LICENSOR)
    on("report", "dispute", licence, 1, "1000", account=LICENSEE)
    on("payout", "claim", "0x1111111111111111111111111111111111111111", account=STRANGER)
    after(node, "2024-05-15")
    on("report", "book-missing", licence, account=STRANGER)
    sender = sender_of(0)
    tree = MerkleSumTree.build([(ADDRESS[STRANGER].lower(), 1), ("0x" + "44" * 20, 2)])
    from ledger.domain.split_types import Run

    pages = [Run(0, tree.page_words(0), tree.page_proof(0))]
    sender.send_one(ledger.catalogues.publish_and_announce(1, tree.split, pages))
    sender.send_one(ledger.catalogues.request("offerOwnership", 1, "0x" + "77" * 20, note="hand over"))
    sender.send_one(ledger.splits.set_standing_address("0x" + "88" * 20, occasion="x"))
    sender.send_one(ledger.splits.request("cancelClaimNonce", note="cancel", occasion="x"))
    assert on("licence", "terminate", weighted, account=LICENSOR).code == 0
    return licence


def test_an_honest_chain_passes_and_says_that_no_anchor_was_given(on, scene):
    ran = on("verify", json=True)
    assert (ran.code, ran.data["findings"]) == (0, [])
    assert ran.data["verdict"] == "PASS (internally consistent only: no anchor was given)"
    assert all(one["holds"] for one in [*ran.data["splits"], *ran.data["licences"], *ran.data["solvency"]])
    assert {one["name"] for one in ran.data["checks"]} >= {
        "journal",
        "replay",
        "licence states",
        "periods",
        "disputes",
        "set-off",
        "offers",
        "scope counters",
        "catalogues",
        "lists of splits",
        "publications",
        "credits",
        "page slots",
        "leaf slots",
        "accounts",
        "payees",
        "conservation",
        "lines",
        "solvency",
    }
    assert "internally consistent only" in on("verify").out


def slots_of(rpc, figure) -> list[str]:
    """The storage slots of the contract that a view reads."""
    data = figure.contract.abi.function(figure.function).encode(*figure.arguments)
    held = rpc.call(
        "eth_createAccessList", {"to": figure.contract.address, "data": "0x" + data.hex()}, "latest"
    )
    return [
        key
        for one in held["accessList"]
        if one["address"].lower() == figure.contract.address
        for key in one["storageKeys"]
    ]


def changed(rpc, figure) -> Iterator[tuple[str, str]]:
    """Changes one bit of one slot after the other such that the view answers something else; puts it back."""

    def answer() -> object:
        return figure.contract.views(figure.function, [figure.arguments])[0]

    right = answer()
    for slot in slots_of(rpc, figure):
        word = int(rpc.call("eth_getStorageAt", figure.contract.address, slot, "latest"), 16)
        for bit in range(0, 256, 8):
            rpc.call("anvil_setStorageAt", figure.contract.address, slot, f"0x{word ^ (1 << bit):064x}")
            held = answer()
            if repr(held) != repr(right):
                yield slot, str(bit)
                rpc.call("anvil_setStorageAt", figure.contract.address, slot, f"0x{word:064x}")
                break
            rpc.call("anvil_setStorageAt", figure.contract.address, slot, f"0x{word:064x}")


def test_every_kind_of_figure_that_is_changed_is_found_and_named(node, scene, ledger):
    session = session_of(node.rpc)
    read = books.read(session)
    kinds = {}
    for figure in figures(read, session.ledger):
        kinds.setdefault((figure.check, figure.function), figure)
    tried = set()
    for (check, _), figure in kinds.items():
        for _ in changed(node.rpc, figure):
            found = verify.verify(session).findings
            assert any((one.check, one.where) == (figure.check, figure.where) for one in found), figure
            tried.add(check)
    assert tried == {check for check, _ in kinds}
    assert verify.verify(session).passed


def test_a_changed_page_slot_names_payee_and_amount(node, scene):
    session = session_of(node.rpc)
    read = books.read(session)
    figure = next(
        one
        for one in figures(read, session.ledger)
        if one.check == "page slots" and read.splits.cumulative(one.arguments[0], one.arguments[1])
    )
    slot = slots_of(node.rpc, figure)[0]
    word = int(node.rpc.call("eth_getStorageAt", figure.contract.address, slot, "latest"), 16)
    node.rpc.call("anvil_setStorageAt", figure.contract.address, slot, f"0x{word + (30_000_000 << 128):064x}")
    what = "; ".join(one.what for one in verify.verify(session).findings)
    assert "0x2222222222222222222222222222222222222222" in what
    assert "less" in what


@pytest.mark.parametrize("name", ["Splits", "Catalogues", "Licences"])
def test_a_changed_head_fails_with_both_hashes(on, node, scene, ledger, name):
    node.rpc.call("anvil_setStorageAt", ledger.addresses[name], "0x" + "0" * 64, "0x" + "ab" * 32)
    ran = on("verify", json=True)
    assert ran.code == 4
    (head,) = [one for one in ran.error["verdict"]["heads"] if not one["passed"]]
    assert (head["contract"], head["held"]) == (name, "0x" + "ab" * 32)
    assert head["folded"] != head["held"]
    assert ("FAIL  journal of " + name) in on("verify").out


def test_money_taken_out_of_splits_is_found(on, node, scene, ledger, dollar):
    data = "0x70a08231" + "00" * 12 + ledger.addresses["Splits"][2:]
    held = node.rpc.call("eth_createAccessList", {"to": dollar.address, "data": data}, "latest")
    slot = held["accessList"][0]["storageKeys"][0]
    node.rpc.call("anvil_setStorageAt", dollar.address, slot, "0x" + "00" * 32)
    ran = on("verify", json=True)
    assert (ran.code, ran.error["verdict"]["findings"][0]["check"]) == (4, "solvency")


def test_no_log_can_be_hidden_changed_or_invented(node, scene, ledger):
    session = session_of(node.rpc)
    total = len(books.read(session).events)
    with LyingNode(node.url) as liar:
        from ledger.chain.rpc import Rpc
        from ledger.operations.session import Session

        with Rpc.connect(liar.url) as rpc:
            lied = Session(session.settings, rpc=rpc)
            for lie in ("drop", "change", "repeat"):
                for place in range(0, total, 3):
                    liar.lie = (lie, place)
                    found = verify.verify(lied)
                    assert any(one.check == "journal" for one in found.findings), (lie, place)
            liar.lie = None
            assert verify.verify(lied).passed


def test_a_lie_ends_with_code_4(run, node, scene):
    with LyingNode(node.url) as liar:
        liar.lie = ("drop", 5)
        ran = run("verify", rpc=liar.url, json=True)
        assert (ran.code, ran.error["kind"]) == (4, "VerdictFailed")
        assert json.dumps(ran.error["verdict"]["findings"])
