"""ODRL 2.2: exports are JSON-LD whose every word resolves, with what the information model asks for."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from pyld import jsonld

from ledger.domain.exports.odrl import export_odrl
from ledger.domain.exports.odrl_terms import (
    ACTIONS,
    CLASSES,
    LEFT_OPERANDS,
    ODRL,
    ODRL_CONTEXT,
    OPERATORS,
    OWN,
    OWN_TERMS,
    PROPERTIES,
    flaws_of_odrl,
)
from ledger.domain.exports.subject import Granted, Subject
from ledger.domain.terms import parse_terms
from ledger.domain.terms_fields import Scope

DEALS = Path(__file__).parents[1] / "deals"
NAMES = sorted(path.parent.name for path in DEALS.glob("*/terms.yaml"))
LICENCE = Granted(31337, "0x" + "ab" * 20, 7, "0x" + "cd" * 20)
_TYPES = {"iri": {"@type": "@id"}, "word": {"@type": "@vocab"}, "as is": {}}
#: The part of ODRL's context that we use, written out of the vocabulary: tests ask no network.
CONTEXT = {
    "odrl": ODRL,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "uid": "@id",
    **{one: f"odrl:{one}" for one in (*CLASSES, *ACTIONS, *LEFT_OPERANDS, *OPERATORS)},
    **{one: {"@id": f"odrl:{one}", **_TYPES[kind]} for one, kind in PROPERTIES.items()},
}


def load(url: str, options: object = None) -> dict[str, object]:
    assert url == ODRL_CONTEXT, f"no other context may be asked for: {url}"
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": CONTEXT}}


def policy_of(name: str, granted: Granted | None = LICENCE, *changes: tuple[str, str]) -> dict:
    text = (DEALS / name / "terms.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    made = export_odrl(Subject(parse_terms(text), granted, 31337 if granted else None))
    assert json.loads(made.text) == made.data
    return made.data


def iris(value: object) -> set[str]:
    """Every key and every id of expanded JSON-LD."""
    if isinstance(value, list):
        return set().union(*map(iris, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = {key for key in value if not key.startswith("@")}
    for key in ("@id", "@type"):
        held = value.get(key, [])
        found |= set([held] if isinstance(held, str) else held)
    return found.union(*(iris(one) for one in value.values()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("granted", [None, LICENCE], ids=["offer", "agreement"])
def test_every_deal_is_json_ld_of_which_nothing_is_dropped(name, granted):
    policy = policy_of(name, granted)
    assert flaws_of_odrl(policy) == []
    expanded = jsonld.expand(policy, {"documentLoader": load})
    for one in iris(expanded):
        assert ":" in one, f"{one} does not resolve"
        assert not one.startswith(("ll:", "odrl:", "xsd:", "dct:")), f"{one} does not resolve"
    # A property that no context defines would be dropped in expansion.
    assert count(policy) == count(expanded[0], expanded=True)
    assert jsonld.to_rdf(policy, {"documentLoader": load, "format": "application/n-quads"})


def count(value: object, *, expanded: bool = False) -> int:
    """Properties, however deep; keywords, contexts and names of the expanded form left out."""
    if isinstance(value, list):
        return sum(count(one, expanded=expanded) for one in value)
    if not isinstance(value, dict):
        return 0
    own = [name for name in value if not name.startswith("@") and name != "uid"]
    return len(own) + sum(count(one, expanded=expanded) for name, one in value.items() if name != "@context")


def test_a_licence_is_an_agreement_and_a_document_an_offer():
    agreement, offer = policy_of("stim"), policy_of("stim", None)
    assert (agreement["@type"], agreement["uid"]) == ("Agreement", LICENCE.caip19)
    assert offer["@type"] == "Offer"
    assert offer["uid"].startswith("urn:x-licence-ledger:terms:0x")
    assert all("assignee" not in one for one in offer["permission"])
    assert {one["assignee"] for one in agreement["permission"]} == {"eip155:31337:" + holder()}


def holder() -> str:
    from ledger.domain.address import checksum_address

    return checksum_address(LICENCE.holder)


def test_every_use_is_permitted_or_prohibited_once():
    policy = policy_of("stim")
    permitted = [one["action"] for one in policy["permission"]]
    prohibited = [one["action"] for one in policy["prohibition"]]
    assert permitted == ["ll:train", "ll:infer", "ll:commercialOutput"]
    assert len({*permitted, *prohibited}) == len(permitted) + len(prohibited) == len(Scope)


def test_territory_term_fee_credit_royalty_and_end_are_told():
    policy = policy_of("stim")
    first = policy["permission"][0]
    told = {(one["leftOperand"], one["operator"]): one["rightOperand"] for one in first["constraint"]}
    assert told["spatial", "isAnyOf"] == ["SE", "NO", "DK"]
    assert told["dateTime", "lt"] == {"@value": "2029-01-01T00:00:00Z", "@type": "xsd:dateTime"}
    fee, credit = first["duty"]
    (amount,) = fee["action"]["refinement"]
    assert (amount["leftOperand"], amount["rightOperand"]["@value"]) == ("payAmount", "50000")
    assert amount["unit"]["@id"].startswith("eip155:31337/erc20:0x")
    assert credit["action"] == "attribute"
    assert policy["permission"][1]["duty"] == [fee["uid"], credit["uid"]]
    rules = {one["uid"].partition("#")[2]: one for one in policy["obligation"]}
    assert set(rules) == {"report", "royalty", "stop_training", "stop_inference"}
    (share,) = rules["royalty"]["action"]["refinement"]
    assert (share["leftOperand"], share["rightOperand"]["@value"]) == ("percentage", "10")
    assert rules["royalty"]["consequence"][0]["action"]["refinement"][0]["rightOperand"]["@value"] == "8"


def test_deletion_is_odrls_own_action():
    change = ("control: {cure_days: 30,", "control: {on_termination: [DELETE_DATA], cure_days: 30,")
    rules = policy_of("gema", LICENCE, change)["obligation"]
    assert rules[-1]["action"] == "delete"


def test_tiers_keep_their_order():
    policy = policy_of("kobalt_merlin")
    (royalty,) = (one for one in policy["obligation"] if "ll:royaltyTiers" in one)
    assert [one["ll:percent"]["@value"] for one in royalty["ll:royaltyTiers"]] == ["20", "25"]
    (expanded,) = jsonld.expand(policy, {"documentLoader": load})
    (found,) = (one for one in expanded[ODRL + "obligation"] if f"{OWN}royaltyTiers" in one)
    assert "@list" in found[f"{OWN}royaltyTiers"][0]


def test_exclusivity_binds_the_licensor():
    policy = policy_of("amazon_nyt")
    (rule,) = (one for one in policy["obligation"] if one["action"] == "ensureExclusivity")
    assert rule["assignee"] == policy["permission"][0]["assigner"]
    assert rule["ll:exclusiveUses"] == ["ll:retrieve"]


def test_own_words_are_listed_as_such():
    subject = Subject(parse_terms((DEALS / "stim" / "terms.yaml").read_text()), LICENCE, 31337)
    made = export_odrl(subject)
    how = {one.field: one.how for one in made.unsaid}
    assert how["scope"] == how["model.name"] == "own term"
    assert how["pool.allocation"] == how["control.governing_law"] == "left out"
    assert made.data["ll:notExpressed"] == [str(one) for one in made.unsaid]


def _drop(*path):
    def change(policy):
        for part in path[:-1]:
            policy = policy[part]
        del policy[path[-1]]

    return change


def _put(value, *path):
    def change(policy):
        for part in path[:-1]:
            policy = policy[part]
        policy[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_drop("uid"), "no uid"),
        (_drop("profile"), "names its profile"),
        (_drop("@context"), "contexts"),
        (_put("Licence", "@type"), "neither an Agreement"),
        (_drop("permission", 0, "assigner"), "no assigner"),
        (_drop("permission", 0, "assignee"), "no assignee"),
        (_drop("permission", 0, "target"), "no target"),
        (_drop("permission", 0, "action"), "no action"),
        (_put("train", "permission", 0, "action"), "train is no action"),
        (_put("ll:eat", "permission", 0, "action"), "ll:eat is no action"),
        (_put("near", "permission", 0, "constraint", 0, "operator"), "near is no operator"),
        (_drop("permission", 0, "constraint", 0, "rightOperand"), "no rightOperand"),
        (_put("x", "permission", 0, "colour"), "no context defines colour"),
        (_put("x", "ll:colour"), "no context defines ll:colour"),
        (_put("somebody", "permission", 0, "assigner"), "assigner is no IRI"),
        (_put([], "prohibition", 0, "duty"), "has no duty"),
    ],
)
def test_the_rules_refuse_what_the_model_refuses(change, says):
    policy = copy.deepcopy(policy_of("stim"))
    change(policy)
    assert says in " ".join(flaws_of_odrl(policy))


def test_our_words_stand_in_the_reference():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "exports.md").read_text()
    for word, meaning in OWN_TERMS.items():
        assert f"| `ll:{word}` | {meaning} |" in page
