"""Pages whose evidence or figures were changed: each lie is said plainly, and nothing false is verified (P-14)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import _forge as forge
import pytest
from _stage import BOB

from ledger.domain.journal import event_shapes

_NUMBER = itertools.count()


@pytest.fixture
def told(visit, stage, built) -> Callable:
    """Opens the holder's page after a change, and verifies it: the visit and its verdict."""

    def go(change: Callable[[str], str], anchor: str | None = None, node: str = ""):
        path = built / f"holders/{stage.holder}.html"
        page = path.read_text()
        forged = change(page)
        lying = path.with_name(f"forged-{next(_NUMBER)}.html")
        lying.write_text(forged)
        try:
            seen = visit(lying.as_uri(), origins=[node] if node else ())
            verdict = seen.prove(stage.anchor() if anchor is None else anchor, node)
        finally:
            lying.unlink()
        return seen, verdict

    return go


def unverified(seen) -> None:
    """Nothing on the page is called verified; that is said in words, and with what failed."""
    assert "verified" not in seen.states()
    assert not seen.page.locator(".mark[data-state=verified], td[data-state=verified]").count()
    assert not any(one.startswith("Verified") for one in seen.texts("[data-standing]"))
    assert seen.text("#verdict").startswith("Not verified")
    assert seen.page.locator("#verdict li").count() >= 1
    assert not any("earned" in one for one in seen.texts("#verdict li"))  # nothing is called proved


# ---- anchors


@pytest.mark.parametrize("typed", ["0x" + "12" * 32, "0x1234", "block 60", "0x" + "zz" * 32])
def test_another_hash_verifies_nothing(told, typed):
    seen, verdict = told(lambda page: page, anchor=typed)
    assert verdict == "differs"
    unverified(seen)
    assert any(one.startswith("FAIL anchor") for one in seen.texts("#steps > li")) or "hash" in seen.text(
        "#verdict"
    )


def test_the_hash_of_an_older_block_verifies_nothing_of_this_page(told, stage):
    older = stage.rpc.call("eth_getBlockByNumber", "0x20", False)["hash"]
    seen, verdict = told(lambda page: page, anchor=older)
    assert verdict == "differs"
    unverified(seen)
    assert "another block" in seen.text("#verdict")
    assert older in seen.texts("#steps")[0]


def test_the_page_cannot_choose_the_anchor(told, stage):
    """A page that names a forged hash everywhere is still held against the one that was typed."""
    wrong = "0x" + "34" * 32

    def change(page: str) -> str:
        assert stage.anchor() in page
        page = page.replace(stage.anchor(), wrong)
        return forge.with_bundle(
            page, [{**one, "anchor": wrong} if "anchor" in one else one for one in forge.bundle_of(page)]
        )

    seen, verdict = told(change)
    # The header in the evidence is the true one: what is typed decides, what is written beside it does not.
    if verdict == "verified":
        assert set(seen.states()) == {"verified"}
    else:
        unverified(seen)
    seen, verdict = told(change, anchor=wrong)
    assert verdict == "differs"
    unverified(seen)


# ---- figures


@pytest.mark.parametrize(
    "key", ["/earned", "/paid", "/owed", "credit/", "payout/", "leaf/", "/licence/", "part/"]
)
def test_a_figure_that_is_one_unit_higher(told, key, built, stage):
    page = (built / f"holders/{stage.holder}.html").read_text()
    if key not in page:
        pytest.fail(f"the page has no figure of the kind {key}")
    held = forge.first_figure(page, key)
    seen, verdict = told(lambda page: forge.with_figure(page, key, forge.bumped))
    assert verdict == "differs"
    (wrong,) = [one for one in seen.figures() if one.state == "differs"]
    assert (wrong.key, int(wrong.value)) == (held[2], int(held[1]) + 1)
    assert "does not follow" in wrong.said
    assert held[1] in wrong.said  # and what follows instead
    assert seen.states()["verified"] == len(seen.figures()) - 1
    assert "1 of the figures" in seen.text("#verdict")
    line = seen.page.locator("section:has(data[data-state=differs]) > [data-standing]")
    assert line.count() == 0 or "not follow" in line.first.inner_text()


def shown(text: str) -> Callable[[str], str]:
    """The value is right, what people read is not."""

    def change(page: str) -> str:
        return forge.with_figure(
            page,
            "/owed",
            lambda held: f'<data class="figure" value="{held[1]}" data-proof="{held[2]}">{text}</data>',
        )

    return change


