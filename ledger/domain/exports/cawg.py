"""CAWG training and data mining assertion 1.1 (`cawg.training-mining`): what a C2PA manifest says of an asset.

Its entries know four uses and three values; everything else is behind `constraint_info`, which names the licence.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ledger.domain.exports.subject import IN_PART, Export, Subject, Unsaid, unsaid
from ledger.domain.terms_fields import Scope

LABEL = "cawg.training-mining"
ALLOWED, NOT_ALLOWED, CONSTRAINED = "allowed", "notAllowed", "constrained"
#: The pre-defined entries, and which of our uses each stands for.
ENTRIES: dict[str, tuple[Scope, ...]] = {
    "cawg.data_mining": (Scope.INDEX,),
    "cawg.ai_inference": (Scope.INFER, Scope.RETRIEVE),
    "cawg.ai_training": (Scope.TRAIN, Scope.FINE_TUNE),
    "cawg.ai_generative_training": (Scope.TRAIN, Scope.FINE_TUNE),
}


def export_cawg(subject: Subject) -> Export:
    """The terms as the assertion's content, in the JSON form that tools of C2PA take.

    No use is `allowed`: a licence covers one model, so none is without condition.
    """
    document = subject.document
    entries: dict[str, dict[str, str]] = {}
    for entry, uses in ENTRIES.items():
        if set(uses) & set(document.scope):
            entries[entry] = {"use": CONSTRAINED, "constraint_info": subject.uid}
        else:
            entries[entry] = {"use": NOT_ALLOWED}
    data = {"label": LABEL, "data": {"entries": entries}}
    missing = unsaid(document, {"scope"}, _notes(subject))
    return Export("cawg", "application/json", json.dumps(data, indent=2) + "\n", data, missing)


def _notes(subject: Subject) -> list[Unsaid]:
    scope = subject.document.scope
    notes = []
    for entry, uses in ENTRIES.items():
        held = [one for one in uses if one in scope]
        if held and len(held) < len(uses):
            words = " and ".join(one.value for one in held)
            notes.append(Unsaid(f"scope.{entry}", f"that {entry} means {words} alone", IN_PART))
    if {Scope.TRAIN, Scope.FINE_TUNE} & set(scope):
        what = "which kind of model is trained: both entries for training say the same"
        notes.append(Unsaid("scope.cawg.ai_generative_training", what, IN_PART))
    known = {use for uses in ENTRIES.values() for use in uses}
    for one in scope:
        if one not in known:
            word = one.value.lower().replace("_", " ")
            notes.append(Unsaid(f"scope.{one.value}", f"the use {word}"))
    if subject.granted:
        notes.append(Unsaid("licensee", "that the licence is for its holder alone"))
    return notes


def flaws_of_cawg(assertion: Any) -> list[str]:
    """What the assertion's CDDL would refuse, a sentence each; empty where it conforms."""
    if not isinstance(assertion, dict) or set(assertion) != {"label", "data"} or assertion["label"] != LABEL:
        return [f"It is no assertion with the label {LABEL}."]
    data = assertion["data"]
    if not isinstance(data, dict) or not isinstance(data.get("entries"), dict):
        return ["The assertion has no map of entries."]
    flaws = [f"The assertion does not know {name!r}." for name in data if name not in ("entries", "metadata")]
    for name, entry in data["entries"].items():
        if name.startswith("cawg.") and name not in ENTRIES:
            flaws.append(f"{name} is reserved.")
        elif name not in ENTRIES and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9_-]+)+", name):
            flaws.append(f"{name!r} is no label.")
        if not isinstance(entry, dict) or entry.get("use") not in (ALLOWED, NOT_ALLOWED, CONSTRAINED):
            flaws.append(f"{name} has no use among {ALLOWED}, {NOT_ALLOWED}, {CONSTRAINED}.")
            continue
        flaws += [f"{name} does not know {one!r}." for one in entry if one not in ("use", "constraint_info")]
        info = entry.get("constraint_info", "-")
        if not isinstance(info, str) or not info:
            flaws.append(f"The constraint_info of {name} is no text.")
    return flaws
