"""licence-ledger audit: steps with both hashes, what a holder and a licence get to see, duties, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from _liar import Liar
from _scene import ANN, LICENSEE
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from ledger.chain.keys import dev_signer
from ledger.cli import main

SCHEMAS = Path(__file__).parents[2] / "ledger" / "data" / "schemas" / "cli"
HELD = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
REGISTRY = Registry().with_resources((name, Resource.from_contents(held)) for name, held in HELD.items())


def checked(name: str, value: dict) -> dict:
    Draft202012Validator(HELD[f"{name}.json"], registry=REGISTRY).validate(value)
    return value


@pytest.fixture
def audit(scene):
    def go(*arguments: object, rpc: str = "") -> tuple[int, dict]:
        code, envelope = scene.run("audit", "run", *arguments, rpc=rpc)
        checked("envelope", envelope)
        data = envelope["data"] if code == 0 else envelope["error"].get("verdict")
        return code, checked("audit.run", data) if data else envelope["error"]

    return go


def test_an_anchored_audit_passes_with_both_hashes_of_each_step(scene, audit):
    code, verdict = audit("--anchor", scene.anchor(), "--transfers")
    assert (code, verdict["passed"], verdict["anchored"]) == (0, True, True)
    assert verdict["block_hash"] == scene.anchor()
    # The scene's postings name a usage file that nobody has.
    gap = ", NOT COVERED: 1 file is missing"
    assert verdict["verdict"] == f"PASS (anchored at block {verdict['block']}){gap}"
    steps = {one["name"]: one for one in verdict["steps"]}
    for name in ("anchor", "code of Splits", "journal of Licences", "credits", "periods", "disputes"):
        assert steps[name]["status"] == "PASS"
        assert steps[name]["expected"] == steps[name]["found"] != ""
    assert {"conservation", "lines", "transfers", "solvency", "duties"} < set(steps)


def test_without_an_anchor_it_says_so_plainly(scene, audit, capsys):
    code, verdict = audit()
    assert (code, verdict["anchored"]) == (0, False)
    assert verdict["trust"] == "internally consistent only: no anchor was given"
    home = str(scene.folder / "home")
    assert main(["audit", "run", "--rpc", scene.node.url, "--home", home]) == 0
    shown = capsys.readouterr()
    assert "PASS (internally consistent only: no anchor was given)" in shown.out
    assert "NOTE  anchor" in shown.out
    assert "--anchor HASH" in shown.err


def test_a_wrong_anchor_is_refused_before_anything_is_asked(audit):
    for text in ("0x12", "word", "0x" + "66" * 33):
        code, error = audit("--anchor", text)
        assert (code, "no block hash" in error["what"]) == (2, True)


def test_a_lie_ends_with_code_4_and_the_whole_verdict(scene, audit):
    with Liar(scene.node.url) as liar:
        liar.lie = lambda method, params, result: result[:-1] if method == "eth_getLogs" else result
        code, verdict = audit("--anchor", scene.anchor(), rpc=liar.url)
    assert (code, verdict["passed"]) == (4, False)
    assert verdict["findings"]
    assert verdict["verdict"].startswith("FAIL (")


def test_a_node_that_is_gone_ends_with_code_3(scene, audit):
    with Liar(scene.node.url) as liar:
        url = liar.url
    code, _ = audit("--anchor", scene.anchor(), rpc=url)
    assert code == 3


def test_a_holder_sees_each_leaf_and_the_sums_are_those_of_the_contract(scene, audit):
    code, verdict = audit("--anchor", scene.anchor(), "--holder", ANN)
    assert code == 0
    assert "the leaves of" in verdict["scope"]
    for one in verdict["holdings"]:
        assert int(one["entitled"]) == int(one["paid"]) + int(one["owed"])
        assert int(one["entitled"]) == int(one["credited"]) * int(one["units"]) // int(one["total"])
    assert sum(int(one["paid"]) for one in verdict["holdings"]) == scene.dollar.balance(ANN)
    checks = {one["name"] for one in verdict["steps"]}
    assert {"credits", "page slots", "leaf slots", "licence states", "periods"} < checks
    code, nobody = audit("--anchor", scene.anchor(), "--holder", "0x" + "99" * 20)
    assert (code, nobody["holdings"]) == (0, [])


def test_one_licence_is_proved_alone(scene, audit):
    code, verdict = audit("--anchor", scene.anchor(), "--licence", scene.licence)
    assert (code, "licence 1" in verdict["scope"]) == (0, True)
    whole = audit("--anchor", scene.anchor())[1]

    def compared(of: dict, name: str) -> int:
        return next(one["compared"] for one in of["steps"] if one["name"] == name)

    assert 0 < compared(verdict, "periods") < compared(whole, "periods")
    code, error = audit("--anchor", scene.anchor(), "--licence", 99)
    assert (code, error["what"].startswith("There is no licence 99")) == (2, True)


def test_duties_are_named_with_licence_period_and_amount(scene, audit):
    """Facts that the entries prove, not lies: the verdict passes."""
    code, verdict = audit("--anchor", scene.anchor())
    assert code == 0
    found = {(one["kind"], one["licence"], one["period"]) for one in verdict["duties"]}
    assert found == {
        ("late report", scene.licence, 1),
        ("late report", scene.weighted, 1),
        ("late report", scene.licence, 4),
        ("missing report", scene.weighted, 4),
        ("overdue line", scene.licence, 3),
        ("dispute out of time", scene.licence, 1),
        ("objection not decided", scene.weighted, 1),
        ("no distribution posted", scene.weighted, 2),
        ("split differs from manifest", None, None),
    }
    assert {one["who"] for one in verdict["duties"] if one["kind"] == "late report"} == {
        dev_signer(1).address.lower()
    }
    (overdue,) = [one for one in verdict["duties"] if one["kind"] == "overdue line"]
    assert int(overdue["amount"]) == scene.ledger.licences.view("periodOf", scene.licence, 3).open
    code, later = audit("--anchor", scene.anchor(), "--from", "2024-06-01")
    assert {one["kind"] for one in later["duties"]} < {one["kind"] for one in verdict["duties"]}
    code, none = audit("--anchor", scene.anchor(), "--to", "2024-01-01")
    assert none["duties"] == []


def test_a_page_that_is_never_paid_is_named(scene, audit):
    scene.after("2024-12-01")
    scene.rpc.call("anvil_mine", "0x1")
    verdict = audit("--anchor", scene.anchor())[1]
    pages = [one for one in verdict["duties"] if one["kind"] == "page never paid"]
    assert [one["split"] for one in pages] == ["0x" + scene.wide.split.id.hex()]
    book = scene.ledger.splits
    owed = int(pages[0]["amount"])
    from ledger.domain.split_types import Leaf

    leaves = [
        Leaf(scene.wide.split, scene.dollar.address, index, word, scene.wide.leaf_proof(index))
        for index, word in enumerate(scene.wide.page_words(0))
    ]
    assert owed == sum(book.owed(leaves))


def test_it_goes_on_with_what_happens_after(scene, audit):
    """A new anchor proves the blocks since; the old anchor still proves what it proved."""
    old = scene.anchor()
    before = audit("--anchor", old)[1]
    scene.after("2024-07-02")
    scene.do("report", "submit", scene.licence, "100", "--pay", account=LICENSEE)
    after = audit("--anchor", scene.anchor())[1]
    assert after["entries"] > before["entries"]
    assert audit("--anchor", old)[1]["entries"] == before["entries"]