@pytest.mark.parametrize(
    "text",
    [
        "100.000001",
        "1,100.000000",
        "−100.000000",
        "100.0000000",
        "100.00000",
        "",
        "one hundred",
        "100.<i hidden>000000</i>9",
        "100000.000",
        "100,000,000",
        "100.000000 × 2",
        "100.000000k",
        "٩100.000000",
    ],
)
def test_digits_that_are_not_those_of_the_value(told, text):
    seen, verdict = told(shown(text))
    assert verdict == "differs"
    (wrong,) = [one for one in seen.figures() if one.state == "differs"]
    assert wrong.key.endswith("/owed")


@pytest.mark.parametrize("value", ["", "abc", "1e8", "0x5f5e100", "100000000.0", " 100000000", "+100000000"])
def test_values_that_are_no_base_units(told, value):
    def change(page: str) -> str:
        return forge.with_figure(
            page,
            "/owed",
            lambda held: held[0].replace(f'value="{held[1]}"', f'value="{value}"'),
        )

    seen, verdict = told(change)
    assert verdict == "differs"
    assert [one.key.endswith("/owed") for one in seen.figures() if one.state == "differs"] == [True]


@pytest.mark.parametrize(
    "key", ["", "holder", "holder/0x/earned", "__proto__", "constructor", "part/1/2/3/4/5", "toString"]
)
def test_keys_that_nobody_knows_are_not_covered(told, key):
    def change(page: str) -> str:
        return forge.with_figure(
            page, "/owed", lambda held: held[0].replace(f'data-proof="{held[2]}"', f'data-proof="{key}"')
        )

    seen, verdict = told(change)
    (odd,) = [one for one in seen.figures() if one.key == key]
    assert odd.state == "uncovered"
    assert odd.said == "not covered by the proof"
    assert verdict == "verified"
    assert "1 " in seen.text("#verdict")
    assert "not covered" in seen.text("#verdict")


def test_another_holders_money_under_this_holders_name(told, stage, built):
    """Figures of somebody else, who is named nowhere on the page: the verdict names whom it proved, so it shows."""
    theirs = (built / f"holders/{BOB}.html").read_text()

    def change(page: str) -> str:
        head, main = theirs.split("<h1>", 1)
        return head + "<h1>" + main.replace("Bob", "Dee").replace(BOB, stage.holder)

    def kept(page: str) -> str:  # the keys are true, what people read is not
        return forge.with_keys_of(change(page), theirs)

    seen, verdict = told(kept)
    assert verdict == "verified"
    assert BOB in seen.text("#verdict").lower()
    assert stage.holder not in seen.text("#verdict").lower()


# ---- evidence


def bumped_amount(lines: forge.Lines) -> None:
    topic = "0x" + event_shapes("Splits")["Credited"].topic.hex()
    entry = forge.entries(lines, "Splits", topic)[1]
    entry[5] = entry[5][:-64] + f"{int(entry[5][-64:], 16) + 1:064x}"


def without_an_entry(lines: forge.Lines) -> None:
    del lines[next(at for at, one in enumerate(lines) if "entry" in one and one["entry"][0] == "Licences")]


def an_entry_twice(lines: forge.Lines) -> None:
    lines.insert(3, lines[2])


def entries_swapped(lines: forge.Lines) -> None:
    at = [place for place, one in enumerate(lines) if "entry" in one and one["entry"][0] == "Splits"]
    lines[at[1]], lines[at[2]] = lines[at[2]], lines[at[1]]


def another_block_of_an_entry(lines: forge.Lines) -> None:
    lines[1]["entry"][1] += 1


def another_time_of_an_entry(lines: forge.Lines) -> None:
    lines[1]["entry"][2] += 1


def another_caller(lines: forge.Lines) -> None:
    data = lines[1]["entry"][5]
    lines[1]["entry"][5] = data[:26] + "66" * 20 + data[66:]


def an_entry_of_another_contract(lines: forge.Lines) -> None:
    lines[1]["entry"][0] = "Licences"


def a_header_byte(lines: forge.Lines) -> None:
    header = lines[0]["header"]
    lines[0]["header"] = header[:-2] + ("00" if header[-2:] != "00" else "01")


