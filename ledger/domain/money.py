"""Token amounts: int base units everywhere, decimal strings only at the edges."""

from __future__ import annotations

import re

from ledger.domain.errors import ValueRefused
from ledger.domain.notation import shown

#: Figures (amounts in terms and reports) stay below this many base units.
FIGURE_LIMIT = 2**104

_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


def parse_amount(text: str, decimals: int, *, limit: int = FIGURE_LIMIT) -> int:
    """Base units of a decimal string such as `1250.50`, exactly.

    Refuses floats, exponents, signs, separators of thousands, more decimals than the token has, and amounts
    of `limit` base units or more. `decimals` is 0 to 18.
    """
    if not isinstance(text, str):
        raise ValueRefused(
            f"The amount {shown(text)} is a {type(text).__name__}, not a string.",
            why="Binary floating point cannot hold decimal amounts exactly.",
            remedy='Write the amount in quotes, such as "1250.50".',
        )
    if not _DECIMAL.fullmatch(text):
        raise _refusal(text)
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals:
        raise ValueRefused(
            f"The amount {_shorten(text)} has {len(fraction)} decimals; the token has {decimals}.",
            remedy="Round it to the token's decimals.",
        )
    if len(whole) > 80:
        raise _too_large(text)
    units = int(whole + fraction.ljust(decimals, "0"))
    if units >= limit:
        raise _too_large(text)
    return units


def parse_units(text: str, *, limit: int = FIGURE_LIMIT) -> int:
    """A count of base units written in digits."""
    return parse_amount(text, 0, limit=limit)


def format_amount(units: int, decimals: int, symbol: str = "", *, grouping: bool = False) -> str:
    """A decimal string with all the token's decimals; negative for signed lines.

    `grouping` puts commas between thousands: for reading, never for files.
    """
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    if grouping:
        whole = f"{int(whole):,}"
    text = f"{sign}{whole}.{fraction}" if decimals else sign + whole
    return f"{text} {symbol}" if symbol else text


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _too_large(text: str) -> ValueRefused:
    return ValueRefused(
        f"The amount {_shorten(text)} is too large.",
        remedy="Check that it is written in whole tokens, not in base units.",
    )


def _refusal(text: str) -> ValueRefused:
    shown = _shorten(repr(text))
    if not text.strip():
        return ValueRefused("The amount is empty.", remedy="Write 0 if nothing is meant.")
    if text.strip().startswith("-"):
        return ValueRefused(f"The amount {shown} is negative.", remedy="Amounts are zero or more.")
    if re.fullmatch(r"[+]?[0-9.]+[eE][+-]?[0-9]+", text):
        return ValueRefused(f"The amount {shown} has an exponent.", remedy="Write all digits.")
    if re.fullmatch(r"[0-9]+(?:[,' _\u00a0\u202f.][0-9]{3})+(?:[.,][0-9]+)?", text) and text.count(".") != 1:
        return ValueRefused(
            f"The amount {shown} has separators of thousands.", remedy="Write it as 1234567.89."
        )
    if "," in text:
        return ValueRefused(
            f"The amount {shown} has a comma.", remedy="Write a decimal point and no separators."
        )
    if text != text.strip():
        return ValueRefused(f"The amount {shown} has spaces around it.", remedy="Remove them.")
    return ValueRefused(f"{shown} is not an amount.", remedy="Write digits with at most one decimal point.")
