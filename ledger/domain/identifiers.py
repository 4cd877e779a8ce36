"""Identifiers of works and parties: normalised, check digits proved, kinds detected.

ISRC, ISNI, GRid, EAN and LEI come from python-stdnum; ISWC and IPI, which it lacks, are here. DOI and
content hash have no check digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from typing import NamedTuple

from ledger.domain.canonical import ZERO32, canonical_hash
from ledger.domain.errors import ValueRefused


class Kind(StrEnum):
    """Kinds of identifiers, as they are named in files."""

    ISRC = "isrc"
    ISWC = "iswc"
    IPI = "ipi"
    ISNI = "isni"
    GRID = "grid"
    EAN = "ean"
    LEI = "lei"
    DOI = "doi"
    CONTENT_HASH = "content_hash"


#: Kinds that name a work itself; the others name a party, a product or a release, which many works share.
OF_WORKS = (Kind.ISRC, Kind.ISWC, Kind.DOI, Kind.CONTENT_HASH)

#: How each kind looks, for messages.
EXAMPLES: Mapping[Kind, str] = {
    Kind.ISRC: "GBAYE0601498",
    Kind.ISWC: "T-034.524.680-1",
    Kind.IPI: "00014107338",
    Kind.ISNI: "0000 0001 2281 955X",
    Kind.GRID: "A1-2425G-ABC1234002-M",
    Kind.EAN: "4006381333931",
    Kind.LEI: "213800KUD8LAJWSQ9D15",
    Kind.DOI: "10.5281/zenodo.1234567",
    Kind.CONTENT_HASH: "0x and 64 hexadecimal digits",
}


class Identifier(NamedTuple):
    """An identifier in its normal form."""

    kind: Kind
    value: str


def iswc_check_digit(digits: str) -> int:
    """Check digit of an ISWC's nine digits: (10 − (1 + Σ i·dᵢ) mod 10) mod 10, ISO 15707."""
    return (10 - (1 + sum(i * int(digit) for i, digit in enumerate(digits, start=1))) % 10) % 10


def ipi_check_digits(digits: str) -> int:
    """Check digits of an IPI name number's first nine: with t = Σ dᵢ·(10 − i) mod 101, (101 − t) mod 100; 0
    if t = 0.
    """
    rest = sum(int(digit) * (10 - i) for i, digit in enumerate(digits)) % 101
    return (101 - rest) % 100 if rest else 0


def _iswc(text: str) -> str:
    compact = re.sub(r"[\s.\-]", "", text.upper().removeprefix("ISWC").lstrip(": "))
    if not re.fullmatch(r"T[0-9]{10}", compact, re.ASCII):
        raise ValueError("it is T, nine digits and a check digit")
    if iswc_check_digit(compact[1:10]) != int(compact[10]):
        raise ValueError("its check digit is wrong")
    return f"T-{compact[1:4]}.{compact[4:7]}.{compact[7:10]}-{compact[10]}"


def _ipi(text: str) -> str:
    compact = re.sub(r"[\s.\-]", "", text.upper().removeprefix("IPI").lstrip(": "))
    if not re.fullmatch(r"[0-9]{9,11}", compact, re.ASCII):
        raise ValueError("it has eleven digits")
    digits = compact.zfill(11)
    if ipi_check_digits(digits[:9]) != int(digits[9:]):
        raise ValueError("its check digits are wrong")
    return digits


def _doi(text: str) -> str:
    compact = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", text.strip(), flags=re.IGNORECASE)
    if not re.fullmatch(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/[!-~]+", compact):
        raise ValueError("it is 10., a registrant's number, a slash and a suffix")
    return compact.lower()


def _content_hash(text: str) -> str:
    compact = text.strip().lower().removeprefix("sha256:").removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{64}", compact):
        raise ValueError("it has 64 hexadecimal digits")
    if set(compact) == {"0"}:
        raise ValueError("it is zero")
    return "0x" + compact


def _from_stdnum(module: str) -> Callable[[str], str]:
    def normal(text: str) -> str:
        found = import_module(f"stdnum.{module}")
        return str(found.validate(text)).upper()

    return normal


_NORMAL: Mapping[Kind, Callable[[str], str]] = {
    Kind.ISRC: _from_stdnum("isrc"),
    Kind.ISWC: _iswc,
    Kind.IPI: _ipi,
    Kind.ISNI: _from_stdnum("isni"),
    Kind.GRID: _from_stdnum("grid"),
    Kind.EAN: _from_stdnum("ean"),
    Kind.LEI: _from_stdnum("lei"),
    Kind.DOI: _doi,
    Kind.CONTENT_HASH: _content_hash,
}


def normalise(kind: Kind | str, text: str) -> str:
    """The normal form of an identifier of a known kind. Raises ValueRefused for a wrong form or check
    digit.
    """
    try:
        known = Kind(kind)
    except ValueError:
        raise ValueRefused(
            f"{kind!r} is no kind of identifier.", remedy=f"Use one of {', '.join(Kind)}."
        ) from None
    try:
        return _NORMAL[known](text)
    except Exception as error:
        if not isinstance(error, ValueError | AttributeError | TypeError):
            raise
        # stdnum's own errors have texts of their own, such as "The number's checksum or check digit is
        # invalid."
        raise ValueRefused(
            f"{text!r} is no {known.value.upper().replace('_', ' ')}.",
            why=str(error),
            remedy=f"It should look like {EXAMPLES[known]}.",
        ) from error


def is_valid(kind: Kind | str, text: str) -> bool:
    """Whether the text is an identifier of that kind."""
    try:
        normalise(kind, text)
    except ValueRefused:
        return False
    return True


#: Shapes that tell the kinds apart; what fits several is tried in this order.
_SHAPES: Sequence[tuple[Kind, str]] = (
    (Kind.DOI, r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?10\.[0-9]{4,9}.*/.+"),
    (Kind.CONTENT_HASH, r"(?:sha256:)?(?:0x)?[0-9a-f]{64}"),
    (Kind.ISWC, r"(?:ISWC:? ?)?T[-. ]?[0-9]{3}[-. ]?[0-9]{3}[-. ]?[0-9]{3}[-. ]?[0-9]"),
    (Kind.ISRC, r"[A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}"),
    (Kind.GRID, r"A1-?[A-Z0-9]{5}-?[A-Z0-9]{10}-?[A-Z0-9]"),
    (Kind.ISNI, r"[0-9]{4} ?[0-9]{4} ?[0-9]{4} ?[0-9]{3}[0-9X]"),
    (Kind.LEI, r"[A-Z0-9]{18}[0-9]{2}"),
    (Kind.IPI, r"(?:IPI:? ?)?[0-9]{11}"),
    (Kind.EAN, r"[0-9]{8}|[0-9]{13}"),
)


def detect(text: str) -> Identifier | None:
    """Kind and normal form of an identifier of unknown kind; None if nothing fits."""
    stripped = text.strip()
    for kind, shape in _SHAPES:
        if re.fullmatch(shape, stripped, re.IGNORECASE) and is_valid(kind, stripped):
            return Identifier(kind, normalise(kind, stripped))
    return None


def identifiers_hash(identifiers: Sequence[Identifier]) -> bytes:
    """Hash of a work's identifiers: canonical JSON of the sorted [kind, value] pairs; zero if there are
    none.
    """
    if not identifiers:
        return ZERO32
    return canonical_hash([[kind.value, value] for kind, value in sorted(set(identifiers))])
