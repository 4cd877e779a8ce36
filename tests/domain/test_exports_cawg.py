"""CAWG: the assertion has its label, entries and values; and what every standard leaves out is listed in full."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from ledger.domain.exports.cawg import ENTRIES, export_cawg, flaws_of_cawg
from ledger.domain.exports.formats import EXPORTERS
from ledger.domain.exports.subject import DESCRIPTIONS, Granted, Subject, all_paths, leaves
from ledger.domain.terms import TermsDocument, parse_terms

DEALS = Path(__file__).parents[1] / "deals"
NAMES = sorted(path.parent.name for path in DEALS.glob("*/terms.yaml"))
LICENCE = Granted(31337, "0x" + "ab" * 20, 7, "0x" + "cd" * 20)


def document(name: str) -> TermsDocument:
    return parse_terms((DEALS / name / "terms.yaml").read_text())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("granted", [None, LICENCE], ids=["file", "licence"])
def test_every_deal_conforms(name, granted):
    made = export_cawg(Subject(document(name), granted))
    assert flaws_of_cawg(made.data) == []
    assert json.loads(made.text) == made.data


def test_granted_uses_are_constrained_by_the_licence_and_others_not_allowed():
    entries = export_cawg(Subject(document("shutterstock"), LICENCE)).data["data"]["entries"]
    assert set(entries) == set(ENTRIES)
    constrained = {"use": "constrained", "constraint_info": LICENCE.caip19}
    assert entries["cawg.ai_training"] == entries["cawg.ai_generative_training"] == constrained
    assert entries["cawg.ai_inference"] == entries["cawg.data_mining"] == {"use": "notAllowed"}
    offered = export_cawg(Subject(document("shutterstock"))).data["data"]["entries"]
    info = offered["cawg.ai_training"]["constraint_info"]
    assert info == "urn:x-licence-ledger:terms:0x" + document("shutterstock").hash.hex()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one.update(label="c2pa.training-mining"), "no assertion with the label"),
        (lambda one: one.update(more=1), "no assertion with the label"),
        (lambda one: one["data"].pop("entries"), "no map of entries"),
        (lambda one: one["data"].update(other={}), "does not know 'other'"),
        (lambda one: one["data"]["entries"].update({"cawg.eating": {"use": "allowed"}}), "reserved"),
        (lambda one: one["data"]["entries"].update({"Eating": {"use": "allowed"}}), "no label"),
        (lambda one: one["data"]["entries"]["cawg.ai_training"].update(use="forbidden"), "no use among"),
        (lambda one: one["data"]["entries"]["cawg.ai_training"].update(price=1), "does not know 'price'"),
        (lambda one: one["data"]["entries"]["cawg.ai_training"].update(constraint_info=""), "is no text"),
    ],
)
def test_the_rules_refuse_what_the_standard_refuses(change, says):
    assertion = copy.deepcopy(export_cawg(Subject(document("stim"), LICENCE)).data)
    change(assertion)
    assert says in " ".join(flaws_of_cawg(assertion))


def test_entries_of_others_may_stand_beside():
    assertion = copy.deepcopy(export_cawg(Subject(document("stim"))).data)
    assertion["data"]["entries"]["org.example.captioning"] = {"use": "allowed"}
    assert flaws_of_cawg(assertion) == []


# ---- the lists


def test_every_field_of_the_document_has_a_description():
    assert set(all_paths(TermsDocument)) == set(DESCRIPTIONS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format_", ["rsl", "cawg"])
def test_a_change_of_the_terms_shows_in_the_file_or_in_the_list(name, format_):
    """Whatever the document says is either in the export or in the list of what it cannot say."""
    subject = Subject(document(name), LICENCE, 31337)
    made = EXPORTERS[format_](subject)
    listed = {one.field for one in made.unsaid}
    said = {path for path, _ in leaves(subject.document)} - listed
    expected = {
        "rsl": {"scope", "reach.territories.include", "reach.territories.exclude"},
        "cawg": {"scope", "reach.territories.include"},
    }[format_]
    assert said <= expected
    if format_ == "cawg" and "reach.territories.include" in said:
        assert subject.document.reach.territories.include == ["WORLD"]


def test_the_document_itself_is_exported_in_the_form_that_is_hashed():
    held = document("gema")
    made = EXPORTERS["json"](Subject(held, LICENCE))
    assert made.text.encode() == held.canonical() + b"\n"
    assert {one.field for one in made.unsaid} == {"document", "licensee"}