def another_state_root(lines: forge.Lines) -> None:
    header = bytes.fromhex(lines[0]["header"][2:])
    at = header.index(b"\xa0", 100)
    changed = header[: at + 1] + b"\x66" * 32 + header[at + 33 :]
    lines[0]["header"] = "0x" + changed.hex()


def a_node_byte(lines: forge.Lines) -> None:
    node = next(one for one in lines if "node" in one)
    node["node"] = node["node"][:-2] + ("00" if node["node"][-2:] != "00" else "01")


def without_the_nodes(lines: forge.Lines) -> None:
    lines[:] = [one for one in lines if "node" not in one]


def one_node_less(lines: forge.Lines) -> None:
    del lines[next(at for at, one in enumerate(lines) if "node" in one)]
    lines[-1]["end"]["nodes"] -= 1


def units_of_a_payee(lines: forge.Lines) -> None:
    leaf = next(one for one in lines if "leaf" in one)["leaf"]
    leaf["leaf"] = leaf["leaf"][:-2] + "04"


def without_a_leaf(lines: forge.Lines) -> None:
    del lines[next(at for at, one in enumerate(lines) if "leaf" in one)]
    lines[-1]["end"]["leaf"] -= 1


def other_terms(lines: forge.Lines) -> None:
    terms = next(one for one in lines if "terms" in one)["terms"]
    terms[1] = terms[1][:-2] + "01"


def another_chain(lines: forge.Lines) -> None:
    lines[0]["chain_id"] = 1


def another_contract(lines: forge.Lines) -> None:
    lines[0]["contracts"]["Splits"] = "0x" + "66" * 20


def cut_off(lines: forge.Lines) -> None:
    del lines[-3:]


def wrong_counts(lines: forge.Lines) -> None:
    lines[-1]["end"]["entries"] -= 1


def another_version(lines: forge.Lines) -> None:
    lines[0]["version"] = 99


LIES = [
    bumped_amount,
    without_an_entry,
    an_entry_twice,
    entries_swapped,
    another_block_of_an_entry,
    another_time_of_an_entry,
    another_caller,
    an_entry_of_another_contract,
    a_header_byte,
    another_state_root,
    a_node_byte,
    without_the_nodes,
    one_node_less,
    units_of_a_payee,
    without_a_leaf,
    other_terms,
    another_chain,
    another_contract,
    cut_off,
    wrong_counts,
    another_version,
]


@pytest.mark.parametrize("change", LIES, ids=lambda one: one.__name__)
def test_evidence_that_was_changed_verifies_nothing(told, change):
    seen, verdict = told(forge.changed(change))
    assert verdict == "differs"
    unverified(seen)
    assert len(seen.text("#verdict").split()) > 12


def without_evidence(page: str) -> str:
    start = page.index('<script type="application/x-ndjson"')
    return page[:start] + page[page.index("</script>", start) + len("</script>") :]


DAMAGE = {
    "no evidence": without_evidence,
    "nothing in it": lambda page: forge.with_raw(page, ""),
    "no base64": lambda page: forge.with_raw(page, "%%%"),
    "no gzip": lambda page: forge.with_raw(page, "AAAA"),
    "half of it": lambda page: forge.with_raw(page, forge._BUNDLE.search(page)[2][:4000]),
    "no lines": lambda page: forge.with_bundle(page, []),
    "odd lines": lambda page: forge.with_bundle(page, [{"format": 1}, {"entry": None}, {}]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_evidence_that_is_none(told, damage):
    seen, verdict = told(DAMAGE[damage])
    assert verdict == "differs"
    unverified(seen)


def test_a_page_without_evidence_is_proved_by_a_node(told, stage):
    seen, verdict = told(without_evidence, node=stage.node.url)
    assert (verdict, set(seen.states())) == ("verified", {"verified"})


def test_another_holders_evidence(told, built):
    theirs = forge.bundle_of((built / f"holders/{BOB}.html").read_text())
    seen, verdict = told(lambda page: forge.with_bundle(page, theirs))
    if verdict == "verified":  # the entries prove all the same: then every figure follows
        assert set(seen.states()) <= {"verified", "uncovered"}
    else:
        unverified(seen)


def test_a_lie_in_figures_and_evidence_alike(told):
    """A consistent lie: the books are changed and the page with them."""
    lie = forge.changed(bumped_amount)
    seen, verdict = told(lambda page: forge.with_figure(lie(page), "/earned", forge.bumped))
    assert verdict == "differs"
    unverified(seen)
