"""The words of an ODRL export: those of ODRL 2.2 that we use, our own, and the rules that an export keeps to.

ODRL's words are facts of its vocabulary (https://www.w3.org/TR/odrl-vocab/), written down here by name; its context is
named by URL in the export and never copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ledger.domain.exports.subject import URN

ODRL_CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
ODRL = "http://www.w3.org/ns/odrl/2/"
#: Namespace of our own words, and the prefix that the export's own context gives it.
OWN, PREFIX = f"{URN}:odrl:1:", "ll"

#: Properties of ODRL 2.2 that we use, and how its context reads their values: an IRI, a word of the vocabulary, as is.
PROPERTIES: dict[str, str] = {
    "profile": "iri",
    "permission": "iri",
    "prohibition": "iri",
    "obligation": "iri",
    "duty": "iri",
    "consequence": "iri",
    "target": "iri",
    "assigner": "iri",
    "assignee": "iri",
    "compensatedParty": "iri",
    "informedParty": "iri",
    "constraint": "iri",
    "refinement": "iri",
    "action": "word",
    "operator": "word",
    "leftOperand": "word",
    "rightOperand": "as is",
    "unit": "as is",
}
CLASSES = ("Agreement", "Offer", "AssetCollection")
ACTIONS = ("index", "grantUse", "compensate", "attribute", "delete", "inform", "ensureExclusivity")
LEFT_OPERANDS = ("dateTime", "spatial", "payAmount", "percentage", "timeInterval", "event")
OPERATORS = ("eq", "gt", "gteq", "lt", "lteq", "isAnyOf", "isNoneOf")
_PREFIXES = {"xsd": "http://www.w3.org/2001/XMLSchema#", "dct": "http://purl.org/dc/terms/"}

#: Our own words: what each means. A general processor of ODRL does not know them.
OWN_TERMS: dict[str, str] = {
    "train": "action: to train an AI model on the works",
    "fineTune": "action: to fine-tune a trained model on the works",
    "infer": "action: to run a model that was trained on the works",
    "retrieve": "action: to look works up while a model answers",
    "evaluate": "action: to measure a model by the works",
    "commercialOutput": "action: to use a model's output commercially",
    "distributeWeights": "action: to hand out the weights of a model that was trained on the works",
    "syntheticData": "action: to make training data by a model that was trained on the works",
    "stopTraining": "action: to train no more on the works",
    "stopInference": "action: to run models that were trained on the works no more",
    "retireModel": "action: to take models that were trained on the works out of use",
    "modelName": "left operand: name of the AI model",
    "modelVersion": "left operand: version of the AI model",
    "userClass": "left operand: class of users, in words",
    "netRevenue": "unit of a percentage: gross revenue of a period less the deductions allowed",
    "openAmountPerYear": "unit of a percentage: the amount that is overdue, for each year",
    "endOfLicence": "event: the licence has ended or was terminated",
    "royaltyTiers": "property of a duty: the tiers in order, each with upTo and percent",
    "upTo": "property of a tier: net revenue up to which it holds; the last tier has none",
    "percent": "property of a tier: per cent of the net revenue within it",
    "recoupable": "property of a duty: what is paid is an advance on royalties",
    "exclusiveUses": "property of a duty: the actions granted to nobody else",
    "worksRoot": "property of a target: root of the works manifest",
    "notExpressed": "property of a policy: what ODRL cannot say and the terms do, in words",
}
_OWN_PROPERTIES = frozenset(
    {"royaltyTiers", "upTo", "percent", "recoupable", "exclusiveUses", "worksRoot", "notExpressed"}
)


def own_context() -> dict[str, Any]:
    """The export's own context: one prefix, and the two of our properties that need a type."""
    return {
        PREFIX: OWN,
        f"{PREFIX}:royaltyTiers": {"@container": "@list"},
        f"{PREFIX}:exclusiveUses": {"@type": "@vocab"},
    }


# ---- rules


