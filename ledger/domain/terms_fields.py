"""The typed fields of a licence terms document: amounts, times, addresses, names from fixed lists."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from ledger.domain.address import parse_address, parse_word
from ledger.domain.errors import LedgerError
from ledger.domain.money import parse_amount
from ledger.domain.notation import shown

# ISO 3166-1 alpha-2, officially assigned.
_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
WORLD = "WORLD"


class StrictModel(BaseModel):
    """No unknown fields, no silent conversions, no changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Scope(StrEnum):
    """Uses that a licence permits; their order is that of the scope bits."""

    TRAIN = "TRAIN"
    FINE_TUNE = "FINE_TUNE"
    INFER = "INFER"
    RETRIEVE = "RETRIEVE"
    INDEX = "INDEX"
    EVALUATE = "EVALUATE"
    COMMERCIAL_OUTPUT = "COMMERCIAL_OUTPUT"
    DISTRIBUTE_WEIGHTS = "DISTRIBUTE_WEIGHTS"
    SUBLICENSE = "SUBLICENSE"
    SYNTHETIC_DATA = "SYNTHETIC_DATA"


class TierCount(StrEnum):
    """Whether tiers count the revenue of each period or of the whole life."""

    PERIOD = "PERIOD"
    LIFE = "LIFE"


class ReportingPeriod(StrEnum):
    """How long a reporting period is; none: nothing is reported."""

    NONE = "NONE"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    HALF = "HALF"
    YEAR = "YEAR"

    @property
    def months(self) -> int:
        """Months of a period."""
        return {"NONE": 0, "MONTH": 1, "QUARTER": 3, "HALF": 6, "YEAR": 12}[self.value]


class AttributionDuty(StrEnum):
    """What the licensee owes in credit; their order is that of the number on chain."""

    NONE = "NONE"
    SOURCE_LIST = "SOURCE_LIST"
    PER_OUTPUT = "PER_OUTPUT"
    PUBLIC_CREDIT = "PUBLIC_CREDIT"


class Allocation(StrEnum):
    """What a usage-weighted pool is divided by."""

    EQUAL = "EQUAL"
    SIZE = "SIZE"
    USAGE = "USAGE"
    ATTRIBUTION = "ATTRIBUTION"
    BLEND = "BLEND"


class UnmatchedPolicy(StrEnum):
    """What happens to the part of works without a known payee."""

    HOLD = "HOLD"
    SHARE_OUT = "SHARE_OUT"


class OnTermination(StrEnum):
    """Duties at the end of the licence."""

    STOP_TRAINING = "STOP_TRAINING"
    STOP_INFERENCE = "STOP_INFERENCE"
    DELETE_DATA = "DELETE_DATA"
    RETIRE_MODEL = "RETIRE_MODEL"
    SURVIVE = "SURVIVE"


def _refuse(error: LedgerError) -> PydanticCustomError:
    text = f"{error.what} {error.remedy}".strip()
    return PydanticCustomError("refused", "{text}", {"text": text})


def _address(value: str) -> str:
    try:
        return parse_address(value)
    except LedgerError as error:
        raise _refuse(error) from error


def _word(value: str) -> str:
    try:
        return "0x" + parse_word(value).hex()
    except LedgerError as error:
        raise _refuse(error) from error


def _amount(value: Any) -> Any:
    try:
        parse_amount(value, 18)
    except LedgerError as error:
        raise _refuse(error) from error
    return value


def _country(value: str) -> str:
    if value != WORLD and value not in COUNTRIES:
        raise PydanticCustomError(
            "country",
            "{value} is no country. Write two letters such as DE, or WORLD.",
            {"value": repr(value)},
        )
    return value


def parse_time(value: str) -> int:
    """Unix seconds of `2026-01-31` (midnight, UTC) or `2026-01-31T12:00:00Z`. Raises ValueError."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        value += "T00:00:00Z"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", value, re.ASCII):
        raise ValueError("no time")
    return int(datetime.fromisoformat(value).timestamp())


def format_time(time: int) -> str:
    """A Unix time as `2026-01-31T12:00:00Z`; times past the year 9999 as digits."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(time)


def _time(value: str) -> str:
    try:
        return format_time(parse_time(value))
    except ValueError:
        raise PydanticCustomError(
            "time",
            "{value} is no time in UTC. Write 2026-01-31 or 2026-01-31T12:00:00Z.",
            {"value": repr(value)},
        ) from None


def _text(value: str) -> str:
    if value != value.strip() or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
        raise PydanticCustomError("text", "It has spaces around it or control characters. Remove them.")
    return value


def _enum(kind: type[StrEnum]) -> BeforeValidator:
    """Names from a list, read from text; strict pydantic takes only members."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        raise PydanticCustomError(
            "choice",
            "{value} is none of {known}.",
            {"value": shown(value), "known": ", ".join(kind.__members__)},
        )

    return BeforeValidator(read, json_schema_input_type=kind)


Address = Annotated[str, AfterValidator(_address), Field(pattern="^0x[0-9a-fA-F]{40}$")]
Word = Annotated[str, AfterValidator(_word), Field(pattern="^0x[0-9a-fA-F]{64}$")]
#: A decimal string in whole tokens.
AmountText = Annotated[str, BeforeValidator(_amount, json_schema_input_type=str), Field(examples=["1250.50"])]
TimeText = Annotated[str, AfterValidator(_time), Field(examples=["2026-01-31T00:00:00Z"])]
Country = Annotated[str, AfterValidator(_country)]
Text = Annotated[str, AfterValidator(_text), Field(max_length=2000)]
Name = Annotated[str, AfterValidator(_text), Field(min_length=1, max_length=200)]
Ppm = Annotated[int, Field(ge=0, le=1_000_000)]
Bps = Annotated[int, Field(ge=0, le=10_000)]
Days = Annotated[int, Field(ge=0, le=65_535)]
ScopeName = Annotated[Scope, _enum(Scope)]
TierCountName = Annotated[TierCount, _enum(TierCount)]
ReportingPeriodName = Annotated[ReportingPeriod, _enum(ReportingPeriod)]
AttributionDutyName = Annotated[AttributionDuty, _enum(AttributionDuty)]
AllocationName = Annotated[Allocation, _enum(Allocation)]
UnmatchedPolicyName = Annotated[UnmatchedPolicy, _enum(UnmatchedPolicy)]
OnTerminationName = Annotated[OnTermination, _enum(OnTermination)]
