"""The element rules of RSL 1.0 (RSL-SPEC-1.0, sections 3.1 to 3.17), as far as a standalone document needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml

from ledger.domain.terms_fields import COUNTRIES

NAMESPACE = "https://rslstandard.org/rsl"
USAGE = ("all", "ai-all", "ai-train", "ai-input", "ai-index", "search")
USER = ("commercial", "non-commercial", "education", "government", "personal")
GEO = frozenset({*COUNTRIES, "EU"})
PAYMENTS = ("purchase", "subscription", "training", "crawl", "use", "contribution", "attribution", "free")
WARRANTY = ("ownership", "authority", "no-infringement", "privacy-consent", "no-malware")
DISCLAIMER = ("as-is", "no-warranty", "no-liability", "no-indemnity")

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_PLACE = re.compile(r"/\S*|[A-Za-z][A-Za-z0-9+.-]*://\S+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DECIMAL = re.compile(r"\d+(\.\d+)?")
_Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One element: children with the least and the most of each (None: any number), attributes, text."""

    children: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    required: dict[str, _Check] = field(default_factory=dict)
    optional: dict[str, _Check] = field(default_factory=dict)
    text: _Check | None = None
    #: Children of this name at most once for each value of their `type`.
    once_a_type: tuple[str, ...] = ()


def _any(text: str) -> bool:
    return bool(text)


def _one_of(*known: str) -> _Check:
    return lambda text: text in known


def _like(pattern: re.Pattern[str]) -> _Check:
    return lambda text: pattern.fullmatch(text) is not None


_RULES: dict[str, _Rule] = {
    "rsl": _Rule({"content": (1, None)}, optional={"max-age": lambda text: text.isdigit() and int(text) > 0}),
    "content": _Rule(
        {
            "license": (1, None),
            "alternate": (0, None),
            "schema": (0, 1),
            "copyright": (0, 1),
            "terms": (0, 1),
        },
        {"url": _like(_PLACE)},
        {"server": _like(_URI), "encrypted": _one_of("true", "false"), "lastmod": _like(_TIME)},
    ),
    "license": _Rule(
        {
            "permits": (0, None),
            "prohibits": (0, None),
            "payment": (0, 1),
            "reporting": (0, None),
            "legal": (0, None),
        },
        once_a_type=("permits", "prohibits", "legal"),
    ),
    "permits": _Rule(required={"type": _one_of("usage", "user", "geo")}, text=_any),
    "prohibits": _Rule(required={"type": _one_of("usage", "user", "geo")}, text=_any),
    "payment": _Rule(
        {"standard": (0, 1), "custom": (0, 1), "amount": (0, 1), "accepts": (0, 1)},
        optional={"type": _one_of(*PAYMENTS)},
    ),
    "standard": _Rule(text=_like(_URI)),
    "custom": _Rule(text=_like(_PLACE)),
    "amount": _Rule(required={"currency": _like(re.compile("[A-Z]{3}"))}, text=_like(_DECIMAL)),
    "accepts": _Rule(required={"type": _any}, text=_any),
    "reporting": _Rule(
        required={"type": _one_of("telemetry", "provenance", "audit"), "profile": _like(_URI)},
        optional={"endpoint": lambda text: text.startswith("https://")},
        text=lambda text: True,
    ),
    "legal": _Rule(
        required={"type": _one_of("warranty", "disclaimer", "attestation", "contact", "proof")}, text=_any
    ),
    "alternate": _Rule(optional={"type": _any}, text=_like(_PLACE)),
    "schema": _Rule(optional={"type": _one_of("application/ld+json")}, text=_any),
    "copyright": _Rule(
        optional={"type": _one_of("person", "organization"), "contactEmail": _any, "contactUrl": _like(_URI)},
        text=_any,
    ),
    "terms": _Rule(text=_like(_PLACE)),
}
_TOKENS: dict[tuple[str, str], _Check] = {
    ("permits", "usage"): _one_of(*USAGE),
    ("permits", "user"): _one_of(*USER),
    ("permits", "geo"): GEO.__contains__,
    ("legal", "warranty"): _one_of(*WARRANTY),
    ("legal", "disclaimer"): _one_of(*DISCLAIMER),
    ("legal", "attestation"): _one_of("true", "false"),
    ("legal", "proof"): _like(_URI),
}
_TOKENS |= {("prohibits", kind): check for (name, kind), check in _TOKENS.items() if name == "permits"}


def flaws_of_rsl(text: str) -> list[str]:
    """What RSL 1.0 would refuse in a standalone document, a sentence each; empty where it conforms."""
    try:
        root = Xml.fromstring(text)
    except Xml.ParseError as error:
        return [f"It is no XML: {error}."]
    if root.tag != f"{{{NAMESPACE}}}rsl":
        return [f"The root is {root.tag}, not rsl of the namespace {NAMESPACE}."]
    return list(_flaws(root))


def _flaws(element: Xml.Element) -> Iterator[str]:
    name = _local(element.tag)
    rule = _RULES[name]
    yield from _attribute_flaws(name, rule, element)
    text = (element.text or "").strip()
    if rule.text is None:
        if text:
            yield f"<{name}> holds text."
    elif not rule.text(text):
        yield f"<{name}> cannot hold {text!r}."
    check = _TOKENS.get((name, element.get("type", "")))
    if check is not None:
        yield from (
            f"<{name} type={element.get('type')!r}> does not know {one!r}."
            for one in text.split()
            if not check(one)
        )
    counts: dict[str, int] = {}
    kinds: set[tuple[str, str]] = set()
    for child in element:
        if name == "rsl" and not str(child.tag).startswith(f"{{{NAMESPACE}}}"):
            continue  # extension elements of other namespaces may stand beside content
        own = _local(child.tag)
        if own not in rule.children:
            yield f"<{own}> cannot stand in <{name}>."
            continue
        counts[own] = counts.get(own, 0) + 1
        kind = (own, child.get("type", ""))
        if own in rule.once_a_type and kind in kinds:
            yield f"<{own} type={kind[1]!r}> stands twice in a <{name}>."
        kinds.add(kind)
        yield from _flaws(child)
    for own, (least, most) in rule.children.items():
        count = counts.get(own, 0)
        if count < least:
            yield f"<{name}> needs <{own}>."
        if most is not None and count > most:
            yield f"<{name}> holds {count} of <{own}>, at most {most}."


def _attribute_flaws(name: str, rule: _Rule, element: Xml.Element) -> Iterator[str]:
    for attribute, check in rule.required.items():
        if attribute not in element.attrib:
            yield f"<{name}> needs the attribute {attribute}."
        elif not check(element.attrib[attribute]):
            yield f"<{name}> cannot have {attribute}={element.attrib[attribute]!r}."
    for attribute, value in element.attrib.items():
        if attribute in rule.required:
            continue
        if attribute not in rule.optional:
            yield f"<{name}> does not know the attribute {attribute}."
        elif not rule.optional[attribute](value):
            yield f"<{name}> cannot have {attribute}={value!r}."


def _local(tag: object) -> str:
    own = str(tag)
    return own.removeprefix(f"{{{NAMESPACE}}}") if own.startswith(f"{{{NAMESPACE}}}") else own
