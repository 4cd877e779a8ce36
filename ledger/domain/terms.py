"""The licence terms document: typed, validated, hashed in canonical form, and what the chain enforces of it.

FORMATS names the fields. Amounts are decimal strings in whole tokens, times UTC, rates parts per million.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field, ValidationError

from ledger.domain.canonical import ZERO_ADDRESS, canonical_hash, canonical_json, keccak256
from ledger.domain.chain_terms import ChainTerms, bits_of
from ledger.domain.errors import Findings, LedgerError, ValueRefused
from ledger.domain.money import parse_amount
from ledger.domain.notation import read_json, read_yaml
from ledger.domain.royalty import NO_LIMIT, PPM, Tier
from ledger.domain.terms_fields import (
    WORLD,
    Address,
    Allocation,
    AllocationName,
    AmountText,
    AttributionDuty,
    AttributionDutyName,
    Bps,
    Country,
    Days,
    Name,
    OnTerminationName,
    Ppm,
    ReportingPeriod,
    ReportingPeriodName,
    ScopeName,
    StrictModel,
    Text,
    TierCount,
    TierCountName,
    TimeText,
    UnmatchedPolicy,
    UnmatchedPolicyName,
    Word,
    parse_time,
)
from ledger.domain.terms_flaws import add_flaw

TERMS_VERSION = "1"
REFUSED = "The licence terms were refused"


class ModelCovered(StrictModel):
    """The AI model that the licence covers; a retrain needs a new licence."""

    name: Name
    version: Name

    @property
    def hash(self) -> bytes:
        """`model` on chain: keccak256 of the UTF-8 text of name, line feed, version."""
        return keccak256(f"{self.name}\n{self.version}".encode())


class Territories(StrictModel):
    """Where the licence holds: included, less excluded."""

    include: list[Country] = Field(default=[WORLD], min_length=1)
    exclude: list[Country] = Field(default=[])


class Reach(StrictModel):
    """From when to when, for whom and where. No end: perpetual. `exclusive` lists scopes granted to nobody
    else.
    """

    start: TimeText
    end: TimeText | None = None
    exclusive: list[ScopeName] = Field(default=[])
    transferable: bool = False
    territories: Territories = Territories()
    user_class: Text = ""


class TierTerms(StrictModel):
    """A marginal tier: net revenue up to `up_to` (none: without limit) at `rate_ppm`."""

    up_to: AmountText | None = None
    rate_ppm: Ppm


class MoneyTerms(StrictModel):
    """Fee, royalty, guarantee, interest. `guarantee` is per full period; no `cap`: none."""

    token: Address
    symbol: Name
    decimals: int = Field(ge=0, le=18)
    upfront_fee: AmountText = "0"
    advance: bool = False
    tiers: list[TierTerms] = Field(default=[], max_length=16)
    tiers_count: TierCountName = TierCount.PERIOD
    deduction_cap_ppm: Ppm = 0
    deduction_kinds: list[Name] = Field(default=[])
    guarantee: AmountText = "0"
    cap: AmountText | None = None
    late_rate_ppm: int = Field(default=0, ge=0, le=10_000_000)
    grace_days: Days = 0


class BlendPart(StrictModel):
    """A part of a blended pool: a key, and the parts per million that are divided by it."""

    key: AllocationName
    ppm: int = Field(ge=1, le=1_000_000)


class PoolTerms(StrictModel):
    """Whether periods are weighted by usage, and how the pool is divided. `blend` goes with the key BLEND."""

    weighted: bool = False
    distributions: Address | None = None
    allocation: AllocationName = Allocation.EQUAL
    blend: list[BlendPart] = Field(default=[], max_length=4)
    minimum_eligibility: AmountText = "0"
    confidence_floor_bps: Bps = 0
    fallback: AllocationName = Allocation.EQUAL
    unmatched: UnmatchedPolicyName = UnmatchedPolicy.HOLD


class Duties(StrictModel):
    """What the licensee reports, pays and credits, and when."""

    reporting_period: ReportingPeriodName
    days_to_report: Days = 0
    days_to_pay: Days = 0
    attribution: AttributionDutyName = AttributionDuty.NONE
    attributor: Address | None = None
    certification: Text = ""


class AuditRights(StrictModel):
    """What the licensor may inspect; the licensee bears the cost where it underpaid by more than
    `cost_shift_ppm`.
    """

    years_back: int = Field(default=0, ge=0, le=100)
    notice_days: Days = 0
    cost_shift_ppm: Ppm = 0


class Control(StrictModel):
    """Breach, audit, end."""

    cure_days: Days
    audit: AuditRights = AuditRights()
    on_termination: list[OnTerminationName] = Field(default=[])
    governing_law: Text = ""


class TermsDocument(StrictModel):
    """A whole licence terms document."""

    terms: Literal["1"]
    title: Text = ""
    catalogue: int = Field(ge=1, le=2**53)
    licensor: Address
    licensee: Address | None = None
    parent: Text = ""
    works_root: Word
    model: ModelCovered
    scope: list[ScopeName] = Field(min_length=1)
    reach: Reach
    money: MoneyTerms
    pool: PoolTerms = PoolTerms()
    duties: Duties
    control: Control

    def canonical(self) -> bytes:
        """RFC 8785 JSON with every field written out, so that defaults cannot change silently."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def hash(self) -> bytes:
        """keccak256 of the canonical form: `document` on chain."""
        return canonical_hash(self.model_dump(mode="json"))

    def chain_terms(self, decimals: int | None = None) -> ChainTerms:
        """What the chain enforces. `decimals`, where given, are those that the token itself states.

        Raises ValueRefused if they differ from the document's.
        """
        money = self.money
        if decimals is not None and decimals != money.decimals:
            raise ValueRefused(
                f"The document gives the token {money.decimals} decimals; the token has {decimals}.",
                where="money.decimals",
                remedy="Correct the decimals in the document, and check every amount.",
            )

        def units(text: str | None) -> int:
            return parse_amount(text or "0", money.decimals)

        tiers = tuple(
            Tier(NO_LIMIT if tier.up_to is None else units(tier.up_to), tier.rate_ppm) for tier in money.tiers
        )
        return ChainTerms(
            document=self.hash,
            works_root=bytes.fromhex(self.works_root[2:]),
            catalogue=self.catalogue,
            licensee=self.licensee or ZERO_ADDRESS,
            token=money.token,
            scope=bits_of([one.value for one in self.scope]),
            exclusive=bits_of([one.value for one in self.reach.exclusive]),
            start=parse_time(self.reach.start),
            end=parse_time(self.reach.end) if self.reach.end else 0,
            transferable=self.reach.transferable,
            upfront_fee=units(money.upfront_fee),
            advance=money.advance,
            tiers_over_life=money.tiers_count is TierCount.LIFE,
            deduction_cap_ppm=money.deduction_cap_ppm,
            guarantee=units(money.guarantee),
            cap=units(money.cap),
            late_rate_ppm=money.late_rate_ppm,
            grace_days=money.grace_days,
            period_months=self.duties.reporting_period.months,
            days_to_report=self.duties.days_to_report,
            days_to_pay=self.duties.days_to_pay,
            cure_days=self.control.cure_days,
            attribution_duty=list(AttributionDuty).index(self.duties.attribution),
            distributions=self.pool.distributions or ZERO_ADDRESS,
            model=self.model.hash,
            attributor=self.duties.attributor or ZERO_ADDRESS,
            tiers=tiers,
        )


