"""Every type of page for everybody: it fits, axe finds nothing, it works by keyboard, on paper, without scripts."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from _browser_pages import NAMES, allowed, path_of
from _chromium import NARROW, WIDE, open_visit

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {360: NARROW, 1280: WIDE}


@pytest.fixture
def opened(visit, stage, served):
    """Opens a type of page."""

    def go(name: str, **options):
        return visit(served.url + path_of(name, stage), allow=allowed(name), **options)

    return go


def pictured(seen, folder: Path | None, name: str) -> None:
    """Keeps pictures of the whole page, a window at a time."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    width = seen.page.viewport_size["width"]
    seen.page.set_viewport_size({"width": width, "height": 12_000})  # lays out what is far below
    height = seen.page.evaluate("document.documentElement.scrollHeight")
    for number, top in enumerate(range(0, height, 1_500)):
        clip = {"x": 0, "y": top, "width": width, "height": min(1_500, height - top)}
        seen.page.screenshot(path=folder / f"{name}-{number}.png", clip=clip, full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_fits_its_window_and_axe_finds_nothing(opened, stage, pytestconfig, name, width, scheme):
    # Only here the policy is set aside, so that axe can be put into the page.
    seen = opened(name, viewport=SIZES[width], color_scheme=scheme, bypass_csp=True)
    page = seen.page
    if page.locator("#verify").count():
        assert seen.prove(stage.anchor()) == "verified"
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", background)[:3])) > 3 * 128
    assert light == (scheme == "light"), background
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(found["passes"]) > 5
    faults = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]
    assert faults == []
    pictured(seen, pytestconfig.getoption("--screenshots"), f"{name}-{width}-{scheme}")


@pytest.mark.parametrize("name", ["index", "holder", "licence"])
def test_fits_a_window_when_nothing_is_verified(opened, stage, name):
    """The words of a failure are the longest."""
    seen = opened(name, viewport=NARROW)
    assert seen.prove("0x" + "12" * 32) == "differs"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["index", "holder", "licence"])
def test_text_may_be_twice_as_large(opened, name):
    """WCAG 1.4.4 and 1.4.10: at 400 % of 1280 px nothing is cut off sideways."""
    seen = opened(name, viewport={"width": 320, "height": 256})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", SIZES)
def test_the_largest_amounts_fit_and_are_whole(browser, spent, tmp_path, width):
    """2^127 base units and more, in tables and in large figures."""
    splits, dollar = spent.ledger.splits, spent.dollar
    with spent._sender(0) as sender:
        sender.send_one(dollar.mint(sender.signer.address, 2**127))
        sender.send_one(dollar.approve(splits.address, 2**127))
        sender.send_one(splits.credit(spent.wide.split.id, dollar.address, 2**127 - 10**10, occasion="large"))
    payee = f"0x{199:040x}"
    folder = spent.site(tmp_path / "site", "--holder", payee, "--format", "none")
    for path in ("index.html", "holders/index.html", f"holders/{payee}.html"):
        seen = open_visit(browser, (folder / path).as_uri(), "", viewport=SIZES[width])
        page = seen.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        cut = """[...document.querySelectorAll("data.figure")].filter((one) => {
          const [box, cell] = [one, one.closest("td, dd, p, span")].map((each) => each.getBoundingClientRect());
          return box.width && (box.left < cell.left - 1 || box.right > cell.right + 1);
        }).map((one) => one.textContent)"""
        assert page.evaluate(cut) == [], path
        assert seen.unclean() == []
        seen.context.close()


@pytest.mark.parametrize("width", SIZES)
def test_the_unit_of_a_column_is_seen_once_where_there_are_columns(opened, stage, width):
    table = opened("holder", viewport=SIZES[width]).page.locator("#places table.headed").first
    box = table.locator("thead .unit").first.bounding_box()
    in_head = box is not None and box["x"] >= 0 and table.locator("thead").bounding_box()["height"] > 10
    assert in_head == (width == 1280)
    assert table.locator("tbody .n .unit").first.is_visible() == (width == 360)