def flaws_of_odrl(policy: Any) -> list[str]:
    """What is wrong with an export by the ODRL information model 2.2, a sentence each; empty where it conforms.

    Also names every word that neither ODRL's vocabulary nor ours defines.
    """
    if not isinstance(policy, dict):
        return ["It is no JSON object."]
    return [*_policy_flaws(policy), *_word_flaws(policy, "policy")]


def _policy_flaws(policy: dict[str, Any]) -> Iterator[str]:
    if policy.get("@context") != [ODRL_CONTEXT, own_context()]:
        yield "The contexts are not ODRL's and ours."
    if policy.get("@type") not in ("Agreement", "Offer"):
        yield "It is neither an Agreement nor an Offer."
    if not _is_iri(policy.get("uid")):
        yield "The policy has no uid that is an IRI."
    if not _is_iri(policy.get("profile")):
        yield "A policy with words beyond the core names its profile."
    needed = ["assigner", "assignee"] if policy.get("@type") == "Agreement" else ["assigner"]
    rules = [
        (kind, rule) for kind in ("permission", "prohibition", "obligation") for rule in policy.get(kind, [])
    ]
    if not rules:
        yield "A policy has at least one rule."
    for kind, rule in rules:
        needed_here = needed if kind == "obligation" else [*needed, "target"]
        yield from (f"A {kind} has no {one}." for one in needed_here if not rule.get(one))
        yield from _rule_flaws(kind, rule)


def _rule_flaws(kind: str, rule: dict[str, Any]) -> Iterator[str]:
    if "action" not in rule:
        yield f"A {kind} has no action."
    for name in ("constraint", "refinement"):
        for one in rule.get(name, []):
            yield from (
                f"A {name} of a {kind} has no {part}."
                for part in ("leftOperand", "operator", "rightOperand")
                if part not in one
            )
    if isinstance(action := rule.get("action"), dict):
        yield from _rule_flaws(f"action of a {kind}", {"action": "", **action})
    if kind != "permission" and "duty" in rule:
        yield f"A {kind} has no duty."
    for name in ("duty", "consequence"):
        for one in rule.get(name, []):
            if isinstance(one, dict):
                yield from _rule_flaws(name, one)


def _word_flaws(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _word_flaws(one, where)
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        if name == "@context":
            continue
        if not _known_property(name):
            yield f"{where}: no context defines {name}."
        for one in held if isinstance(held, list) else [held]:
            if name == "@type" and "@value" not in value and one not in CLASSES:
                yield f"{where}: {one} is no class of ODRL."
            if name == "@type" and "@value" in value and not _in_prefix(one):
                yield f"{where}: {one} is no datatype."
            if name in _WORDS and isinstance(one, str) and not (one in _WORDS[name] or _own(one)):
                yield f"{where}: {one} is no {name} of ODRL or of ours."
            if PROPERTIES.get(name) == "iri" and isinstance(one, str) and not _is_iri(one):
                yield f"{where}: {name} is no IRI: {one}."
            if isinstance(one, dict) and "@id" in one and set(one) == {"@id"} and not _is_iri(one["@id"]):
                yield f"{where}: {one['@id']} is no IRI."
        yield from _word_flaws(held, name)


_WORDS = {"action": ACTIONS, "leftOperand": LEFT_OPERANDS, "operator": OPERATORS}
_KEYWORDS = frozenset({"@id", "@type", "@value", "@list", "uid"})


def _known_property(name: str) -> bool:
    if name in _KEYWORDS or name in PROPERTIES or name in ("rdf:value", "dct:title", "dct:source"):
        return True
    return name.startswith(f"{PREFIX}:") and name.removeprefix(f"{PREFIX}:") in _OWN_PROPERTIES


def _own(word: str) -> bool:
    return word.startswith(f"{PREFIX}:") and word.removeprefix(f"{PREFIX}:") in OWN_TERMS


def _in_prefix(word: object) -> bool:
    prefix, _, rest = str(word).partition(":")
    return prefix in _PREFIXES and bool(rest)


def _is_iri(text: object) -> bool:
    if not isinstance(text, str):
        return False
    if text.startswith(f"{PREFIX}:"):
        return _own(text)
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", text) is not None