def commercial_model(terms: ChainTerms) -> str:
    """FLAT, HYBRID, REVENUE_SHARE or POOL: shown, never stored. A fixed sum a period (guarantee alone) is
    flat.
    """
    if terms.distributions != ZERO_ADDRESS:
        return "POOL"
    if not any(tier.rate_ppm for tier in terms.tiers):
        return "FLAT"
    return "HYBRID" if terms.upfront_fee else "REVENUE_SHARE"


def parse_terms(text: str) -> TermsDocument:
    """Reads a terms document of YAML 1.2 or JSON. Raises FindingsError with every flaw and its path."""
    stripped = text.lstrip("\ufeff \t\r\n")
    read, source = (read_json, stripped) if stripped.startswith("{") else (read_yaml, text)
    value = read(source, "The licence terms are")
    if not isinstance(value, dict):
        raise ValueRefused("The licence terms are no mapping of fields.", remedy="Start from an example.")
    return read_terms(value)


def read_terms(value: dict[str, Any]) -> TermsDocument:
    """Validates a terms document that was read already."""
    findings = Findings()
    try:
        document = TermsDocument.model_validate(value)
    except ValidationError as error:
        for flaw in error.errors():
            add_flaw(findings, TermsDocument, flaw)
        raise findings.error(REFUSED) from error
    _check_together(document, findings)
    findings.raise_if_any(REFUSED)
    # What the chain would refuse is refused here; the checks above name the field of the document.
    document.chain_terms().check()
    return document


