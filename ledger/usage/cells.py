"""Single cells of usage files: each kind read, and what is wrong with it said. The slow and exact path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from ledger.domain import identifiers
from ledger.domain.errors import ValueRefused
from ledger.domain.identifiers import Kind
from ledger.domain.terms_fields import COUNTRIES
from ledger.usage.flaws import FlawKind
from ledger.usage.records import NAMESPACE, SCOPE_OF_USE, CellKind, Column

#: Digits that a number of usages may have: those of DECIMAL(38, 0).
COUNT_DIGITS = 38
PPM, BPS = 1_000_000, 10_000
#: Outputs are a signed 64-bit number in the usage table.
OUTPUTS_LIMIT = 2**63
_SHOWN = 60


class Trouble(NamedTuple):
    """What is wrong with a cell."""

    kind: FlawKind
    what: str
    why: str = ""


class Amount(NamedTuple):
    """An exact decimal: `units` · 10^-`scale`."""

    units: int
    scale: int


def quoted(text: str) -> str:
    """A cell for a message: cut, in quotes, with control characters written out."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def split_several(text: str) -> list[str]:
    r"""The values of a cell divided by |; a bar within a value is written \|."""
    return [one.replace("\\|", "|") for one in re.split(r"(?<!\\)\|", text)]


def read_count(text: str) -> int | None:
    """A whole number from 0, of at most 38 digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS else None


def read_amount(text: str) -> Amount | None:
    """A decimal number with or without sign, of at most 38 digits; None for anything else."""
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text, re.ASCII) or len(text) > COUNT_DIGITS + 2:
        return None
    whole, _, part = text.partition(".")
    return Amount(int(whole + part), len(part))


def read_date(text: str) -> date | None:
    """A day as 2026-01-31, or as 20260131, which is a flaw but plain; None for anything else."""
    compact = re.fullmatch(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})", text, re.ASCII)
    if compact is None:
        return None
    try:
        return date(*map(int, compact.groups()))
    except ValueError:
        return None


def read_boolean(text: str) -> bool | None:
    """True or false, also as 1 or 0 (xs:boolean); None for anything else."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text)


def bare_use(text: str) -> str:
    """A use type without our namespace."""
    return text.removeprefix(f"{NAMESPACE}::")


# ---- checks


def _check_count(column: Column, text: str) -> Trouble | None:
    value = read_count(text)
    if value is None:
        why = "It is a whole number from 0, written in digits."
        return Trouble(_number_kind(column), f"{quoted(text)} is no number.", why)
    return None


_LIMITS = {CellKind.PPM: PPM, CellKind.BPS: BPS}
#: Counts that decide money; the others are only noted.
_DECISIVE = {"Usages", "Returns", "NumberOfStreams", "OutputCount"}


def _number_kind(column: Column) -> FlawKind:
    return FlawKind.NUMBER if column.name in _DECISIVE or column.kind in _LIMITS else FlawKind.FORM


def _check_limited(column: Column, text: str) -> Trouble | None:
    value, limit = read_count(text), _LIMITS[column.kind]
    if value is None or value > limit:
        return Trouble(FlawKind.NUMBER, f"{quoted(text)} is no number from 0 to {limit:,}.")
    return None


def _check_amount(_column: Column, text: str) -> Trouble | None:
    if read_amount(text) is None:
        return Trouble(FlawKind.FORM, f"{quoted(text)} is no decimal number.", "It is written as 1250.50.")
    return None


def _check_boolean(column: Column, text: str) -> Trouble | None:
    if read_boolean(text) is None:
        kind = FlawKind.MISSING_CELL if column.name == "IsRoyaltyBearing" else FlawKind.FORM
        return Trouble(kind, f"{quoted(text)} is neither true nor false.")
    return None


