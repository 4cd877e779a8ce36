"""The pages: well formed, complete without script, right to the unit, usable by keyboard and screen reader."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from _html import HTML, all_of, by_id, text_of, tree
from _scene import ANN

from ledger.chain.keys import dev_signer
from ledger.domain.conservation import conservations
from ledger.operations.balances import shares_of
from ledger.web.pages import Site

KEY = re.compile(
    r"books/T/(credited|paid|owed|residue)|holder/T/T/(earned|paid|owed)|leaf/S/T/\d+/(earned|paid|owed)"
    r"|credit/S/T/\d+/\d+|part/S/T/\d+/\d+/\d+|payout/S/T/\d+/\d+|holder/T/T/licence/\d+(/period/\d+)?/earned"
    r"|booking/\d+/\d+/(gross|base|amount)|licence/\d+/(owed|paid|open|interest)|period/\d+/\d+/(owed|paid|open)"
)
PAGES = ("index.html", "holders/index.html", "licences/1.html", "licences/2.html", "holder", "ann", "wide")


@pytest.fixture
def page(site, played, request):
    """A page by name: its path, and its tree."""

    def open_(name: str):
        payee = {"holder": played.holder, "ann": ANN, "wide": f"0x{7:040x}"}.get(name)
        path = f"holders/{payee}.html" if payee else name
        return path, tree(site.get(path).body)

    return open_


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_well_formed_and_its_structure_is_one_that_a_reader_can_follow(page, name):
    _, root = page(name)
    assert root.get("lang") == "en"
    assert len(list(all_of(root, "h1"))) == len(list(all_of(root, "main"))) == 1
    assert text_of(next(all_of(root, "title")))
    levels = [
        int(one.tag[-1]) for one in root.iter() if re.fullmatch(re.escape(HTML) + "h[1-6]", str(one.tag))
    ]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    for label in all_of(root, "label"):
        assert label.get("for") in ids
    labelled = {one.get("for") for one in all_of(root, "label")}
    assert all(one.get("id") in labelled for one in all_of(root, "input"))
    for table in all_of(root, "table"):
        assert text_of(next(all_of(table, "caption")))
        assert all(one.get("scope") in ("col", "row") for one in all_of(table, "th"))
    for section in all_of(root, "section"):
        assert section.get("aria-labelledby") in ids
    assert by_id(root, "main") is not None
    first = next(all_of(next(all_of(root, "body")), "a"))
    assert (first.get("class"), first.get("href")) == ("skip", "#main")
    for picture in root.iter("{http://www.w3.org/2000/svg}svg"):
        assert picture.get("role") == "img"
        assert text_of(picture.find("{http://www.w3.org/2000/svg}title"))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_in_a_page_runs_or_comes_from_elsewhere(page, name):
    path, root = page(name)
    up = "../" * path.count("/")
    for one in root.iter():
        assert "style" not in one.attrib
        assert not [attribute for attribute in one.attrib if attribute.startswith("on")]
        for attribute in ("src", "href", "action", "formaction", "poster", "data", "srcset"):
            if one.tag != HTML + "data" and (value := one.get(attribute)):
                assert value == "data:," or re.fullmatch(r"(\.\./)*[\w./#-]*", value), value
    scripts = list(all_of(root, "script"))
    running = [one for one in scripts if one.get("type") != "application/x-ndjson"]
    assert [(one.get("src"), one.text) for one in running] == [(f"{up}static/verifier.js", None)]
    assert not list(all_of(root, "style"))
    metas = [one.get("content") for one in all_of(root, "meta") if one.get("http-equiv")]
    assert len(metas) == 1
    assert metas[0].startswith("default-src 'none'; script-src 'self'; style-src 'self';")


def test_every_link_leads_somewhere(site):
    paths = set(site.paths())
    assert len(paths) > 200
    ids: dict[str, set[str]] = {}
    links = []
    for path in sorted(paths):
        if not path.endswith(".html"):
            continue
        root = tree(site.get(path).body)
        ids[path] = {one.get("id") for one in root.iter() if one.get("id")}
        folder = path.rpartition("/")[0]
        for one in root.iter():
            target = one.get("href") or one.get("src")
            if not target or target == "data:,":
                continue
            at, _, anchor = target.partition("#")
            parts = [*folder.split("/"), *at.split("/")] if at else path.split("/")
            resolved: list[str] = []
            for part in parts:
                if part == "..":
                    resolved.pop()
                elif part:
                    resolved.append(part)
            links.append((path, "/".join(resolved), anchor))
    for path, target, anchor in links:
        assert target in paths, (path, target)
        assert not anchor or anchor in ids[target], (path, target, anchor)
    reached = {target for _, target, _ in links}
    assert {f"licences/{number}.html" for number in (1, 2)} <= reached


def test_the_books_are_those_of_the_replay_and_add_up(site, page):
    _, root = page("index.html")
    figures = {
        one.get("data-proof"): int(one.get("value")) for one in all_of(root, "data") if one.get("data-proof")
    }
    sums: dict[str, list[int]] = {}
    for one in conservations(site.snapshot.books.splits):
        held = sums.setdefault(one.token, [0, 0, 0, 0])
        for place, units in enumerate((one.credited, one.paid, one.owed, one.residue)):
            held[place] += units
    assert sums
    for token, four in sums.items():
        told = [figures[f"books/{token}/{what}"] for what in ("credited", "paid", "owed", "residue")]
        assert told == four
        assert told[0] == sum(told[1:])


@pytest.mark.parametrize("name", ["holder", "ann", "wide"])
def test_a_holders_figures_are_those_of_the_books_by_token_licence_period_and_payout(
    site, page, played, name
):
    path, root = page(name)
    payee = path[8:50]
    figures = {
        one.get("data-proof"): int(one.get("value")) for one in all_of(root, "data") if one.get("data-proof")
    }
    snapshot = site.snapshot
    shares = shares_of(snapshot.session, snapshot.books, payee)
    token = played.dollar.address
    earned, paid, owed = (figures[f"holder/{payee}/{token}/{what}"] for what in ("earned", "paid", "owed"))
    assert earned == sum(one.entitled for one in shares)
    assert paid == sum(one.paid for one in shares)
    assert owed == earned - paid
    payouts = [value for key, value in figures.items() if key.startswith("payout/")]
    assert sum(payouts) == paid
    leaves = [value for key, value in figures.items() if key.startswith("leaf/") and key.endswith("/earned")]
    assert sum(leaves) == earned
    parts = [one for one in all_of(root, "details") if one.get("class") == "licence"]
    assert parts
    for part in parts:
        total = next(all_of(next(all_of(part, "summary")), "data"))
        rows = [
            next(all_of(row, "data"))
            for body in all_of(part, "tbody")
            for row in body.findall(HTML + "tr")
            if row.get("class") != "why"
        ]
        assert int(total.get("value")) == sum(int(one.get("value")) for one in rows)
    totals = [next(all_of(next(all_of(part, "summary")), "data")) for part in parts]
    assert sum(int(one.get("value")) for one in totals) == earned


@pytest.mark.parametrize("name", PAGES)
def test_every_key_is_one_of_the_published_grammar(page, name):
    _, root = page(name)
    keys = [one.get("data-proof") for one in all_of(root, "data") if one.get("data-proof")]
    assert keys or name == "holders/index.html"
    for key in keys:
        shape = re.sub(r"0x[0-9a-f]{64}", "S", key)
        assert KEY.fullmatch(re.sub(r"0x[0-9a-f]{40}", "T", shape)), key


def test_a_figure_is_written_as_its_value_says(page, played):
    _, root = page("holder")
    for one in all_of(root, "data"):
        digits = text_of(one).replace(",", "").replace(" ", "")
        assert int(digits.replace(".", "")) == int(one.get("value")), text_of(one)


def test_what_the_claim_button_sends_pays_all_that_is_owed(site, page, scene):
    path, root = page("wide")
    payee = path[8:50]
    button = next(one for one in all_of(root, "button") if one.get("class") == "claim")
    assert button.get("disabled") is not None
    assert button.get("data-to") == scene.ledger.splits.address
    assert int(button.get("data-chain-id")) == scene.rpc.chain_id
    owed = next(
        int(one.get("value"))
        for one in all_of(root, "data")
        if (one.get("data-proof") or "").endswith("/owed")
    )
    assert owed > 0
    before = scene.dollar.balance(payee)
    sent = scene.rpc.call(
        "eth_sendTransaction",
        {
            "from": dev_signer(5).address,
            "to": button.get("data-to"),
            "data": button.get("data-calldata"),
            "gas": hex(500_000),
        },
    )
    assert int(scene.rpc.await_receipt(bytes.fromhex(sent[2:]))["status"], 16) == 1
    assert scene.dollar.balance(payee) - before == owed


def test_nobody_without_something_owed_is_offered_a_claim(site):
    for payee in site.snapshot.holders[:40]:
        root = tree(site.get(f"holders/{payee}.html").body)
        owed = [
            int(one.get("value"))
            for one in all_of(root, "data")
            if (one.get("data-proof") or "").endswith("owed")
        ]
        assert bool([one for one in all_of(root, "button") if one.get("class") == "claim"]) == bool(sum(owed))


def test_a_licences_page_tells_terms_reports_dispute_and_what_is_late(page):
    _, root = page("licences/1.html")
    terms = text_of(by_id(root, "terms"))
    assert "10 % up to 1,000.000000" in terms
    assert "Songs for Muse" in text_of(next(all_of(root, "h1")))
    reports = text_of(by_id(root, "reports"))
    assert "settled after a dispute" in reports
    assert "booked at zero, the report missing" in reports
    assert "disputed until" in reports
    assert "late" in text_of(by_id(root, "period-3"))
    events = text_of(by_id(root, "disputes"))
    assert "The licensee objected to the figures of period 2" in events
    assert "the proposed figures stand" in events


def test_a_holders_page_tells_what_is_late_and_why_each_line_is_what_it_is(page):
    _, root = page("ann")
    late = text_of(by_id(root, "late"))
    assert "pay period 3" in late
    assert "Licence 1" in late
    earned = by_id(root, "earned")
    assert "Tier 1, 10 %" in text_of(earned)
    assert "Your units" in text_of(earned)
    assert all_of(earned, "details")


def test_the_page_is_whole_without_script(page):
    """What needs script is hidden until script shows it; everything else is there."""
    _, root = page("holder")
    assert by_id(root, "verify").get("hidden") is not None
    assert "licence-ledger audit run --holder" in text_of(by_id(root, "prove"))
    assert not list(all_of(root, "noscript"))
    states = {text_of(one) for one in all_of(root, "td") if one.get("data-row-state") is not None}
    assert states == {"stated"}


def test_the_evidence_in_a_page_is_that_of_its_holder_and_block(site, page, played):
    import base64
    import gzip
    import json

    for name, holder in (("holder", played.holder), ("index.html", None), ("licences/1.html", None)):
        _, root = page(name)
        element = by_id(root, "bundle")
        assert element.get("data-form") == "gzip-base64"
        first = json.loads(gzip.decompress(base64.b64decode(element.text)).splitlines()[0])
        assert first["holder"] == holder
        assert first["anchor"] == site.snapshot.block_hash
        main = by_id(root, "main")
        assert main.get("data-block-hash") == site.snapshot.block_hash
        assert main.get("data-holder") == (holder or "")


def test_the_statement_beside_the_page_is_the_one_that_the_command_line_renders(site, played):
    from ledger.operations.session import Session, Settings
    from ledger.operations.statements import compile_statement
    from ledger.report.tables import to_csv, to_json

    with Session(Settings(home=played.folder / "home"), rpc=played.rpc) as opened:
        made = compile_statement(opened, ANN, site.snapshot.period.text)
    assert site.get(f"holders/{ANN}/statement.csv").body == to_csv(made)
    assert site.get(f"holders/{ANN}/statement.json").body == to_json(made)
    assert site.get(f"holders/{ANN}/statement.pdf").body.startswith(b"%PDF")


@pytest.mark.parametrize(
    "path",
    [
        "holders/0x" + "ab" * 20 + ".html",
        "holders/0x" + "AB" * 20 + ".html",
        "licences/99.html",
        "licences/0.html",
        "licences/-1.html",
        "licences/1.html/",
        "static/render.py",
        "static/../render.py",
        "templates/base.html",
        "nothing",
    ],
)
def test_where_nothing_stands_nothing_is_shown(site, path):
    assert site.get(path) is None


def test_only_the_holders_asked_for_have_a_page_and_no_link_leads_to_another(site, played):
    narrow = Site(site.snapshot, only=[ANN], formats=())
    paths = list(narrow.paths())
    assert [one for one in paths if one.startswith("holders/0x")] == [f"holders/{ANN}.html"]
    assert narrow.get(f"holders/{played.holder}.html") is None
    linked = [
        one.get("href").rpartition("/")[2]
        for path in ("index.html", "holders/index.html", "licences/1.html")
        for one in all_of(tree(narrow.get(path).body), "a")
        if "holders/0x" in one.get("href")
    ]
    assert set(linked) == {f"{ANN}.html"}


def test_p16_a_piece_of_a_credit_is_named_by_the_cumulatives_around_it(site, played):
    """P-16: where one transfer paid two reports, each line names its own piece; the pieces and credits sum to what
    was earned, so that the browser proves each line by itself.
    """
    root = tree(site.get(f"holders/{ANN}.html").body)
    keys = {
        one.get("data-proof"): int(one.get("value"))
        for one in all_of(by_id(root, "earned"), "data")
        if (one.get("data-proof") or "").startswith(("credit/", "part/"))
    }
    pieces = [key for key in keys if key.startswith("part/")]
    assert pieces
    for key in pieces:
        _, split, token, index, before, after = key.split("/")
        place = next(
            one
            for one in site.snapshot.places[ANN]
            if (one.split_id.hex(), one.index) == (split[2:], int(index))
        )
        floors = [int(one) * place.units // place.total for one in (before, after)]
        assert keys[key] == floors[1] - floors[0]
        assert token == played.dollar.address
    earned = next(
        int(one.get("value"))
        for one in all_of(root, "data")
        if one.get("data-proof") == f"holder/{ANN}/{played.dollar.address}/earned"
    )
    assert sum(keys.values()) == earned
