"""An honest page, an honest node: every figure turns from stated to verified, in text and icon (P-14)."""

from __future__ import annotations

import pytest

PLACES = ("holder", "other holder", "index", "licence", "weighted licence", "licence without reports")
VERIFIED = "verified by this browser"


@pytest.fixture
def where(stage, served, built):
    """The address of a page: as it is served, or as a file."""

    def address(place: str, how: str) -> str:
        path = {
            "holder": f"holders/{stage.holder}.html",
            "other holder": "holders/0x2222222222222222222222222222222222222222.html",
            "index": "index.html",
            "licence": f"licences/{stage.licence}.html",
            "weighted licence": f"licences/{stage.weighted}.html",
            "licence without reports": f"licences/{stage.named}.html",
        }[place]
        return served.url + path if how == "served" else (built / path).as_uri()

    return address


@pytest.mark.parametrize("how", ["served", "file"])
@pytest.mark.parametrize("place", PLACES)
def test_every_figure_is_verified(visit, stage, where, place, how):
    seen = visit(where(place, how))
    before = seen.figures()
    assert place == "licence without reports" or len(before) >= 4
    assert {one.state for one in before} <= {""}
    assert not any(VERIFIED in one for one in seen.marks())
    assert seen.page.locator("#prove").is_visible()

    verdict = seen.prove(stage.anchor())

    after = seen.figures()
    assert [(one.key, one.value, one.text) for one in after] == [
        (one.key, one.value, one.text) for one in before
    ]
    assert verdict == "verified", seen.text("#verdict")
    assert [one for one in after if one.state != "verified" or one.said != VERIFIED] == []
    alone = sum(not one.row for one in after)
    rows = seen.page.locator("tr:has([data-row-state]):has(data.figure[data-proof])").count()
    assert seen.marks()[VERIFIED] == alone + rows
    assert "Verified by this browser" in seen.text("#verdict")
    assert str(len(after)) in seen.text("#verdict") or not after
    steps = seen.texts("#steps > li")
    assert len(steps) >= 10
    assert all(one.startswith(("PASS", "NOTE")) for one in steps), steps
    # Both hashes of the first step are the one that was typed.
    assert [one.strip() for one in seen.texts("#steps > li:first-child code")] == [stage.anchor()] * 2


@pytest.mark.parametrize("how", ["served", "file"])
@pytest.mark.parametrize("place", ["holder", "index", "licence"])
def test_the_readers_own_node_says_the_same(visit, stage, where, place, how):
    seen = visit(where(place, how), origins=[stage.node.url])
    assert seen.prove(stage.anchor(), stage.node.url) == "verified", seen.text("#verdict")
    assert set(seen.states()) == {"verified"}
    assert stage.node.url in seen.asked()


def test_without_a_node_nothing_is_asked_of_anybody(visit, stage, served):
    seen = visit(served.holder(stage.holder))
    loaded = len(seen.requests)
    assert seen.prove(stage.anchor()) == "verified"
    assert seen.requests[loaded:] == []


def test_figures_are_those_of_the_command_line(visit, stage, served):
    """What the page proves is what `balance` says of the holder, to the unit."""
    held = stage.do("balance", stage.holder)
    seen = visit(served.holder(stage.holder))
    assert seen.prove(stage.anchor()) == "verified"
    base = f"holder/{stage.holder}/{stage.dollar.address}"
    shown = {one.key: int(one.value) for one in seen.figures() if one.key.startswith(base)}
    owed = shown[f"{base}/owed"]
    assert shown[f"{base}/earned"] == shown[f"{base}/paid"] + owed
    assert str(owed) in str(held), held
    assert owed == 100_000_000


def test_the_hash_that_the_page_names_is_never_taken_for_the_readers(visit, stage, served):
    seen = visit(served.holder(stage.holder))
    assert seen.page.get_attribute("main", "data-block-hash") == stage.anchor()
    assert seen.page.input_value("#anchor") == ""
    assert seen.prove("") == "unanchored"
    assert "without it nothing is proved" in seen.text("#verdict")
    assert set(seen.states()) == {""}
    assert seen.page.evaluate("document.activeElement.id") == "anchor"


def test_a_second_run_replaces_the_first(visit, stage, served):
    seen = visit(served.holder(stage.holder))
    count = len(seen.figures())
    assert seen.prove(stage.anchor()) == "verified"
    assert seen.prove("0x" + "12" * 32) != "verified"
    assert "verified" not in seen.states()
    assert seen.marks()[VERIFIED] == 0
    assert seen.prove(stage.anchor()) == "verified"
    assert seen.states() == {"verified": count}


def test_an_anchor_may_be_typed_in_capitals_and_with_spaces(visit, stage, served):
    seen = visit(served.url)
    assert seen.prove(f"  {stage.anchor().upper().replace('0X', '0x')} ") == "verified"


def test_a_page_of_an_older_block_says_so_before_a_newer_hash(visit, spent, built):
    """The reader's node is ahead of a page that was built earlier: nothing changed since, and both blocks are named."""
    page = (built / f"holders/{spent.holder}.html").as_uri()
    told = spent.rpc.call("eth_blockNumber")
    spent.rpc.call("anvil_mine", "0x2", "0x0")
    seen = visit(page, origins=[spent.node.url])
    assert seen.prove(spent.anchor(), spent.node.url) == "verified"
    assert f"block {int(told, 16)}" in seen.text("#verdict")
    assert f"block {int(told, 16) + 2}" in seen.text("#verdict")
