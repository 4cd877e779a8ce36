"""What is exported: a terms document, and the licence granted by it where there is one; names for both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ledger.domain.address import checksum_address
from ledger.domain.terms import TermsDocument
from ledger.domain.terms_fields import WORLD, StrictModel

#: Namespace of the names that we had to make up. URN namespaces that begin with `x-` are experimental (RFC 3406).
URN = "urn:x-licence-ledger"

#: How a standard fails to say something.
LEFT_OUT, IN_PART, OWN_TERM = "left out", "in part", "own term"


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Something that the terms say and the standard cannot, or not fully. `field` is its path in the document."""

    field: str
    what: str
    how: str = LEFT_OUT

    def __str__(self) -> str:
        return f"{self.what} ({self.how})"

    def as_dict(self) -> dict[str, str]:
        """The entry as data for `--json`."""
        return {"field": self.field, "what": self.what, "how": self.how}


@dataclass(frozen=True, slots=True)
class Granted:
    """A licence on chain: CAIP-19 names it by chain, contract and number."""

    chain_id: int
    contract: str
    number: int
    holder: str

    @property
    def caip19(self) -> str:
        """CAIP-19 asset id: `eip155:<chain>/erc721:<contract>/<number>`."""
        return f"eip155:{self.chain_id}/erc721:{checksum_address(self.contract)}/{self.number}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an export is about.

    `content_url`: where the works lie on the web; `terms_url`: where the terms document can be read;
    `currency`: the ISO 4217 code that the token stands for, empty where nobody said so.
    """

    document: TermsDocument
    granted: Granted | None = None
    chain_id: int | None = None
    content_url: str = ""
    terms_url: str = ""
    currency: str = ""

    @property
    def uid(self) -> str:
        """The licence by CAIP-19, else the terms document by its hash."""
        return self.granted.caip19 if self.granted else f"{URN}:terms:0x{self.document.hash.hex()}"

    @property
    def licensee(self) -> str | None:
        """The holder of a licence, else whom the document names."""
        return self.granted.holder if self.granted else self.document.licensee

    def account(self, address: str) -> str:
        """An account by CAIP-10 where the chain is known."""
        shown = checksum_address(address)
        return f"{URN}:account:{shown}" if self.chain_id is None else f"eip155:{self.chain_id}:{shown}"

    @property
    def token(self) -> str:
        """The token by CAIP-19 where the chain is known."""
        shown = checksum_address(self.document.money.token)
        return f"{URN}:token:{shown}" if self.chain_id is None else f"eip155:{self.chain_id}/erc20:{shown}"

    @property
    def content(self) -> str:
        """Where the works lie, for standards that name a place; a path that the publisher is to fill."""
        return self.content_url or f"/catalogues/{self.document.catalogue}/"

    @property
    def terms_place(self) -> str:
        """Where the terms document can be read."""
        return self.terms_url or f"/terms/0x{self.document.hash.hex()}.json"


@dataclass(frozen=True)
class Export:
    """The terms in one standard. `text` is the file; `data` the same as JSON values, None where it is no JSON."""

    format: str
    media_type: str
    text: str
    data: Any = None
    unsaid: tuple[Unsaid, ...] = field(default=())


#: What each field of the document is, for the lists of what a standard cannot say.
DESCRIPTIONS: dict[str, str] = {
    "terms": "the version of the document's format",
    "title": "the title",
    "catalogue": "the catalogue's number",
    "licensor": "the licensor",
    "licensee": "the licensee",
    "parent": "the licence that this one is under",
    "works_root": "the root of the works manifest, by which each work is proved to be covered",
    "model.name": "the AI model that is covered",
    "model.version": "the version of the model: a retrain needs a new licence",
    "scope": "the uses",
    "reach.start": "the start of the term",
    "reach.end": "the end of the term",
    "reach.exclusive": "exclusivity, use by use",
    "reach.transferable": "whether the licence may be transferred",
    "reach.territories.include": "the territories included",
    "reach.territories.exclude": "the territories excluded",
    "reach.user_class": "the class of users",
    "money.token": "the token in which it is paid",
    "money.symbol": "the token's symbol",
    "money.decimals": "the token's decimals",
    "money.upfront_fee": "the upfront fee",
    "money.advance": "that the upfront fee is an advance, which royalties recoup",
    "money.tiers": "the share of net revenue, by tiers",
    "money.tiers_count": "that tiers count revenue over the licence's life",
    "money.deduction_cap_ppm": "the cap on deductions, parts per million of gross revenue",
    "money.deduction_kinds": "the kinds of deductions allowed",
    "money.guarantee": "the minimum guarantee per period",
    "money.cap": "the cap on all royalties",
    "money.late_rate_ppm": "interest on late money, parts per million a year",
    "money.grace_days": "days of grace before interest runs",
    "pool.weighted": "that the money is divided by use",
    "pool.distributions": "the contract that divides the money",
    "pool.allocation": "the key by which the money is divided",
    "pool.blend": "the keys that are blended, and their weights",
    "pool.minimum_eligibility": "the minimum use for a part of the pool",
    "pool.confidence_floor_bps": "the confidence below which an attribution does not count, basis points",
    "pool.fallback": "the key that is used where attribution is missing or not confident",
    "pool.unmatched": "what happens to the part of works without a known payee",
    "duties.reporting_period": "the reporting period",
    "duties.days_to_report": "days to report after a period",
    "duties.days_to_pay": "days to pay after a period",
    "duties.attribution": "the duty of credit",
    "duties.attributor": "the attribution provider",
    "duties.certification": "the certification asked for",
    "control.cure_days": "days to cure a breach",
    "control.audit.years_back": "audit rights: years back",
    "control.audit.notice_days": "audit rights: days of notice",
    "control.audit.cost_shift_ppm": "audit rights: the underpayment, parts per million, from which the licensee pays",
    "control.on_termination": "the duties at the end",
    "control.governing_law": "the governing law",
}
#: Fields whose empty value still is a statement: they are looked at always.
_ALWAYS = frozenset({"duties.reporting_period"})
#: How the document is written, not what it says.
_FORM = frozenset({"terms", "money.decimals"})


def leaves(document: TermsDocument) -> Iterator[tuple[str, Any]]:
    """Path and value of every field that says something: defaults and the document's own form are left out."""
    yield from _leaves(document, "")


