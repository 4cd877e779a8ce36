"""What the tests of reports, payouts and verify share: a session on the tests' chain, rows, a report CSV."""

from __future__ import annotations

from calendar import monthrange
from pathlib import Path

from _command import ADDRESS, LICENSEE

from ledger.operations.session import Session, Settings

HEADER = "ChainId,LicenceId,PeriodStart,PeriodEnd,CurrencyOfReporting,GrossRevenue"
SYMBOL = "tUSD"
CHAIN = 31337


def month(number: int, year: int = 2024) -> tuple[str, str]:
    """First and last day of a month, from 0."""
    return f"{year}-{number + 1:02}-01", f"{year}-{number + 1:02}-{monthrange(year, number + 1)[1]}"


def line(
    licence: int, number: int, gross: str, *, chain: int = CHAIN, currency: str = SYMBOL, more: str = ""
) -> str:
    first, last = month(number)
    return f"{chain},{licence},{first},{last},{currency},{gross}{more}"


def write_csv(path: Path, lines: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def session_of(rpc, account: str = LICENSEE) -> Session:
    return Session(Settings(account=account), rpc=rpc)


def after(node, when: str) -> None:
    """Sets the clock."""
    from ledger.operations.times import parse_time

    node.advance_to(parse_time(when))


LICENSEE_ADDRESS = ADDRESS[LICENSEE].lower()
