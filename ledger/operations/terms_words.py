"""Licence terms in plain words: what the chain enforces, then what the document adds."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ATTRIBUTION_DUTIES, ChainTerms, names_of
from ledger.domain.money import parse_amount
from ledger.domain.royalty import NO_LIMIT, Tier
from ledger.domain.terms import PoolTerms, TermsDocument, commercial_model
from ledger.domain.terms_fields import Allocation, UnmatchedPolicy, format_time
from ledger.operations.plan import Money, shown_amount

_PERIODS = {1: "month", 3: "quarter", 6: "half-year", 12: "year"}
_MODELS = {
    "FLAT": "flat: a fixed fee, no share of revenue",
    "HYBRID": "hybrid: a fee now and a share of revenue",
    "REVENUE_SHARE": "revenue share: nothing now, a share of revenue",
    "POOL": "pool: a share of revenue, divided by use",
}
_CREDIT = {
    "NONE": "none",
    "SOURCE_LIST": "a list of sources",
    "PER_OUTPUT": "with each output",
    "PUBLIC_CREDIT": "in public",
}
_KEYS = {
    Allocation.EQUAL: "equally among the works",
    Allocation.SIZE: "by the size of the works",
    Allocation.USAGE: "by use",
    Allocation.ATTRIBUTION: "by attribution",
}

Lines = list[tuple[str, str]]


def percent(ppm: int) -> str:
    """Parts per million as per cent."""
    return f"{ppm / 10_000:.6g} %"


def in_words(terms: ChainTerms, token: Money, document: TermsDocument | None = None) -> Lines:
    """The terms, a name and a sentence each. What only the document says is marked so."""
    lines = [
        ("model", _MODELS[commercial_model(terms)]),
        ("catalogue", f"{terms.catalogue}, works root 0x{terms.works_root.hex()[:16]}…"),
        (
            "licensee",
            "whoever accepts first" if terms.licensee == ZERO_ADDRESS else checksum_address(terms.licensee),
        ),
        ("uses", _names(names_of(terms.scope))),
        ("exclusive", f"worldwide for {_names(names_of(terms.exclusive))}" if terms.exclusive else "no"),
        (
            "term",
            f"from {format_time(terms.start)} "
            + (f"to {format_time(terms.end)}" if terms.end else "without end"),
        ),
        ("transferable", "yes" if terms.transferable else "no"),
        *_money(terms, token),
        *_duties(terms),
    ]
    return lines + (_document(document, token) if document is not None else [])


def _names(names: Sequence[str]) -> str:
    return ", ".join(name.lower().replace("_", " ") for name in names)


def _money(terms: ChainTerms, token: Money) -> Lines:
    def amount(units: int) -> str:
        return shown_amount(token, units)

    fee = "none"
    if terms.upfront_fee:
        fee = f"{amount(terms.upfront_fee)}, paid at acceptance"
        fee += ", an advance: royalties are first set against it" if terms.advance else ""
    lines = [("upfront fee", fee)]
    if terms.period_months == 0:
        return [*lines, ("reports", "none")]
    period = _PERIODS[terms.period_months]
    counted = "over the life of the licence" if terms.tiers_over_life else f"in each {period}"
    lines += [("royalty", _tiers(terms.tiers, amount, counted))]
    lines += [("deductions", f"at most {percent(terms.deduction_cap_ppm)} of gross revenue")]
    if terms.guarantee:
        lines += [("guarantee", f"at least {amount(terms.guarantee)} for each full {period}")]
    if terms.cap:
        lines += [("cap", f"at most {amount(terms.cap)} of royalties in all")]
    late = "none"
    if terms.late_rate_ppm:
        late = f"{percent(terms.late_rate_ppm)} a year, from {_days(terms.grace_days)} after the due date"
    return [*lines, ("late interest", late)]


def _tiers(tiers: Sequence[Tier], amount: object, counted: str) -> str:
    if not tiers:
        return "none"
    assert callable(amount)
    parts = []
    for number, tier in enumerate(tiers):
        rate = percent(tier.rate_ppm)
        if tier.up_to == NO_LIMIT:
            parts.append(rate if number == 0 else f"{rate} beyond")
        else:
            parts.append(f"{rate} up to {amount(tier.up_to)}")
    return f"{', '.join(parts)} of net revenue {counted}"


def _duties(terms: ChainTerms) -> Lines:
    lines: Lines = []
    if terms.period_months:
        period = _PERIODS[terms.period_months]
        lines.append(("reports", f"every {period}, within {_days(terms.days_to_report)} of its end"))
        lines.append(("payment", f"within {_days(terms.days_to_pay)} of the end of the {period}"))
        lines.append(
            ("breach", f"{_days(terms.cure_days)} to cure after notice, then the licensor may terminate")
        )
    lines.append(("credit", _CREDIT[ATTRIBUTION_DUTIES[terms.attribution_duty]]))
    if terms.attributor != ZERO_ADDRESS:
        lines.append(("outputs recorded by", f"the licensee or {checksum_address(terms.attributor)}"))
    if terms.distributions == ZERO_ADDRESS:
        lines.append(("money goes to", "the catalogue's split in force when a period begins"))
    else:
        lines.append(("money goes to", f"works by use, through {checksum_address(terms.distributions)}"))
    return lines


def _pool(pool: PoolTerms, token: Money) -> str:
    def by(key: Allocation) -> str:
        return _KEYS.get(key, key.value)

    parts = [f"{percent(part.ppm)} {by(part.key)}" for part in pool.blend] or [by(pool.allocation)]
    words = ", ".join(parts)
    if Allocation.ATTRIBUTION in (pool.allocation, *(part.key for part in pool.blend)):
        floor = f"of less than {percent(pool.confidence_floor_bps * 100)} confidence or "
        words += (
            f"; where attribution is {floor if pool.confidence_floor_bps else ''}missing, {by(pool.fallback)}"
        )
    if minimum := parse_amount(pool.minimum_eligibility, token.decimals):
        words += f"; a work that would get less than {shown_amount(token, minimum)} gets nothing"
    held = pool.unmatched is UnmatchedPolicy.HOLD
    return f"{words}; the part of works without a known payee is {'held' if held else 'shared out'}"


def _document(document: TermsDocument, token: Money) -> Lines:
    reach, control = document.reach, document.control
    where = ", ".join(reach.territories.include)
    if reach.territories.exclude:
        where += " without " + ", ".join(reach.territories.exclude)
    lines = [("covers", f"{document.model.name} {document.model.version}"), ("territory (document)", where)]
    if document.title:
        lines.insert(0, ("title", document.title))
    if document.parent:
        lines.append(("under the licence (document)", document.parent))
    if reach.user_class:
        lines.append(("users (document)", reach.user_class))
    if document.money.deduction_kinds:
        lines.append(("kinds of deductions (document)", ", ".join(document.money.deduction_kinds)))
    if document.pool.weighted:
        lines.append(("pool (document)", _pool(document.pool, token)))
    if document.duties.certification:
        lines.append(("certification (document)", document.duties.certification))
    if control.audit.years_back:
        audit = control.audit
        lines.append(
            (
                "audit (document)",
                f"{audit.years_back} years back, {_days(audit.notice_days)} after notice; the licensee pays "
                f"where it underpaid by more than {percent(audit.cost_shift_ppm)}",
            )
        )
    if control.on_termination:
        lines.append(("at the end (document)", _names([one.value for one in control.on_termination])))
    if control.governing_law:
        lines.append(("law (document)", control.governing_law))
    return lines


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
