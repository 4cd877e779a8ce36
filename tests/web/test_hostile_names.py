"""Names come from anybody: whatever stands in a manifest, a licence, a report or a token, it is shown, never obeyed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from _html import all_of, text_of, tree
from _scene import LICENSEE, LICENSOR

from ledger.domain.text import clean
from ledger.web import render
from ledger.web.figures import Figure
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "</title></script></textarea><!--",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;amp; &#106;avascript",
    "evil\u202egnp.exe\u2066\u2069\u200f",
    "a\u0000b\u0007c\u001b[31m\u009b",
    "\ud7a3\ufeff\u2028\u2029x",
    "=HYPERLINK(1)",
    "data:text/html,<script>alert(1)</script>",
)
STEERING = "\u202e\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u0000\u0007\u001b\u009b\ufeff"


def check(body: bytes) -> str:
    """Nothing in a page runs, points elsewhere, or steers the text; returns its text."""
    page = body.decode("utf-8")
    assert not [one for one in STEERING if one in page]
    root = tree(body)
    for one in root.iter():
        assert not [name for name in one.attrib if name.startswith("on") or name in ("style", "srcdoc")]
        for name in ("href", "src", "xlink:href", "action"):
            value = one.get(name)
            assert value is None or value == "data:," or ":" not in value
    assert len(list(all_of(root, "img"))) == 0
    assert len(list(all_of(root, "script"))) <= 2
    assert "49" not in text_of(next(all_of(root, "h1")))
    return text_of(root)


@pytest.fixture
def hostile(scene, tmp_path):
    """A catalogue and licences with such names wherever the readers of files let them in; the number of licences."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("work", "title", "holder", "payee", "share", "right", "isrc"))
    for number, name in enumerate(NAMES):
        plain = "".join(one for one in name if clean(one) == one and one.isprintable())
        payee = f"0x{0xE100 + number:040x}"
        writer.writerow((f"w{number} {plain}", f"t {plain}", f"h {plain}", payee, "1000000", "recording", ""))
    path = tmp_path / "hostile.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    made = scene.do("catalogue", "create", path, "--title", NAMES[0], account=LICENSOR)
    licence = 0
    for number, name in enumerate(NAMES[:3]):
        terms = scene._terms(
            made,
            title=name,
            model={"name": NAMES[1], "version": NAMES[3]},
            scope=["TRAIN", "INFER", "FINE_TUNE"][number : number + 1],
            control={"cure_days": 30, "governing_law": name},
        )
        offer = tmp_path / f"offer{number}.json"
        scene.do("licence", "offer", terms, "--out", offer, account=LICENSOR)
        licence = scene.do("licence", "accept", offer, account=LICENSEE)["licence"]
    scene.after("2024-08-03")
    scene.do("report", "submit", licence, "1500", "--pay", account=LICENSEE)
    return licence


def test_no_name_of_a_manifest_or_a_licence_runs_or_steers_a_page(hostile, session):
    snapshot = Snapshot(session)
    # What no reader of files lets in, another writer may have put there.
    for number, name in enumerate(NAMES):
        snapshot.facts.names[f"0x{0xE100 + number:040x}"] = f"h {name}"
    for number in range(1, hostile + 1):
        document = snapshot.facts.document(number)
        snapshot.facts._documents[number] = document.model_copy(
            update={"title": NAMES[number % len(NAMES)] + NAMES[7]}
        )
    for token, currency in snapshot.facts._currencies.items():
        snapshot.facts._currencies[token] = replace(currency, symbol=NAMES[0] + NAMES[7] + NAMES[8])
    site = Site(snapshot)
    seen = ""
    paths = ["index.html", "holders/index.html"]
    paths += [f"licences/{number}.html" for number in range(1, hostile + 1)]
    paths += [f"holders/0x{0xE100 + number:040x}.html" for number in range(len(NAMES))]
    for path in paths:
        seen += check(site.get(path).body)
    for name in NAMES:
        assert " ".join(clean(f"h {name}").split()) in seen, name


def test_no_field_of_a_view_is_put_into_a_page_as_it_is():
    """Every expression of every template is escaped: only plots, made of escaped parts, go in as they are."""
    trusted = []
    environment = render.environment()
    for name in environment.list_templates():
        source = environment.loader.get_source(environment, name)[0]
        trusted += [
            (name, line.strip()) for line in source.splitlines() if "trusted" in line or "|safe" in line
        ]
        assert "autoescape" not in source
    assert [name for name, _ in trusted] == ["holder.html"]
    assert "p.svg|trusted" in trusted[0][1]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_place_of_an_error_page_or_a_title_is_text(name):
    body = render.render("error.html", title=name, text=name, root="", paged=())
    shown = " ".join(clean(name).split())
    assert shown in check(body)
    assert text_of(next(all_of(tree(body), "h1"))) == shown


def test_plots_escape_the_names_of_payees():
    from ledger.report.plots import split_bars
    from ledger.report.statement import Bar, SplitBars

    for name in NAMES:
        svg = split_bars(SplitBars(b"\1" * 32, 10, (1,), (Bar(clean(name), 10, True),)))
        assert "<script" not in svg
        assert "<img" not in svg
        assert "onload=" not in svg or "&lt;svg" in svg or "&#x27;" in svg


def test_a_token_that_calls_itself_a_script_is_text():
    from ledger.report.statement import Currency

    currency = Currency("0x" + "11" * 20, '<script>"', 6)
    shown = (
        render.environment().from_string("{{ f.text }} {{ f.currency.symbol }}").render(f=Figure(5, currency))
    )
    assert shown == "0.000005 &lt;script&gt;&#34;"
