"""RSL 1.0: exports keep to the element rules, permit nothing that the terms do not, and list what is lost."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from ledger.domain.errors import ValueRefused
from ledger.domain.exports.rsl import export_rsl
from ledger.domain.exports.rsl_rules import NAMESPACE, flaws_of_rsl
from ledger.domain.exports.subject import Granted, Subject
from ledger.domain.terms import TermsDocument, parse_terms

DEALS = Path(__file__).parents[1] / "deals"
NAMES = sorted(path.parent.name for path in DEALS.glob("*/terms.yaml"))
LICENCE = Granted(31337, "0x" + "ab" * 20, 7, "0x" + "cd" * 20)


def document(name: str, *changes: tuple[str, str]) -> TermsDocument:
    text = (DEALS / name / "terms.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_terms(text)


def licence_of(text: str) -> Xml.Element:
    found = Xml.fromstring(text).find(f"{{{NAMESPACE}}}content/{{{NAMESPACE}}}license")
    assert found is not None
    return found


def told(text: str) -> dict[tuple[str, str], str]:
    """(element, type): text, of the licence and its payment."""
    licence = licence_of(text)
    return {
        (one.tag.partition("}")[2], one.get("type", "")): one.text or ""
        for one in licence.iter()
        if one is not licence
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("granted", [None, LICENCE], ids=["file", "licence"])
@pytest.mark.parametrize("currency", ["", "USD"])
def test_every_deal_conforms(name, granted, currency):
    made = export_rsl(Subject(document(name), granted, currency=currency))
    assert flaws_of_rsl(made.text) == []
    assert made.media_type == "application/rsl+xml"


def test_uses_and_places_are_told_and_nothing_more_is_permitted():
    made = told(export_rsl(Subject(document("stim"))).text)
    assert made["permits", "usage"] == "ai-train ai-input"
    assert made["permits", "geo"] == "DK NO SE"
    assert ("prohibits", "usage") not in made
    index = told(export_rsl(Subject(document("comet_plus"))).text)
    assert index["permits", "usage"] == "ai-input ai-index"
    assert ("permits", "geo") not in index  # worldwide


def test_excluded_places_are_prohibited():
    where = ("{include: [DE]}", "{include: [WORLD], exclude: [US, CA]}")
    made = told(export_rsl(Subject(document("gema", where))).text)
    assert made["prohibits", "geo"] == "CA US"
    assert ("permits", "geo") not in made


def test_terms_without_a_use_that_rsl_knows_permit_none():
    # A licence without a list of permitted uses would permit all of them.
    made = export_rsl(Subject(document("gema", ("[TRAIN, INFER, COMMERCIAL_OUTPUT]", "[EVALUATE]"))))
    assert told(made.text)["prohibits", "usage"] == "all"
    assert flaws_of_rsl(made.text) == []
    assert "scope.EVALUATE" in {one.field for one in made.unsaid}


FEE = ('tiers: [{rate_ppm: 300000}]\n  guarantee: "2500"', 'upfront_fee: "99.5"')
FREE = ('  tiers: [{rate_ppm: 300000}]\n  guarantee: "2500"\n', "")
NO_CREDIT = (", attribution: SOURCE_LIST", "")
TRAINED = ("[TRAIN, INFER, COMMERCIAL_OUTPUT]", "[TRAIN]")


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        ("gema", [], "use"),
        ("gema", [TRAINED], "training"),
        ("gema", [FEE], "purchase"),
        ("amazon_nyt", [], "subscription"),
        ("gema", [FREE], "attribution"),
        ("gema", [FREE, NO_CREDIT], "free"),
    ],
)
def test_the_payment_type_follows_from_the_money(name, changes, kind):
    made = export_rsl(Subject(document(name, *changes), terms_url="https://example.com/terms"))
    (payment,) = licence_of(made.text).iter(f"{{{NAMESPACE}}}payment")
    assert payment.get("type") == kind
    assert flaws_of_rsl(made.text) == []
    custom = [one.text for one in payment.iter(f"{{{NAMESPACE}}}custom")]
    assert custom == ([] if kind in ("free", "attribution") else ["https://example.com/terms"])


def test_an_amount_is_told_only_in_a_currency_that_somebody_named():
    fee = document("gema", FEE)
    named = licence_of(export_rsl(Subject(fee, currency="EUR")).text).find(f".//{{{NAMESPACE}}}amount")
    assert named is not None
    assert (named.get("currency"), named.text) == ("EUR", "99.5")
    made = export_rsl(Subject(fee))
    assert licence_of(made.text).find(f".//{{{NAMESPACE}}}amount") is None
    assert any(one.field == "money.upfront_fee" and "99.5 TD" in one.what for one in made.unsaid)
    with pytest.raises(ValueRefused, match="no currency code"):
        export_rsl(Subject(fee, currency="tUSD"))


@pytest.mark.parametrize("place", ["songs", "/a b", "https://", "/a\x01"])
def test_places_that_are_none_are_refused(place):
    for subject in (
        Subject(document("gema"), content_url=place),
        Subject(document("gema"), terms_url=place),
    ):
        with pytest.raises(ValueRefused, match="with these places"):
            export_rsl(subject)
    assert export_rsl(Subject(document("gema"), terms_url="ipfs://terms")).text


def test_a_share_of_revenue_is_never_told_as_an_amount():
    made = export_rsl(Subject(document("gema"), currency="EUR"))
    assert licence_of(made.text).find(f".//{{{NAMESPACE}}}amount") is None
    assert {"money.tiers", "money.guarantee", "money.deduction_cap_ppm"} <= {one.field for one in made.unsaid}


def test_the_licence_is_named_as_proof():
    made = told(export_rsl(Subject(document("gema"), LICENCE)).text)
    assert made["legal", "proof"] == LICENCE.caip19
    assert re.fullmatch(r"eip155:31337/erc721:0x[0-9a-fA-F]{40}/7", LICENCE.caip19)


def test_what_is_lost_stands_in_a_comment_that_no_text_can_break():
    made = export_rsl(Subject(document("gema", ("title: GEMA-style licence", 'title: "a --> <b/> --- &c"'))))
    assert flaws_of_rsl(made.text) == []
    assert "<b/>" not in re.sub(r"<!--.*?-->", "", made.text, flags=re.DOTALL)
    for one in made.unsaid:
        if one.field != "title":
            assert one.what in made.text


GOOD = f"""<rsl xmlns="{NAMESPACE}"><content url="/a"><license><permits type="usage">ai-train search</permits>
<payment type="use"><custom>/terms</custom></payment></license></content></rsl>"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (NAMESPACE, "https://example.com/rsl", "The root is"),
        (' url="/a"', "", "needs the attribute url"),
        ('url="/a"', 'url="songs"', "cannot have url"),
        ('url="/a"', 'url="/a" colour="red"', "does not know the attribute colour"),
        ('url="/a"', 'url="/a" encrypted="TRUE"', "cannot have encrypted"),
        ('url="/a"', 'url="/a" lastmod="yesterday"', "cannot have lastmod"),
        ("ai-train search", "ai-train,search", "does not know 'ai-train,search'"),
        ("ai-train search", "train-ai", "does not know 'train-ai'"),
        ("ai-train search", " ", "cannot hold ''"),
        ('type="usage"', 'type="purpose"', "cannot have type='purpose'"),
        ('type="usage">ai-train search', 'type="geo">UK', "does not know 'UK'"),
        ('type="usage">ai-train search', 'type="user">robots', "does not know 'robots'"),
        ('type="use"', 'type="royalty"', "cannot have type='royalty'"),
        ("<custom>/terms</custom>", "<custom>/a</custom><custom>/b</custom>", "holds 2 of <custom>"),
        ("<custom>/terms</custom>", "<share>10 %</share>", "<share> cannot stand in <payment>"),
        ("<custom>/terms</custom>", "<amount>5</amount>", "needs the attribute currency"),
        ("<custom>/terms</custom>", '<amount currency="USD">5,00</amount>', "<amount> cannot hold"),
        ("<custom>/terms</custom>", "10 %", "<payment> holds text"),
        ("</license>", '<permits type="usage">search</permits></license>', "stands twice"),
        ("</license>", '<legal type="warranty">quality</legal></license>', "does not know 'quality'"),
        ("</license>", "</license><license/><terms>x</terms>", "<terms> cannot hold 'x'"),
        ("</content>", "</content><permit/>", ""),
        ("</rsl>", "", "It is no XML"),
    ],
)
def test_the_rules_refuse_what_the_standard_refuses(old, new, says):
    assert flaws_of_rsl(GOOD) == []
    assert old in GOOD
    flaws = flaws_of_rsl(GOOD.replace(old, new))
    assert flaws
    assert says in " ".join(flaws)


def test_extensions_of_other_namespaces_may_stand_beside_content():
    text = GOOD.replace("</rsl>", '<x:more xmlns:x="https://example.com/x"/></rsl>')
    assert flaws_of_rsl(text) == []