def _check_date(_column: Column, text: str) -> Trouble | None:
    value = read_date(text)
    if value is None:
        return Trouble(FlawKind.DATE, f"{quoted(text)} is no date.", "It is written as 2026-01-31.")
    if len(text) != 10:
        return Trouble(FlawKind.DATE, f"{quoted(text)} has no dashes.", f"It is written as {value}.")
    return None


def _check_time(_column: Column, text: str) -> Trouble | None:
    shape = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"
    try:
        if re.fullmatch(shape, text, re.ASCII):
            datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text))
            return None
    except ValueError:
        pass
    return Trouble(FlawKind.DATE, f"{quoted(text)} is no time.", "It is written as 2026-01-31T12:00:00Z.")


def _check_duration(_column: Column, text: str) -> Trouble | None:
    shape = r"P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?"
    if re.fullmatch(shape, text, re.ASCII):
        return None
    return Trouble(FlawKind.FORM, f"{quoted(text)} is no duration.", "It is written as PT3M25S.")


def _check_territory(_column: Column, text: str) -> Trouble | None:
    if text in COUNTRIES or text in {"Worldwide", "multi"} or re.fullmatch(r"[0-9]{1,4}", text, re.ASCII):
        return None
    why = "It is a country's two letters, a number, Worldwide or multi."
    return Trouble(FlawKind.VOCABULARY, f"{quoted(text)} is no territory.", why)


def _check_currency(_column: Column, text: str) -> Trouble | None:
    if re.fullmatch(r"[A-Z]{3}", text, re.ASCII) or re.fullmatch(rf"{NAMESPACE}::\S+", text):
        return None
    why = f"It is three letters of ISO 4217, or {NAMESPACE}:: and a token's symbol."
    return Trouble(FlawKind.VOCABULARY, f"{quoted(text)} is no currency.", why)


def _check_use_type(_column: Column, text: str) -> Trouble | None:
    if text.startswith(f"{NAMESPACE}::") and bare_use(text) not in SCOPE_OF_USE:
        return Trouble(
            FlawKind.VOCABULARY, f"{quoted(text)} is no use type.", f"Known are {', '.join(SCOPE_OF_USE)}."
        )
    return None


def _check_identifier(*kinds: Kind) -> Callable[[Column, str], Trouble | None]:
    def check(_column: Column, text: str) -> Trouble | None:
        why = ""
        for kind in kinds:
            try:
                identifiers.normalise(kind, text.zfill(13) if kind is Kind.EAN and len(text) > 8 else text)
                return None
            except ValueRefused as error:
                why = error.why
        names = " or ".join(kind.value.upper().replace("_", " ") for kind in kinds)
        return Trouble(FlawKind.IDENTIFIER, f"{quoted(text)} is no {names}.", why)

    return check


_CHECKS: Mapping[CellKind, Callable[[Column, str], Trouble | None]] = {
    CellKind.COUNT: _check_count,
    CellKind.PPM: _check_limited,
    CellKind.BPS: _check_limited,
    CellKind.AMOUNT: _check_amount,
    CellKind.BOOLEAN: _check_boolean,
    CellKind.DATE: _check_date,
    CellKind.TIME: _check_time,
    CellKind.DURATION: _check_duration,
    CellKind.TERRITORY: _check_territory,
    CellKind.CURRENCY: _check_currency,
    CellKind.USE_TYPE: _check_use_type,
    CellKind.ISRC: _check_identifier(Kind.ISRC),
    CellKind.ISWC: _check_identifier(Kind.ISWC),
    CellKind.ICPN: _check_identifier(Kind.EAN),
    CellKind.IDENTIFIER: _check_identifier(Kind.ISRC, Kind.DOI, Kind.CONTENT_HASH),
}


def check(column: Column, text: str) -> Trouble | None:
    """What is wrong with a cell that is not empty; of several values the first that is wrong."""
    known = _CHECKS.get(column.kind)
    if known is None:
        return None
    values = split_several(text) if column.several else [text]
    for value in values:
        if value and (found := known(column, value)) is not None:
            return found
    return None