def _leaves(part: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, info in type(part).model_fields.items():
        value, path = getattr(part, name), prefix + name
        if isinstance(value, StrictModel):
            yield from _leaves(value, path + ".")
        elif path not in _FORM and (info.is_required() or path in _ALWAYS or value != info.default):
            yield path, value


def all_paths(model: Any, prefix: str = "") -> Iterator[str]:
    """Every path of the document's fields, whether used or not."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, StrictModel):
            yield from all_paths(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def shown(value: Any) -> str:
    """A field's value for reading."""
    if isinstance(value, list | tuple):
        return ", ".join(shown(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, StrictModel):
        return " ".join(f"{name} {shown(one)}" for name, one in value.model_dump(mode="json").items())
    return "none" if value is None else str(value)


def unsaid(document: TermsDocument, said: Iterable[str], notes: Iterable[Unsaid] = ()) -> tuple[Unsaid, ...]:
    """What a standard leaves out: every field that says something and is neither `said` nor in the notes.

    Complete by construction: a field that nobody thought of is listed.
    """
    noted = tuple(notes)
    known = {*said, *(one.field for one in noted)}
    rest = [
        Unsaid(path, f"{DESCRIPTIONS.get(path, path)}: {shown(value)}")
        for path, value in leaves(document)
        if path not in known and not (path == "reach.territories.include" and value == [WORLD])
    ]
    return (*noted, *rest)