def _check_together(document: TermsDocument, findings: Findings) -> None:
    """What fields must say together."""
    reach, money, pool, duties = document.reach, document.money, document.pool, document.duties
    if reach.end is not None and parse_time(reach.end) <= parse_time(reach.start):
        findings.add(
            "reach.end",
            f"The end {reach.end} is not after the start {reach.start}.",
            "Correct one of the two.",
        )
    for path, value in (("reach.start", reach.start), ("reach.end", reach.end)):
        if value and not "2000" <= value < "3000":
            findings.add(
                path, "The time is not within the years 2000 to 2999.", "Leave an end that is not meant out."
            )
    for scope in reach.exclusive:
        if scope not in document.scope:
            findings.add("reach.exclusive", f"{scope.value} is not in the scope.", "Add it to the scope.")
    for path, names in (("scope", document.scope), ("reach.exclusive", reach.exclusive)):
        if len(set(names)) != len(names):
            findings.add(path, "A name is written twice.", "Keep one of them.")
    units = _check_amounts(money, pool, findings)
    _check_tiers(money, units, findings)
    if duties.reporting_period is ReportingPeriod.NONE:
        if money.tiers:
            findings.add(
                "money.tiers",
                "Without reporting periods there can be no royalty.",
                "Give duties.reporting_period.",
            )
        if units(money.guarantee, "", 0):
            findings.add(
                "money.guarantee",
                "Without reporting periods there can be no guarantee.",
                "Give duties.reporting_period.",
            )
    if duties.days_to_pay < duties.days_to_report:
        findings.add(
            "duties.days_to_pay",
            "The payment would be due before the report.",
            "Give it as many days or more.",
        )
    if pool.weighted and pool.distributions is None:
        findings.add("pool.distributions", "A weighted pool names its Distributions contract.")
    if pool.distributions is not None and not pool.weighted:
        findings.add("pool.weighted", "Only a weighted pool has a Distributions contract.")
    _check_pool(pool, findings)
    if money.advance and not units(money.upfront_fee, "", 1):
        findings.add(
            "money.advance",
            "There is no upfront fee that could be an advance.",
            "Leave it out, or give a fee.",
        )


def _check_pool(pool: PoolTerms, findings: Findings) -> None:
    keys = [part.key for part in pool.blend]
    if (pool.allocation is Allocation.BLEND) != bool(keys):
        findings.add("pool.blend", "The parts of the blend are stated if, and only if, it is BLEND.")
    if keys and sum(part.ppm for part in pool.blend) != PPM:
        findings.add("pool.blend", f"The parts do not sum to {PPM:,} parts per million.")
    if Allocation.BLEND in keys or len(set(keys)) != len(keys):
        findings.add("pool.blend", "Each part names another key than BLEND, once.")
    if pool.fallback in (Allocation.ATTRIBUTION, Allocation.BLEND):
        findings.add("pool.fallback", "The fallback is EQUAL, SIZE or USAGE: a key that is always there.")


_Units = Callable[[str | None, str, int], int]


def _check_amounts(money: MoneyTerms, pool: PoolTerms, findings: Findings) -> _Units:
    """Notes amounts that do not fit the token; returns a reader that gives a stand-in for these."""

    def units(text: str | None, path: str, stand_in: int) -> int:
        try:
            return parse_amount(text or "0", money.decimals)
        except LedgerError as error:
            if path:
                findings.add_error(path, error)
            return stand_in

    units(money.upfront_fee, "money.upfront_fee", 0)
    units(money.guarantee, "money.guarantee", 0)
    units(pool.minimum_eligibility, "pool.minimum_eligibility", 0)
    if units(money.cap, "money.cap", 1) == 0 and money.cap is not None:
        findings.add(
            "money.cap", "A cap of zero would owe nothing for ever.", "Leave it out if there is none."
        )
    return units


def _check_tiers(money: MoneyTerms, units: _Units, findings: Findings) -> None:
    last = 0
    for i, tier in enumerate(money.tiers):
        path = f"money.tiers[{i}].up_to"
        if tier.up_to is None:
            if i != len(money.tiers) - 1:
                findings.add(
                    path, "Only the last tier may be without limit.", "Give its up_to, or put it last."
                )
            continue
        limit = units(tier.up_to, path, last + 1)
        if limit <= last:
            findings.add(
                path, f"The tier ends at {tier.up_to}, not after the one before.", "Order tiers upwards."
            )
        last = max(last, limit)
        if i == len(money.tiers) - 1:
            findings.add(path, "The last tier must be without limit.", "Leave its up_to out.")


def terms_schema() -> str:
    """The JSON schema of the document, as shipped in ledger/data/schemas/terms.schema.json."""
    schema = TermsDocument.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Licence terms document"
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