# ---- without scripts


@pytest.mark.parametrize("name", NAMES)
def test_all_is_there_without_scripts(opened, name):
    """The same words and figures; nothing that would need a script can be pressed."""
    bare, full = opened(name, java_script_enabled=False), opened(name)
    hidden = "#verify, #verdict, #steps, .claiming, .claim-status"
    for one in (bare, full):
        assert one.page.locator("h1").is_visible()
    figures = bare.texts("data.figure")
    assert figures == full.texts("data.figure")
    assert bare.texts("main h2") == full.texts("main h2")
    shown = bare.page.locator("data.figure:visible").count()
    assert shown == full.page.locator("data.figure:visible").count()
    assert name not in ("index", "holder", "licence") or shown >= 4
    assert bare.page.locator("form:visible, input:visible, select:visible").count() == 0
    assert bare.page.locator("button:visible:enabled").count() == 0
    assert bare.page.locator(hidden).count() == full.page.locator(hidden).count()


def test_details_open_without_scripts(opened):
    seen = opened("holder", java_script_enabled=False)
    why = seen.page.locator("tr.why details").first
    assert not why.locator("dl").first.is_visible()
    why.locator("summary").click()
    assert why.locator("dl").first.is_visible()


# ---- by keyboard


def stops(page, most: int = 400) -> list[dict]:
    """What Tab comes to, in order, until it leaves the page."""
    found: list[dict] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const style = getComputedStyle(one), box = one.getBoundingClientRect();
              return { tag: one.tagName, id: one.id, text: one.textContent.trim().slice(0, 40),
                y: box.y + scrollY, size: box.width * box.height, seen: one.matches(":focus-visible"),
                ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
                  || style.boxShadow !== "none" };
            }"""
        )
        if at is None:
            return found
        found.append(at)
    pytest.fail("Tab never leaves the page")


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("name", ["index", "holder", "licence", "missing"])
def test_tab_goes_through_everything_in_order_and_is_seen(opened, name, width):
    seen = opened(name, viewport=SIZES[width])
    page = seen.page
    operable = page.locator(
        "a[href]:visible, button:visible:enabled, input:visible, summary:visible, select:visible"
    )
    wanted = operable.count()
    found = stops(page)
    assert found[0]["text"].startswith("Skip")
    assert len(found) >= wanted
    unseen = [one for one in found if not (one["ring"] and one["seen"] and one["size"])]
    assert unseen == []
    # Down the page, as it is read: no stop lies far above the one before it.
    for before, after in pairwise(found[1:]):
        assert after["y"] >= before["y"] - 60, (before, after)


def test_the_skip_link_leads_to_the_content(opened):
    seen = opened("holder")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"


def test_verifying_by_keyboard_alone(opened, stage):
    seen = opened("holder")
    page = seen.page
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "anchor":
            break
    page.keyboard.type(stage.anchor())
    page.keyboard.press("Enter")
    page.locator("html[data-verdict=verified]").wait_for(state="attached")
    assert page.locator("#verdict[role=status][aria-live=polite]").count() == 1
    page.locator("tr.why summary").first.focus()
    page.keyboard.press("Space")
    assert page.locator("tr.why details").first.get_attribute("open") is not None


# ---- on paper


@pytest.mark.parametrize("name", ["holder", "licence"])
def test_on_paper_all_is_there_and_nothing_to_press(opened, stage, name, pytestconfig):
    seen = opened(name)
    assert seen.prove(stage.anchor()) == "verified"
    page = seen.page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    for what in ("nav li", ".skip", "#verify", "button.claim"):
        assert page.locator(f"{what}:visible").count() == 0, what
    for what in ("h1", "#verdict", "data.figure"):
        assert page.locator(what).first.is_visible(), what
    # What the way from total to proof rests on is printed, although it is folded on the screen.
    reasons = page.locator("tr.why dl")
    assert reasons.count() > 0
    assert reasons.first.evaluate("(one) => one.getBoundingClientRect().height") > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    folder = pytestconfig.getoption("--screenshots")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.pdf").write_bytes(pdf)
