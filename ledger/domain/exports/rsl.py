"""RSL 1.0 (Really Simple Licensing, RSL-SPEC-1.0): terms as an XML document for crawlers.

RSL speaks of content at a URL, of classes of use and of one payment; a licence with its parties, its term and a share
of revenue is more than that, so the payment names our terms by its `<custom>`.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from ledger.domain.errors import ValueRefused
from ledger.domain.exports.rsl_rules import NAMESPACE, flaws_of_rsl
from ledger.domain.exports.subject import IN_PART, Export, Subject, Unsaid, unsaid
from ledger.domain.money import parse_amount
from ledger.domain.terms_fields import WORLD, AttributionDuty, Scope

#: Our uses in RSL's vocabulary. RSL counts fine-tuning as training, and every input to a model as one use.
USAGE = {
    Scope.TRAIN: "ai-train",
    Scope.FINE_TUNE: "ai-train",
    Scope.INFER: "ai-input",
    Scope.RETRIEVE: "ai-input",
    Scope.INDEX: "ai-index",
}
_ORDER = ("ai-train", "ai-input", "ai-index", "search")
_SHARED = {"ai-train": (Scope.TRAIN, Scope.FINE_TUNE), "ai-input": (Scope.INFER, Scope.RETRIEVE)}


def export_rsl(subject: Subject) -> Export:
    """The terms as RSL 1.0. Raises ValueRefused for a currency that is no ISO 4217 code, and for bad places."""
    if subject.currency and not re.fullmatch(r"[A-Z]{3}", subject.currency):
        raise ValueRefused(
            f"{subject.currency!r} is no currency code.", remedy="Write an ISO 4217 code, such as USD."
        )
    document = subject.document
    said, notes = {"scope"}, list(_scope_notes(document.scope))
    root = Xml.Element("rsl", {"xmlns": NAMESPACE})
    content = Xml.SubElement(root, "content", {"url": subject.content})
    licence = Xml.SubElement(content, "license")
    _uses(licence, document.scope)
    _places(licence, subject, said)
    notes += _payment(licence, subject, said)
    if subject.granted is not None:
        Xml.SubElement(licence, "legal", {"type": "proof"}).text = subject.uid
        notes.append(Unsaid("licensee", "that the licence is for its holder alone"))
    Xml.SubElement(content, "terms").text = subject.terms_place
    missing = unsaid(document, said, notes)
    lines = [f"  {_comment(str(one))}" for one in missing]
    comment = "\n".join([f" {subject.uid}", "What RSL cannot say, and the terms do:", *lines, ""])
    root.insert(0, Xml.Comment(comment))
    Xml.indent(root)
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
    if flaws := flaws_of_rsl(text):
        raise ValueRefused(
            "The terms cannot be written as RSL with these places.",
            why=flaws[0],
            remedy="Give a URL or a path that begins with /: --content-url, --terms-url.",
        )
    return Export("rsl", "application/rsl+xml", text, None, missing)


def _comment(text: str) -> str:
    """Text that may stand in an XML comment: no two hyphens, no control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r"-(?=-)", "- ", plain)


def _uses(licence: Xml.Element, scope: list[Scope]) -> None:
    uses = {USAGE[one] for one in scope if one in USAGE}
    if uses:
        tokens = [one for one in _ORDER if one in uses]
        Xml.SubElement(licence, "permits", {"type": "usage"}).text = " ".join(tokens)
    else:
        # Without a list of permitted uses RSL permits all of them.
        Xml.SubElement(licence, "prohibits", {"type": "usage"}).text = "all"


def _scope_notes(scope: list[Scope]) -> list[Unsaid]:
    notes = []
    for token, ours in _SHARED.items():
        if len(held := [one for one in ours if one in scope]) == 1:
            (other,) = (one for one in ours if one not in held)
            what = f"that {token} means {_word(held[0])} and not {_word(other)}"
            notes.append(Unsaid(f"scope.{held[0].value}", what, IN_PART))
    notes += [Unsaid(f"scope.{one.value}", f"the use {_word(one)}") for one in scope if one not in USAGE]
    return notes


def _word(scope: Scope) -> str:
    return scope.value.lower().replace("_", " ")


def _places(licence: Xml.Element, subject: Subject, said: set[str]) -> None:
    where = subject.document.reach.territories
    said |= {"reach.territories.include", "reach.territories.exclude"}
    if WORLD not in where.include:
        Xml.SubElement(licence, "permits", {"type": "geo"}).text = " ".join(sorted(where.include))
    if where.exclude:
        Xml.SubElement(licence, "prohibits", {"type": "geo"}).text = " ".join(sorted(where.exclude))


def _payment(licence: Xml.Element, subject: Subject, said: set[str]) -> list[Unsaid]:
    document = subject.document
    money, credit = document.money, document.duties.attribution is not AttributionDuty.NONE
    fee, guarantee = (parse_amount(one, money.decimals) for one in (money.upfront_fee, money.guarantee))
    shares = any(tier.rate_ppm for tier in money.tiers)
    amount, notes = "", []
    if shares:
        trained_only = {USAGE.get(one) for one in document.scope} & {"ai-train", "ai-input"} == {"ai-train"}
        kind = "training" if trained_only else "use"
        what = f"a share of revenue: the payment says {kind}, its custom element leads to the terms"
        notes.append(Unsaid("money.tiers", what, IN_PART))
    elif guarantee:
        kind, amount = "subscription", money.guarantee
        notes.append(Unsaid("duties.reporting_period", "which period the subscription is for", IN_PART))
    elif fee:
        kind, amount = "purchase", money.upfront_fee
        said.add("money.upfront_fee")
    elif credit:
        kind = "attribution"
    else:
        kind = "free"
    payment = Xml.SubElement(licence, "payment", {"type": kind})
    if kind == "attribution":
        said.add("duties.attribution")
    if amount and subject.currency:
        Xml.SubElement(payment, "amount", {"currency": subject.currency}).text = amount
        said.add("money.guarantee" if kind == "subscription" else "money.upfront_fee")
    elif amount:
        said.discard("money.upfront_fee")
        notes.append(
            Unsaid(
                "money.guarantee" if kind == "subscription" else "money.upfront_fee",
                f"the amount, {amount} {money.symbol}: RSL takes ISO 4217 currencies, a token is none",
            )
        )
    if kind not in ("free", "attribution"):
        Xml.SubElement(payment, "custom").text = subject.terms_place
    return notes
