"""A figure on a page: its base units, how it is written, and the key under which a browser proves it.

The keys are those of docs/guides/page.md; an empty key means that no proof covers the figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from ledger.report.statement import Currency, Row
from ledger.report.words import unit_of

_SHORT = 2
#: Digits of a figure that stay in one line; where a longer one may be broken.
_LINE = 20
_GROUPS = re.compile(
    r"(?<=,)(?=(?:[0-9]{3},[0-9]{3},[0-9]{3},?)+(?:\.|$))|(?=\.)|(?<=\.[0-9]{6})(?=[0-9])|(?<=\.[0-9]{12})(?=[0-9])",
    re.ASCII,
)
_TIME = re.compile(r"T(\d\d:\d\d):\d\dZ", re.ASCII)
_DESTINATION = re.compile(r", to 0x[0-9a-f]+…", re.ASCII)


@dataclass(frozen=True, slots=True)
class Figure:
    """Base units of a token. `head` and `tail` are the digits, cut after two decimals."""

    units: int
    currency: Currency
    key: str = ""

    @property
    def text(self) -> str:
        """All digits, without the symbol."""
        return self.currency.plain(self.units)

    @property
    def head(self) -> str:
        """The digits up to two decimals."""
        whole, point, rest = self.text.partition(".")
        return whole + (point + rest[:_SHORT] if rest[:_SHORT] else "")

    @property
    def tail(self) -> str:
        """The decimals after them."""
        return self.text.partition(".")[2][_SHORT:]

    @property
    def is_long(self) -> bool:
        """Whether it is too long for one line of a large figure."""
        return len(self.head) > _SHORT + 11


def broken(text: str) -> str | Markup:
    """A figure as a page shows it: a long one may go on in the next line between groups of its digits."""
    return text if len(text) <= _LINE else Markup("<wbr>").join(_GROUPS.split(text))


def common_unit(figures: Iterable[Figure | None]) -> str:
    """The symbol for the head of a column, where all its figures are of one token; else empty."""
    return unit_of(one.currency for one in figures if one is not None)


def hex_of(word: bytes) -> str:
    """Bytes as keys and attributes write them."""
    return "0x" + word.hex()


def short_hex(word: bytes) -> str:
    """The start of a hash, for reading."""
    return "0x" + word.hex()[:8] + "…"


def day(time: int) -> str:
    """A day, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")


def span(start: int, end: int) -> str:
    """The days of a period whose end is the first second after it."""
    return f"{day(start)} to {day(end - 1)}"


def moment(time: int) -> str:
    """A time to the minute, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def readable(text: str) -> str:
    """A sentence whose times are written for people; where money goes is told by the split's own table."""
    text = _DESTINATION.sub("", text.replace("T00:00:00Z", ""))
    return _TIME.sub(r" \1 UTC", text)


def machine(time: int) -> str:
    """A time as the attribute `datetime` takes it."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- keys


def sum_key(payee: str, token: str, what: str) -> str:
    """What a holder earned, was paid or is owed in a token."""
    return f"holder/{payee}/{token}/{what}"


def licence_key(payee: str, token: str, licence: int, period: int | None = None) -> str:
    """What a holder earned through a licence, or through one of its periods."""
    of = f"/period/{period}" if period is not None else ""
    return f"holder/{payee}/{token}/licence/{licence}{of}/earned"


def leaf_key(split_id: bytes, token: str, index: int, what: str) -> str:
    """A figure of one leaf."""
    return f"leaf/{hex_of(split_id)}/{token}/{index}/{what}"


def credit_key(row: Row, number: int | None, amount: int) -> str:
    """A row's part of a credit: of the whole one by its number, of a piece by the cumulatives around it."""
    before, after = row.cumulative
    if after <= before:
        return ""
    where = f"{hex_of(row.split_id)}/{row.currency.address}/{row.index}"
    if number is not None and after - before == amount:
        return f"credit/{where}/{number}"
    return f"part/{where}/{before}/{after}"


def payout_key(row: Row, number: int) -> str:
    """A payout of a leaf."""
    return f"payout/{hex_of(row.split_id)}/{row.currency.address}/{row.index}/{number}"


def book_key(token: str, what: str) -> str:
    """A sum over all splits in a token."""
    return f"books/{token}/{what}"


def booking_key(licence: int, number: int, what: str) -> str:
    """A figure of the Nth booking of a licence."""
    return f"booking/{licence}/{number}/{what}"


def due_key(licence: int, what: str, period: int | None = None) -> str:
    """A sum of a licence, or of one of its periods."""
    return f"licence/{licence}/{what}" if period is None else f"period/{licence}/{period}/{what}"
